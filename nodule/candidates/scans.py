"""Whole scans as training regions, with what their readers marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nodule.candidates.material import CERTAIN_READERS, Lesion, Region, scan_region
from nodule.ct.read import read_ct
from nodule.geometry import Vector, as_vector
from nodule.lidc.consensus import nodules_on, position_lps_mm
from nodule.lidc.scans import READINGS
from nodule.lidc.xml import read_lidc_xml

if TYPE_CHECKING:
    from pathlib import Path

    from nodule.study import Study

_POINT_MARK_MM = 10.0  # LUNA16's diameter for findings without one
_IGNORED_MARGIN_MM = 8.0


def load_scan(path: Path) -> Region:
    """Read a scan, and its readers' XML where the folder has one.

    Nodules by three readers and more are lesions; what fewer marked, what is smaller than 3 mm
    and what was judged no nodule is ignored.

    Raises
    ------
    DicomSeriesError, GeometryError, InputError : from reading either.
    """
    study = read_ct(path)
    lesions, ignored = _marked(study, path / READINGS)
    return scan_region(
        study.volume.array_zyx,
        spacing_zyx_mm=study.volume.geometry.spacing_zyx_mm,
        lesions=lesions,
        ignored=ignored,
    )


def _marked(study: Study, xml: Path) -> tuple[tuple[Lesion, ...], tuple[Lesion, ...]]:
    if not xml.is_file():
        return (), ()
    readings = read_lidc_xml(xml)
    lesions, ignored = [], []
    for nodule in nodules_on(study, readings):
        diameter_mm = float((6 * nodule.volume_mm3() / np.pi) ** (1 / 3))
        center = _index_mm(study, nodule.center_lps_mm)
        if nodule.agreement >= CERTAIN_READERS and diameter_mm > 0:
            lesions.append(Lesion(center_mm=center, diameter_mm=diameter_mm))
        else:
            ignored.append(Lesion(center_mm=center, diameter_mm=diameter_mm + _IGNORED_MARGIN_MM))
    for mark in (*readings.small_nodules, *readings.non_nodules):
        center = _index_mm(study, position_lps_mm(study, mark))
        ignored.append(Lesion(center_mm=center, diameter_mm=_POINT_MARK_MM))
    return tuple(lesions), tuple(ignored)


def _index_mm(study: Study, lps_mm: Vector) -> Vector:
    geometry = study.volume.geometry
    return as_vector(geometry.lps_to_index(lps_mm) * np.asarray(geometry.spacing_zyx_mm))
