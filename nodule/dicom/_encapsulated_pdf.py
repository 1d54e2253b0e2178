"""The printed page of a report as a DICOM Encapsulated PDF."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from nodule.dicom._instance import constructor_arguments, settle
from nodule.dicom.document_state import DocumentState
from nodule.dicom.source import STUDY_KEYWORDS, quiet_dicom, source_headers
from nodule.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.report.model import Report

SERIES_NUMBER = 9703
_TITLE = "Lung nodules on chest CT"


def build_encapsulated_pdf(
    report: Report,
    pdf: bytes,
    *,
    source: SeriesSource,
    pseudonyms: Pseudonyms | None,
    made_at: datetime,
) -> Dataset:
    """Return a printed page as an object of the study (PS3.3 A.45.1).

    Parameters
    ----------
    report : what the page says.
    pdf : the page.
    source : the series that was read.
    pseudonyms : with which the report was deidentified; None where it was not.
    made_at : when it is written.

    Raises
    ------
    InputError, DicomSeriesError : as :func:`nodule.dicom.source.source_headers`.
    """
    header = source_headers(source, pseudonyms=pseudonyms)[0]
    state = DocumentState.of(report)
    about = constructor_arguments(
        report.provenance, state, series_number=SERIES_NUMBER, made_at=made_at
    )
    document = Dataset()
    document.file_meta = FileMetaDataset()
    document.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    document.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    with quiet_dicom():
        for keyword in STUDY_KEYWORDS:
            if keyword in header:
                document[keyword] = header[keyword]
        document.SOPClassUID = EncapsulatedPDFStorage
        document.SOPInstanceUID = about.pop("sop_instance_uid")
        document.SeriesInstanceUID = about.pop("series_instance_uid")
        for name, value in about.items():
            setattr(document, _keyword(name), value)
        document.Modality = "DOC"
        document.ConversionType = "WSD"
        document.BurnedInAnnotation = "YES"  # the page names the patient
        document.AcquisitionDateTime = None
        document.DocumentTitle = _TITLE
        document.ConceptNameCodeSequence = []
        document.VerificationFlag = "UNVERIFIED" if state.verification is None else "VERIFIED"
        document.MIMETypeOfEncapsulatedDocument = "application/pdf"
        document.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
        document.EncapsulatedDocumentLength = len(pdf)
        settle(document, header)
    return document


def _keyword(argument: str) -> str:
    """Return the attribute that an argument of highdicom's fills."""
    return "".join(word.capitalize() for word in argument.split("_"))
