"""LIDC-IDRI and LUNA16: what their readers marked, and scans as users lay them out."""

from nodule.lidc._consensus import LidcNodule, nodules_on, position_lps_mm
from nodule.lidc._dicom_folders import dicom_folders, holds_dicom
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
from nodule.lidc._readings import holds_ct_readings, xml_files
from nodule.lidc._texture import texture_class
from nodule.lidc._whole_scans import (
    WholeScan,
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
    "holds_dicom",
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
    "xml_files",
]
