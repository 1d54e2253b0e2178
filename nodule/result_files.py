"""Names of a report's files."""

from __future__ import annotations

import re

from nodule.saliency_files import SALIENCY_FOLDER, is_saliency_file

COMPARISON_NAME = "comparison.csv"
FHIR_NAME = "fhir.json"
FINDINGS_NAME = "findings.csv"
KEY_OBJECTS_NAME = "key.dcm"
LUNGS_NAME = "lungs.nii.gz"
MANAGEMENT_NAME = "management.csv"
MANIFEST_NAME = "manifest.json"
NODULES_NAME = "nodules.nii.gz"
PAGE_NAME = "report.html"
PDF_NAME = "report.pdf"
PDF_OBJECT_NAME = "pdf.dcm"
REPORT_NAME = "report.json"
SEG_NAME = "seg.dcm"
SR_NAME = "sr.dcm"

RESULT_NAMES = frozenset(
    {
        *(PAGE_NAME, REPORT_NAME, PDF_NAME, SEG_NAME, SR_NAME, LUNGS_NAME, NODULES_NAME),
        *(PDF_OBJECT_NAME, KEY_OBJECTS_NAME, FHIR_NAME),
        *(FINDINGS_NAME, MANAGEMENT_NAME, COMPARISON_NAME, MANIFEST_NAME),
    }
)
_PARTIAL = re.compile(r"\.(.+)\.(partial|\d+)")  # left by a killed process


def is_result(path: str) -> bool:
    """Whether a file or folder is a report's, or what a killed process left of one.

    A new report replaces or removes it; others are left alone.

    Parameters
    ----------
    path : below the report's folder, with slashes.
    """
    folder, _, name = path.rpartition("/")
    partial = _PARTIAL.fullmatch(name)
    whole = partial[1] if partial else name
    if folder:
        return folder == SALIENCY_FOLDER and is_saliency_file(whole)
    return whole in RESULT_NAMES or path == SALIENCY_FOLDER
