"""Crop sets from whole studies, in the format of :mod:`nodule.training._crop_set`.

What is written is richer than a crop needs to be: HU are exact (int16), and real tissue
surrounds the nodule on all sides, slices above and below it included.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodule.errors import GeometryError
from nodule.geometry import Geometry
from nodule.lidc import CHARACTERISTICS, fold_of
from nodule.study import Study
from nodule.training._nodule_record import TABLES, Kind
from nodule.training._nodule_stack import NoduleStack
from nodule.whole_files import whole_file, whole_text

_TOLERANCE = 1e-3
_COLUMNS = (
    *("file", "key", "patient_id", "fold", "series_uid", "lidc_noduleID", "n_slices"),
    *("pixel_spacing_mm", "slice_spacing_mm", "z_first", "z_last", "col0", "row0"),
    *("origin_x", "origin_y", "xy_dir", "origin_source", "center_col", "center_row", "center_z"),
    *("volume_mm3", "eq_diameter_mm", "cal_spread_hu", "voi_file", "n_readers", "reader_bits"),
    *CHARACTERISTICS,
)

Row = Mapping[str, object]


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

    The fold is the patient's (:func:`nodule.lidc.fold_of`) unless one is given. Places
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
        with whole_file(path) as stream:
            # types of numpy take the members for the flag allow_pickle
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return rows


def write_table(folder: Path, rows: Sequence[Row], *, kind: Kind = "stack") -> Path:
    """Write ``stacks.csv``, last, so that a set without it is known to be unfinished.

    ``negatives.csv``, of the kind ``negative``, goes before it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / TABLES[kind]
    with whole_text(path) as stream:
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


def replace_series(
    folder: Path, *, study: Study, patient_id: str, stacks: Sequence[NoduleStack], kind: Kind
) -> None:
    """Write one series' nodules into a crop set, in place of what it holds of that series.

    Parameters
    ----------
    folder : of the crop set, which may hold other series.
    study, patient_id, stacks, kind : as :func:`write_stacks`.

    Raises
    ------
    GeometryError : as :func:`write_stacks`.
    """
    rows = write_stacks(folder, study=study, patient_id=patient_id, stacks=stacks, kind=kind)
    series_uid = study.series.series_instance_uid or ""
    others = [row for row in read_rows(folder, kind=kind) if row["series_uid"] != series_uid]
    write_table(folder, [*others, *rows], kind=kind)


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
