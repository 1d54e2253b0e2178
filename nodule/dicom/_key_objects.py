"""The images to look at, as a DICOM Key Object Selection."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument

from nodule.dicom import codes as code
from nodule.dicom._instance import constructor_arguments, settle
from nodule.dicom._key_image import KeyImages
from nodule.dicom.document_state import DocumentState
from nodule.dicom.readers import device
from nodule.dicom.source import character_set, quiet_dicom, source_headers
from nodule.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.report.model import Report

SERIES_NUMBER = 9704


def build_key_objects(
    report: Report,
    *,
    source: SeriesSource,
    pseudonyms: Pseudonyms | None,
    earlier: Path | None,
    made_at: datetime,
) -> KeyObjectSelectionDocument:
    """Return a selection of the image of each active finding, in their order, each once.

    Parameters
    ----------
    report : with at least one active finding.
    source : the series that was read.
    pseudonyms : with which the report was deidentified; None where it was not.
    earlier : as :func:`nodule.dicom._instance.settle`.
    made_at : when it is written.

    Raises
    ------
    InputError, DicomSeriesError : as :func:`nodule.dicom.source.source_headers`.
    """
    headers = source_headers(source, pseudonyms=pseudonyms)
    images = KeyImages(source, headers)
    state = DocumentState.of(report)
    shown = {
        str(header.SOPInstanceUID): header
        for header in (images.header(each.nodule) for each in report.active)
    }
    names = ", ".join(each.nodule.id for each in report.active)
    with quiet_dicom():
        document = KeyObjectSelectionDocument(
            evidence=list(shown.values()),
            content=KeyObjectSelection(
                document_title=code.KEY_OBJECTS,
                referenced_objects=list(shown.values()),
                observer_device_context=device(report.provenance),
                description=f"{state.words}: {names}",
            ),
            **constructor_arguments(
                report.provenance, state, series_number=SERIES_NUMBER, made_at=made_at
            ),
        )
        document.SpecificCharacterSet = character_set(str(headers[0].get("PatientName", "")))
        settle(document, headers[0], earlier=earlier)
    return document
