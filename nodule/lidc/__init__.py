"""LIDC-IDRI and LUNA16: what their readers marked, and scans as users lay them out."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.lidc._consensus import LidcNodule, nodules_on, position_lps_mm
    from nodule.lidc._luna16 import (
        CERTAIN_READERS,
        UNMEASURED_DIAMETER_MM,
        LunaFinding,
        LunaMark,
        findings_by_series,
        negatives_by_series,
        read_findings,
        read_series_uids,
        read_submission,
        write_submission,
    )
    from nodule.lidc._readings import holds_ct_readings
    from nodule.lidc._texture import texture_class
    from nodule.lidc._whole_scans import (
        WholeScan,
        dicom_folders,
        find_scans,
        fold_of,
        training_scans,
    )
    from nodule.lidc._xml import CHARACTERISTICS, LidcReadings, PointMark, read_lidc_xml

__all__ = [
    "CERTAIN_READERS",
    "CHARACTERISTICS",
    "UNMEASURED_DIAMETER_MM",
    "LidcNodule",
    "LidcReadings",
    "LunaFinding",
    "LunaMark",
    "PointMark",
    "WholeScan",
    "dicom_folders",
    "find_scans",
    "findings_by_series",
    "fold_of",
    "holds_ct_readings",
    "negatives_by_series",
    "nodules_on",
    "position_lps_mm",
    "read_findings",
    "read_lidc_xml",
    "read_series_uids",
    "read_submission",
    "texture_class",
    "training_scans",
    "write_submission",
]

_HOMES = {
    "CERTAIN_READERS": "_luna16",
    "CHARACTERISTICS": "_xml",
    "LidcNodule": "_consensus",
    "LidcReadings": "_xml",
    "LunaFinding": "_luna16",
    "LunaMark": "_luna16",
    "PointMark": "_xml",
    "UNMEASURED_DIAMETER_MM": "_luna16",
    "WholeScan": "_whole_scans",
    "dicom_folders": "_whole_scans",
    "find_scans": "_whole_scans",
    "findings_by_series": "_luna16",
    "fold_of": "_whole_scans",
    "holds_ct_readings": "_readings",
    "negatives_by_series": "_luna16",
    "nodules_on": "_consensus",
    "position_lps_mm": "_consensus",
    "read_findings": "_luna16",
    "read_lidc_xml": "_xml",
    "read_series_uids": "_luna16",
    "read_submission": "_luna16",
    "texture_class": "_texture",
    "training_scans": "_whole_scans",
    "write_submission": "_luna16",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
