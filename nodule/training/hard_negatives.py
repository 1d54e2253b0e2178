"""What a detector marked on whole scans, as a table: where the next network looks for mistakes.

One row a mark, the most suspicious of a scan first::

    patient_id,x_lps,y_lps,z_lps,score

``patient_id`` is what :func:`nodule.lidc.whole_scans.patient_of` calls the scan; positions are LPS
mm. The table does not say which marks lie on nodules: that is up to the scan's own readings.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import Vector
from nodule.training.nodule_record import Cells

_POSITION = ("x_lps", "y_lps", "z_lps")
_COLUMNS = ("patient_id", *_POSITION, "score")


@dataclass(frozen=True, kw_only=True)
class ScanMark:
    """A detector's mark on a whole scan.

    Parameters
    ----------
    patient_id : whose scan it is.
    center_lps_mm : LPS position.
    score : the detector's.
    """

    patient_id: str
    center_lps_mm: Vector
    score: float


def write_marks(path: Path, marks: Iterable[ScanMark]) -> None:
    """Write a table of marks, in the order given."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        writer.writerows(
            (mark.patient_id, *(f"{mm:.3f}" for mm in mark.center_lps_mm), f"{mark.score:.5f}")
            for mark in marks
        )


def read_marks(path: Path) -> Mapping[str, NDArray[np.float64]]:
    """Return the places of a table's marks per patient, LPS mm, (n, 3).

    Raises
    ------
    InputError : ``MISSING_COLUMNS`` or ``BAD_ROW``.
    """
    found: dict[str, list[Vector]] = {}
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        if set(_COLUMNS) - set(reader.fieldnames or ()):
            raise InputError(
                f"{path.name} is no table of marks",
                code="MISSING_COLUMNS",
                expected=", ".join(_COLUMNS),
                got=", ".join(reader.fieldnames or ()) or "an empty file",
                hint="nodule dataset marks writes one",
            )
        for row in reader:
            cells = Cells(row, f"{path.name} line {reader.line_num}")
            x, y, z = map(cells.number, _POSITION)
            found.setdefault(cells.text("patient_id"), []).append((x, y, z))
    return {patient: np.array(places) for patient, places in found.items()}
