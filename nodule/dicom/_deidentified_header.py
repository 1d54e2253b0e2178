"""The source's header without identifiers, as DICOM PS3.15 annex E wants it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pydicom.dataset import Dataset

from nodule.ct import SeriesSource
from nodule.ct.dicom import ImageHeader
from nodule.pseudonyms import Pseudonyms
from nodule.report.deidentified import DEIDENTIFICATION, deidentified_patient

# by the table E.1-1: what is removed, emptied, and replaced where it stands
_REMOVED = (
    "IssuerOfPatientID",
    "PatientAge",
    "StudyDescription",
    "SeriesDate",
    "SeriesTime",
)
_EMPTIED = (
    "PatientBirthDate",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
)
_REPLACED = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_CODES = {  # CID 7050
    "Basic Application Confidentiality Profile": "113100",
    "Retain Patient Characteristics Option": "113108",
}


def deidentify_header(shared: Dataset, source: SeriesSource, pseudonyms: Pseudonyms) -> None:
    """Remove, empty or replace, in place, what all images of a series share.

    Parameters
    ----------
    shared : patient, study and series.
    source : the series, for what the patient is called and how old.
    """
    patient = deidentified_patient(
        source.patient,
        pseudonyms,
        study_uid=str(shared.StudyInstanceUID),
        digest=source.digest,
    )
    for keyword in _REMOVED:
        shared.pop(keyword, None)
    for keyword in _EMPTIED:
        if keyword in shared:
            setattr(shared, keyword, None)
    for keyword in _REPLACED:
        setattr(shared, keyword, pseudonyms.uid(str(shared[keyword].value)))
    shared.SpecificCharacterSet = "ISO_IR 100"
    shared.PatientName = shared.PatientID = patient.patient_id
    shared.PatientSex = patient.sex
    if patient.age is not None:
        shared.PatientAge = patient.age
    _state_method(shared)


def with_pseudonyms(
    images: Iterable[ImageHeader], pseudonyms: Pseudonyms
) -> tuple[ImageHeader, ...]:
    """Return images under pseudonyms."""
    return tuple(
        replace(image, sop_instance_uid=pseudonyms.uid(str(image.sop_instance_uid)))
        for image in images
    )


def _state_method(shared: Dataset) -> None:
    names = (DEIDENTIFICATION.profile, *DEIDENTIFICATION.options)
    shared.PatientIdentityRemoved = "YES"
    shared.DeidentificationMethod = [f"PS3.15 {name}" for name in names]
    shared.DeidentificationMethodCodeSequence = [_code(name) for name in names]
    shared.LongitudinalTemporalInformationModified = "REMOVED"


def _code(name: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = _CODES[name], "DCM", name
    return item
