"""Who was scanned, as a DICOM file says."""

from __future__ import annotations

import hashlib

from pydicom.dataset import Dataset

from nodule.ct._containers import Member
from nodule.ct.dicom import attributes
from nodule.ct.dicom._dicom_file import parse_file, quiet_pydicom
from nodule.study import PatientHeader

IDENTIFYING_KEYWORDS = ("PatientID", "PatientName", "PatientBirthDate")
_PATIENT_KEYWORDS = {
    "patient_name": "PatientName",
    "patient_id": "PatientID",
    "birth_date": "PatientBirthDate",
    "sex": "PatientSex",
    "age": "PatientAge",
    "accession_number": "AccessionNumber",
    "study_date": "StudyDate",
    "study_description": "StudyDescription",
    "institution": "InstitutionName",
}


def read_patient(member: Member) -> PatientHeader:
    """Read who was scanned, names in the file's own character set; what is malformed is None.

    Raises
    ------
    DicomSeriesError : as :func:`nodule.ct.dicom.parse_file`.
    """
    with quiet_pydicom():
        parsed = parse_file(member, ("SpecificCharacterSet", *_PATIENT_KEYWORDS.values()))
        found = {
            f: attributes.stated(parsed.dataset, k, attributes.text)
            for f, k in _PATIENT_KEYWORDS.items()
        }
    return PatientHeader(**found)


def patient_digest(dataset: Dataset) -> str:
    """Return a sha256 that tells two patients apart and names neither."""
    stated = [
        (attributes.stated(dataset, keyword, attributes.text) or "").upper()
        for keyword in IDENTIFYING_KEYWORDS
    ]
    return hashlib.sha256("\0".join(stated).upper().encode()).hexdigest()
