"""Whole scans as training regions, with what their readers marked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from nodule.ct import read_ct
from nodule.geometry import Vector, as_vector
from nodule.lidc.consensus import nodules_on, position_lps_mm
from nodule.lidc.luna16 import findings_by_series, negatives_by_series
from nodule.lidc.xml import read_lidc_xml
from nodule.sphere import sphere_diameter_mm
from nodule.training.region import CERTAIN_READERS, Lesion, Region, scan_region

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nodule.lidc.whole_scans import WholeScan
    from nodule.lidc.xml import LidcReadings
    from nodule.study import Study

_POINT_MARK_MM = 10.0  # LUNA16's diameter for findings without one
_IGNORED_MARGIN_MM = 8.0


def load_scan(scan: WholeScan) -> Region:
    """Read a scan, and what was marked in it.

    Nodules that three readers and more outlined are lesions, as LIDC's readers outline what they
    hold for 3 mm and more, however small the sphere of their consensus is. What fewer outlined,
    what has no consensus, and what was marked by a point, as smaller or as no nodule, is ignored.
    Of LUNA16 the first are in ``annotations.csv``, the others in ``annotations_excluded.csv``, and
    the candidates of class 0 are the places that look like a nodule and are none.

    Raises
    ------
    DicomSeriesError, GeometryError, InputError : from reading either.
    """
    readings = read_lidc_xml(scan.readings) if _is_xml(scan.readings) else None
    study = _read(scan.path, readings)
    lesions, ignored = _luna16_marks(study, scan) if readings is None else _marks(study, readings)
    region = scan_region(
        study.volume.array_zyx,
        spacing_zyx_mm=study.volume.geometry.spacing_zyx_mm,
        lesions=tuple(lesions),
        ignored=tuple(ignored),
    )
    return replace(region, hard_mm=_luna16_negatives(study, scan))


def _is_xml(path: Path | None) -> TypeGuard[Path]:
    return path is not None and path.suffix.lower() == ".xml"


def _read(path: Path, readings: LidcReadings | None) -> Study:
    if readings is None or not path.is_dir():
        return read_ct(path)
    return read_ct(path, series_uid=readings.series_instance_uid or None)


def _marks(study: Study, readings: LidcReadings) -> tuple[list[Lesion], list[Lesion]]:
    lesions, ignored = [], []
    for nodule in nodules_on(study, readings):
        diameter_mm = sphere_diameter_mm(nodule.volume_mm3())
        center = _index_mm(study, nodule.center_lps_mm)
        if nodule.agreement >= CERTAIN_READERS and diameter_mm > 0:
            lesions.append(Lesion(center_mm=center, diameter_mm=diameter_mm))
        else:
            ignored.append(Lesion(center_mm=center, diameter_mm=diameter_mm + _IGNORED_MARGIN_MM))
    for mark in (*readings.small_nodules, *readings.non_nodules):
        center = _index_mm(study, position_lps_mm(study, mark))
        ignored.append(Lesion(center_mm=center, diameter_mm=_POINT_MARK_MM))
    return lesions, ignored


def _luna16_marks(study: Study, scan: WholeScan) -> tuple[list[Lesion], list[Lesion]]:
    return (
        _luna16_lesions(study, scan.readings, scan.patient),
        _luna16_lesions(study, scan.excluded, scan.patient, margin_mm=_IGNORED_MARGIN_MM),
    )


def _luna16_lesions(
    study: Study, table: Path | None, series_uid: str, *, margin_mm: float = 0.0
) -> list[Lesion]:
    findings = () if table is None else findings_by_series(table).get(series_uid, ())
    return [
        Lesion(
            center_mm=_index_mm(study, finding.center_lps_mm),
            diameter_mm=(
                finding.diameter_mm + margin_mm if finding.diameter_mm else _POINT_MARK_MM
            ),
        )
        for finding in findings
    ]


def _luna16_negatives(study: Study, scan: WholeScan) -> NDArray[np.float64]:
    if scan.candidates is None:
        return np.empty((0, 3))
    places = negatives_by_series(scan.candidates).get(scan.patient, np.empty((0, 3)))
    geometry = study.volume.geometry
    index = geometry.lps_to_index(places)
    return np.asarray(index * np.asarray(geometry.spacing_zyx_mm), dtype=np.float64)


def _index_mm(study: Study, lps_mm: Vector) -> Vector:
    geometry = study.volume.geometry
    return as_vector(geometry.lps_to_index(lps_mm) * np.asarray(geometry.spacing_zyx_mm))
