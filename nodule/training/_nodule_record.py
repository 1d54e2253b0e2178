"""One row of a crop set: what is known of a nodule before its voxels are read."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from nodule.errors import InputError
from nodule.geometry import Vector
from nodule.lidc import CHARACTERISTICS
from nodule.sphere import sphere_diameter_mm

Kind = Literal["stack", "voi", "crop51", "negative"]
Row = Mapping[str, str]

TABLES: dict[Kind, str] = {
    "stack": "stacks.csv",
    "voi": "voi.csv",
    "crop51": "crops51.csv",
    "negative": "negatives.csv",
}
_COMMON = ("file", "patient_id", "fold", "malignancy")
_STACK_COLUMNS = (
    *_COMMON,
    *("key", "series_uid", "pixel_spacing_mm", "slice_spacing_mm", "z_first", "col0", "row0"),
    *("origin_x", "origin_y", "xy_dir", "center_col", "center_row", "center_z"),
    *("eq_diameter_mm", "n_readers", "reader_bits", "voi_file", "cal_spread_hu"),
)
_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "stack": _STACK_COLUMNS,
    "voi": (
        *_COMMON,
        *("mask_file", "series_uid", "x_lps", "y_lps", "z_lps", "mask_volume_mm3"),
        *("spacing_z", "spacing_y", "spacing_x", "n_ratings"),
    ),
    "crop51": (*_COMMON, "eq_diameter_mm", "voi_file"),
    "negative": _STACK_COLUMNS,
}
_CROP51_SPACING_MM: Vector = (1.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleRecord:
    """One nodule of a crop set, or one place that readers took for none.

    Parameters
    ----------
    kind : ``stack``, ``voi`` or ``crop51``, or ``negative`` for what is no nodule; see
        :mod:`nodule.training._crop_set`.
    file, mask_file : paths relative to the set; ``mask_file`` for ``voi`` only.
    key : the nodule's prefix within ``file``, empty where the file holds one nodule.
    patient_id, series_uid : identifiers of the public collection; ``series_uid`` is empty
        where unknown (``crop51``).
    fold : the same for all nodules of a patient: 0 to 4, or 0 to 9 for LUNA16's subsets.
    center_lps_mm : the nodule's centre, None where the frame is unknown.
    spacing_zyx_mm : voxel spacing.
    origin_lps_mm : centre of a ``stack``'s first voxel, None where unknown; a ``voi`` file
        states its own.
    xy_dir : 1, or -1 for series whose columns run to the right and rows to the front.
    diameter_mm : of the sphere with the mask's volume; LUNA16's diameter in sets without masks.
    n_readers : readers who outlined the nodule; for ``voi`` the number of ratings.
    readers : mask bits of the readers whose ratings are known, in the ratings' order.
    ratings : per characteristic the values in the order of ``readers`` (``stack``), their mode
        over readers (``voi``) or one reader's value (``crop51``). Unknown ones are absent.
    voi_file : the ``voi`` of the same nodule, None where there is no link.
    cal_spread_hu : predicted HU error of a calibrated ``stack``, 0 where HU are exact.
    """

    kind: Kind
    file: str
    mask_file: str = ""
    key: str = ""
    patient_id: str
    fold: int
    series_uid: str = ""
    center_lps_mm: Vector | None
    spacing_zyx_mm: Vector
    origin_lps_mm: Vector | None
    xy_dir: int = 1
    diameter_mm: float
    n_readers: int
    readers: tuple[int, ...]
    ratings: Mapping[str, tuple[int, ...]]
    voi_file: str | None
    cal_spread_hu: float = 0.0

    @property
    def malignancy(self) -> tuple[int, ...]:
        """Ratings 1 to 5 of the suspicion of malignancy, empty where there are none."""
        return self.ratings.get("malignancy", ())

    @property
    def frame_known(self) -> bool:
        """Whether positions within the crop are positions in the patient."""
        return self.center_lps_mm is not None

    @property
    def is_listed(self) -> bool:
        """Whether LUNA16's list says so: three readers agreed, and none of their masks is known.

        A stack of LIDC-IDRI that nobody's mask covers has no diameter either.
        """
        return self.kind == "stack" and self.n_readers == 0 and self.diameter_mm > 0

    @property
    def nodule_key(self) -> str:
        """Text that all records of one nodule share, as far as links are known."""
        return self.voi_file or f"{self.file}#{self.key}"


def read_table(path: Path, kind: Kind) -> tuple[NoduleRecord, ...]:
    """Read one CSV of a crop set.

    Raises
    ------
    InputError : ``MISSING_COLUMNS``, or ``BAD_ROW`` naming file, line and column.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in _COLUMNS[kind] if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(
                f"{path.name} is not a {kind} table",
                code="MISSING_COLUMNS",
                expected=", ".join(missing),
                got="no such columns",
            )
        return tuple(
            _PARSERS[kind](Cells(row, f"{path.name} line {reader.line_num}")) for row in reader
        )


@dataclass(frozen=True)
class Cells:
    """One CSV row whose cells are read with their type."""

    row: Row
    where: str

    def text(self, column: str) -> str:
        """Return a cell as it stands, empty where there is none."""
        return self.row.get(column) or ""

    def number(self, column: str) -> float:
        """Return a finite number, or refuse the row (``BAD_ROW``)."""
        try:
            value = float(self.text(column))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self._refuse(column, "a number")
        return value

    def integer(self, column: str) -> int:
        """Return a whole number, or refuse the row."""
        value = self.number(column)
        if value != int(value):
            self._refuse(column, "an integer")
        return int(value)

    def integers(self, column: str) -> tuple[int, ...]:
        """Return integers separated by ``|``, or refuse the row."""
        try:
            return tuple(int(part) for part in self.text(column).split("|") if part)
        except ValueError:
            self._refuse(column, "integers separated by |")
            raise

    def path(self, column: str) -> str:
        """Return a path inside the set, or refuse the row."""
        value = self.text(column)
        if not value or value.startswith("/") or ".." in value.split("/"):
            self._refuse(column, "a path inside the set")
        return value

    def ratings(self, count: int) -> dict[str, tuple[int, ...]]:
        """Return ``count`` ratings of each characteristic that has any, or refuse the row."""
        known = {c: self.integers(c) for c in CHARACTERISTICS if self.text(c)}
        for column, values in known.items():
            if len(values) != count or not all(1 <= v <= 6 for v in values):
                self._refuse(column, f"{count} ratings from 1 to 6")
        return known

    def _refuse(self, column: str, expected: str) -> None:
        raise InputError(
            f"{self.where}: column {column} cannot be used",
            code="BAD_ROW",
            expected=expected,
            got=repr(self.text(column)),
        )


def _stack(cells: Cells) -> NoduleRecord:
    pixel_mm, slice_mm = cells.number("pixel_spacing_mm"), cells.number("slice_spacing_mm")
    known = bool(cells.text("origin_x") and cells.text("origin_y"))
    xy_dir = cells.integer("xy_dir") if known else 1
    origin, center = None, None
    if known:
        x, y = cells.number("origin_x"), cells.number("origin_y")
        step = xy_dir * pixel_mm
        origin = (x, y, cells.number("z_first"))
        center = (
            x + step * (cells.number("center_col") - cells.number("col0")),
            y + step * (cells.number("center_row") - cells.number("row0")),
            cells.number("center_z"),
        )
    readers = cells.integers("reader_bits")
    return NoduleRecord(
        kind="stack",
        file=cells.path("file"),
        key=cells.text("key"),
        patient_id=cells.text("patient_id"),
        fold=cells.integer("fold"),
        series_uid=cells.text("series_uid"),
        center_lps_mm=center,
        spacing_zyx_mm=(slice_mm, pixel_mm, pixel_mm),
        origin_lps_mm=origin,
        xy_dir=xy_dir,
        diameter_mm=cells.number("eq_diameter_mm"),
        n_readers=cells.integer("n_readers"),
        readers=readers,
        ratings=cells.ratings(len(readers)),
        voi_file=cells.text("voi_file") or None,
        cal_spread_hu=cells.number("cal_spread_hu") if cells.text("cal_spread_hu") else 0.0,
    )


def _voi(cells: Cells) -> NoduleRecord:
    center = (cells.number("x_lps"), cells.number("y_lps"), cells.number("z_lps"))
    spacing = (cells.number("spacing_z"), cells.number("spacing_y"), cells.number("spacing_x"))
    file = f"voi/{cells.path('file')}"
    return NoduleRecord(
        kind="voi",
        file=file,
        mask_file=f"voi/{cells.path('mask_file')}",
        patient_id=cells.text("patient_id"),
        fold=cells.integer("fold"),
        series_uid=cells.text("series_uid"),
        center_lps_mm=center,
        spacing_zyx_mm=spacing,
        origin_lps_mm=None,
        diameter_mm=sphere_diameter_mm(cells.number("mask_volume_mm3")),
        n_readers=cells.integer("n_ratings"),
        readers=(0,),
        ratings=cells.ratings(1),
        voi_file=file,
    )


def _crop51(cells: Cells) -> NoduleRecord:
    return NoduleRecord(
        kind="crop51",
        file=cells.path("file"),
        patient_id=cells.text("patient_id"),
        fold=cells.integer("fold"),
        center_lps_mm=None,
        spacing_zyx_mm=_CROP51_SPACING_MM,
        origin_lps_mm=None,
        diameter_mm=cells.number("eq_diameter_mm"),
        n_readers=1,
        readers=(0,),
        ratings=cells.ratings(1),
        voi_file=cells.text("voi_file") or None,
    )


def _negative(cells: Cells) -> NoduleRecord:
    for column in ("origin_x", "origin_y"):  # without a place there is nothing to look at
        cells.number(column)
    return replace(_stack(cells), kind="negative")


_PARSERS: dict[Kind, Callable[[Cells], NoduleRecord]] = {
    "stack": _stack,
    "voi": _voi,
    "crop51": _crop51,
    "negative": _negative,
}
