"""Whole scans with what their readers marked: the one reader of them, for training and evaluation.

LIDC's readers outline what they hold for a nodule of 3 mm or more, and set a point at smaller ones
and at what they judged to be none. LUNA16 lists the nodules that three of them outlined in
``annotations.csv`` and all else that anybody marked in ``annotations_excluded.csv``; its candidates
of class 0 are places that look like a nodule and are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nodule.ct import read_ct
from nodule.geometry import Vector
from nodule.lidc import (
    CERTAIN_READERS,
    UNMEASURED_DIAMETER_MM,
    LidcNodule,
    LidcReadings,
    PointMark,
    findings_by_series,
    negatives_by_series,
    nodules_on,
    position_lps_mm,
    read_lidc_xml,
)
from nodule.sphere import sphere_diameter_mm

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nodule.lidc import WholeScan
    from nodule.study import Study

AnnotationKind = Literal["outlined", "small", "rejected", "excluded"]


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """Something that readers marked.

    Parameters
    ----------
    kind : a nodule that somebody outlined, or of LUNA16's list; a smaller one; what a reader
        judged to be none; or what LUNA16 excludes without saying which of these it is.
    center_lps_mm : centroid of the readers' consensus, or their point.
    measured_mm : diameter of the sphere with the consensus' volume, or as LUNA16 lists it; None for
        points, and where the consensus is empty.
    readers : how many outlined it, 0 for points. Of LUNA16's nodules it is known only that three
        did or four, of its excluded findings nothing.
    """

    kind: AnnotationKind
    center_lps_mm: Vector
    measured_mm: float | None
    readers: int

    @property
    def agreed(self) -> bool:
        """Whether enough readers outlined it: LUNA16's rule."""
        return self.readers >= CERTAIN_READERS

    @property
    def diameter_mm(self) -> float:
        """The diameter, LUNA16's 10 mm where nothing was measured."""
        return self.measured_mm or UNMEASURED_DIAMETER_MM


@dataclass(frozen=True, kw_only=True, eq=False)
class AnnotatedScan:
    """A scan and what was marked in it.

    Parameters
    ----------
    scan : where it lies and whose it is.
    study : its images.
    annotations : of all kinds, the outlined ones first.
    negatives_lps_mm : places that look like a nodule and are none, (n, 3).
    """

    scan: WholeScan
    study: Study
    annotations: tuple[Annotation, ...]
    negatives_lps_mm: NDArray[np.float64]


def read_annotated_scan(scan: WholeScan) -> AnnotatedScan:
    """Read a scan and what was marked in it, nothing where nobody read it.

    Raises
    ------
    DicomSeriesError, GeometryError, InputError : from reading either.
    """
    study = read_study(scan)
    return AnnotatedScan(
        scan=scan,
        study=study,
        annotations=annotations_in(scan, study),
        negatives_lps_mm=_negatives(scan),
    )


def read_study(scan: WholeScan) -> Study:
    """Read a scan's images: of several series the one that its readings are about.

    Raises
    ------
    DicomSeriesError, GeometryError, InputError : from reading.
    """
    if scan.readings is None or _is_table(scan.readings) or not scan.path.is_dir():
        return read_ct(scan.path)
    readings = read_lidc_xml(scan.readings)
    return read_ct(scan.path, series_uid=readings.series_instance_uid or None)


def annotations_in(scan: WholeScan, study: Study) -> tuple[Annotation, ...]:
    """Return what was marked in a scan, the outlined nodules first.

    Parameters
    ----------
    study : its images, as :func:`read_study` gives them.

    Raises
    ------
    InputError : from reading what was marked, or for readings of another series.
    """
    return (*_read(scan, study), *_excluded(scan))


def _read(scan: WholeScan, study: Study) -> tuple[Annotation, ...]:
    if scan.readings is None:
        return ()
    if _is_table(scan.readings):
        return _luna16(scan.readings, scan.patient, kind="outlined", readers=CERTAIN_READERS)
    readings = read_lidc_xml(scan.readings)
    return (*map(_outlined, nodules_on(study, readings)), *_points(study, readings))


def _excluded(scan: WholeScan) -> tuple[Annotation, ...]:
    if scan.excluded is None:
        return ()
    return _luna16(scan.excluded, scan.patient, kind="excluded", readers=0)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _outlined(nodule: LidcNodule) -> Annotation:
    return Annotation(
        kind="outlined",
        center_lps_mm=nodule.center_lps_mm,
        measured_mm=sphere_diameter_mm(nodule.volume_mm3()) or None,
        readers=nodule.agreement,
    )


def _points(study: Study, readings: LidcReadings) -> tuple[Annotation, ...]:
    kinds: dict[AnnotationKind, tuple[PointMark, ...]] = {
        "small": readings.small_nodules,
        "rejected": readings.non_nodules,
    }
    return tuple(
        Annotation(
            kind=kind, center_lps_mm=position_lps_mm(study, mark), measured_mm=None, readers=0
        )
        for kind, marks in kinds.items()
        for mark in marks
    )


def _luna16(
    table: Path, series_uid: str, *, kind: AnnotationKind, readers: int
) -> tuple[Annotation, ...]:
    return tuple(
        Annotation(
            kind=kind,
            center_lps_mm=finding.center_lps_mm,
            measured_mm=finding.diameter_mm,
            readers=readers,
        )
        for finding in findings_by_series(table).get(series_uid, ())
    )


def _negatives(scan: WholeScan) -> NDArray[np.float64]:
    if scan.candidates is None:
        return np.empty((0, 3))
    return negatives_by_series(scan.candidates).get(scan.patient, np.empty((0, 3)))
