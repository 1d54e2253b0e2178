"""The CSV files of LUNA16: nodules, excluded findings, series, candidates and submissions.

Coordinates are LPS mm as everywhere here. Series UIDs are text: they have more digits than any
number type holds. Columns beyond LUNA16's own are ignored.

References
----------
Setio et al. 2017, Med Image Anal 42:1-13; https://luna16.grand-challenge.org.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import Vector
from nodule.input_files import read_input_file
from nodule.whole_files import whole_text

CERTAIN_READERS = 3
"""Readers who must have outlined a nodule before it is one to be found: LUNA16's rule."""
UNMEASURED_DIAMETER_MM = 10.0
"""LUNA16's diameter for findings that have none."""

_POSITION = ("coordX", "coordY", "coordZ")
_SUBMISSION = ("seriesuid", *_POSITION, "probability")


@dataclass(frozen=True, kw_only=True)
class LunaFinding:
    """A row of ``annotations.csv`` or ``annotations_excluded.csv``.

    Parameters
    ----------
    series_uid : the series.
    center_lps_mm : LPS position.
    diameter_mm : diameter; None where the table says -1, not measured.
    """

    series_uid: str
    center_lps_mm: Vector
    diameter_mm: float | None


@dataclass(frozen=True, kw_only=True)
class LunaMark:
    """A row of a submission: a detector's mark.

    Parameters
    ----------
    series_uid : the series.
    center_lps_mm : LPS position.
    probability : its score, higher is more suspicious; LUNA16 sets no range.
    """

    series_uid: str
    center_lps_mm: Vector
    probability: float


@dataclass(frozen=True, kw_only=True)
class LunaCandidate:
    """A row of ``candidates.csv``: a place to classify.

    Parameters
    ----------
    series_uid : the series.
    center_lps_mm : LPS position.
    is_nodule : its class.
    """

    series_uid: str
    center_lps_mm: Vector
    is_nodule: bool


def read_findings(path: Path | str) -> tuple[LunaFinding, ...]:
    """Read ``annotations.csv`` or ``annotations_excluded.csv``.

    Raises
    ------
    InputError : ``CANNOT_READ``, ``TOO_LARGE``, ``MISSING_COLUMNS`` or ``BAD_ROW``, as all readers
        here.
    """
    return tuple(
        LunaFinding(
            series_uid=row.series_uid,
            center_lps_mm=row.position,
            diameter_mm=row.number("diameter_mm") if row.number("diameter_mm") >= 0 else None,
        )
        for row in _rows(Path(path), ("seriesuid", *_POSITION, "diameter_mm"))
    )


@functools.lru_cache(maxsize=4)
def findings_by_series(path: Path) -> Mapping[str, tuple[LunaFinding, ...]]:
    """Read a table once and return its findings by series; errors as :func:`read_findings`."""
    found: dict[str, list[LunaFinding]] = {}
    for finding in read_findings(path):
        found.setdefault(finding.series_uid, []).append(finding)
    return {uid: tuple(findings) for uid, findings in found.items()}


def read_candidates(path: Path | str) -> tuple[LunaCandidate, ...]:
    """Read ``candidates.csv`` or ``candidates_V2.csv``."""
    return tuple(
        LunaCandidate(
            series_uid=row.series_uid,
            center_lps_mm=row.position,
            is_nodule=row.number("class") != 0,
        )
        for row in _rows(Path(path), ("seriesuid", *_POSITION, "class"))
    )


@functools.lru_cache(maxsize=2)
def negatives_by_series(path: Path) -> Mapping[str, NDArray[np.float64]]:
    """Read the places of class 0 once: per series LPS mm, (n, 3); errors as all readers here."""
    found: dict[str, list[Vector]] = {}
    for candidate in read_candidates(path):
        if not candidate.is_nodule:
            found.setdefault(candidate.series_uid, []).append(candidate.center_lps_mm)
    return {uid: np.array(places) for uid, places in found.items()}


def read_submission(path: Path | str) -> tuple[LunaMark, ...]:
    """Read a detector's marks."""
    return tuple(
        LunaMark(
            series_uid=row.series_uid,
            center_lps_mm=row.position,
            probability=row.number("probability"),
        )
        for row in _rows(Path(path), _SUBMISSION)
    )


def write_submission(path: Path | str, marks: Iterable[LunaMark]) -> None:
    """Write marks as LUNA16's evaluation wants them, in the order given."""
    with whole_text(Path(path)) as stream:
        writer = csv.writer(stream)
        writer.writerow(_SUBMISSION)
        # repr of a float is the shortest text that reads back the same
        writer.writerows(
            (mark.series_uid, *map(repr, mark.center_lps_mm), repr(mark.probability))
            for mark in marks
        )


def read_series_uids(path: Path | str) -> tuple[str, ...]:
    """Read the first column of a list of series, with or without the heading ``seriesuid``.

    Raises
    ------
    InputError : ``DUPLICATE_SERIES`` if one is named twice, ``BAD_ROW`` for text that is no UID.
    """
    file = Path(path)
    with _table(file) as stream:
        first = [row[0].strip() for row in csv.reader(stream) if row and row[0].strip()]
    uids = tuple(first[1:] if first[:1] == ["seriesuid"] else first)
    for line, uid in enumerate(uids, start=1):
        _check_uid(uid, f"{file.name} entry {line}")
    if len(set(uids)) != len(uids):
        raise InputError(
            f"{file.name} names a series twice",
            code="DUPLICATE_SERIES",
            expected=f"{len(set(uids))} series",
            got=len(uids),
        )
    return uids


@dataclass(frozen=True)
class _TableRow:
    cells: dict[str, str | None]
    where: str

    @property
    def series_uid(self) -> str:
        uid = (self.cells["seriesuid"] or "").strip()
        _check_uid(uid, self.where)
        return uid

    @property
    def position(self) -> Vector:
        x, y, z = (self.number(column) for column in _POSITION)
        return x, y, z

    def number(self, column: str) -> float:
        text = self.cells[column] or ""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(
                f"{self.where}: column {column} is not a number", code="BAD_ROW", got=repr(text)
            )
        return value


def _check_uid(uid: str, where: str) -> None:
    """Refuse what is neither a UID nor the name of a scan that has none."""
    is_uid = set(uid) <= set("0123456789.")
    if not uid or (not is_uid and _is_number(uid)):
        raise InputError(
            f"{where}: no series UID",
            code="BAD_ROW",
            expected="digits and dots, or a scan's name",
            got=repr(uid),
            hint="Spreadsheet programs turn UIDs into numbers; keep the column as text",
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextlib.contextmanager
def _table(path: Path) -> Iterator[io.StringIO]:
    """Give a table's text, and say by code where it is none.

    Raises
    ------
    InputError : ``CANNOT_READ``, ``TOO_LARGE``, ``BAD_ROW``.
    """
    try:
        text = read_input_file(path).decode("utf-8-sig")
        yield io.StringIO(text, newline="")
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path.name} is not a table as text", code="BAD_ROW", got=type(error).__name__
        ) from None


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[_TableRow]:
    with _table(path) as stream:
        reader = csv.DictReader(stream)
        missing = set(columns) - set(reader.fieldnames or ())
        if missing:
            raise InputError(
                f"{path.name} is not a valid LUNA16 table",
                code="MISSING_COLUMNS",
                expected=", ".join(columns),
                got=", ".join(reader.fieldnames or ()) or "an empty file",
            )
        for row in reader:
            yield _TableRow(row, f"{path.name} line {reader.line_num}")
