"""A detector's detections on whole scans, as a table: hard negatives for the next training.

One row a detection, the most suspicious of a scan first::

    patient_id,x_lps,y_lps,z_lps,score

``patient_id`` is what :func:`nodule.lidc._whole_scans.patient_of` calls the scan; positions are LPS
mm. The table does not say which detections lie on nodules: that is up to the scan's own readings.
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
from nodule.training._nodule_record import Cells
from nodule.whole_files import whole_text

_POSITION = ("x_lps", "y_lps", "z_lps")
_COLUMNS = ("patient_id", *_POSITION, "score")


@dataclass(frozen=True, kw_only=True)
class ScanDetection:
    """A detection on a whole scan.

    Parameters
    ----------
    patient_id : whose scan it is.
    center_lps_mm : LPS position.
    score : the detector's.
    """

    patient_id: str
    center_lps_mm: Vector
    score: float


def write_detections(path: Path, detections: Iterable[ScanDetection]) -> None:
    """Write a table of detections, in the order given."""
    with whole_text(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        writer.writerows(
            (each.patient_id, *(f"{mm:.3f}" for mm in each.center_lps_mm), f"{each.score:.5f}")
            for each in detections
        )


def read_detections(path: Path) -> Mapping[str, NDArray[np.float64]]:
    """Return the places of a table's detections per patient, LPS mm, (n, 3).

    Raises
    ------
    InputError : ``MISSING_COLUMNS`` or ``BAD_ROW``.
    """
    found: dict[str, list[Vector]] = {}
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        if set(_COLUMNS) - set(reader.fieldnames or ()):
            raise InputError(
                f"{path.name} is not a table of detections",
                code="MISSING_COLUMNS",
                expected=", ".join(_COLUMNS),
                got=", ".join(reader.fieldnames or ()) or "an empty file",
                hint="nodule dataset detections writes one",
            )
        for row in reader:
            cells = Cells(row, f"{path.name} line {reader.line_num}")
            x, y, z = map(cells.number, _POSITION)
            found.setdefault(cells.text("patient_id"), []).append((x, y, z))
    return {patient: np.array(places) for patient, places in found.items()}
