"""A report's DICOM files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from nodule.dicom._encapsulated_pdf import build_encapsulated_pdf
from nodule.dicom._instance import save
from nodule.dicom._key_objects import build_key_objects
from nodule.dicom._segmentation import build_segmentation
from nodule.dicom._structured_report import write_dicom_sr
from nodule.dicom.dates import writing_time
from nodule.dicom.options import DicomOptions
from nodule.dicom.source import quiet_dicom
from nodule.errors import InputError
from nodule.pseudonyms import Pseudonyms
from nodule.result_files import KEY_OBJECTS_NAME, PDF_OBJECT_NAME, SEG_NAME, SR_NAME
from nodule.volume import LungMask

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.masks import NoduleMask
    from nodule.report.model import Report


def write_dicom(
    report: Report,
    *,
    masks: Mapping[str, NoduleMask],
    lungs: LungMask,
    source: SeriesSource,
    folder: Path,
    options: DicomOptions | None = None,
    pseudonyms: Pseudonyms | None = None,
    predecessor: Dataset | None = None,
    earlier: Path | None = None,
    made_at: datetime | None = None,
) -> tuple[Path, ...]:
    """Write ``seg.dcm``, ``sr.dcm``, which refers to it, and where asked ``key.dcm``.

    Without any mask there is no ``seg.dcm``, and without a finding no ``key.dcm``.

    Parameters
    ----------
    report : what to say.
    masks, lungs, source : as :func:`nodule.dicom._segmentation.build_segmentation`.
    folder : made where it is missing; files of the same names are replaced.
    options : by default none of them.
    pseudonyms : with which the report was deidentified; None where it was not.
    predecessor : as :func:`nodule.dicom._structured_report.build_sr`.
    earlier : folder with files of an earlier run; those that say the same stay as they are.
    made_at : when they are written; None for now.

    Returns
    -------
    The files, in the order in which they were written.

    Raises
    ------
    InputError, DicomSeriesError, UsageError : as
        :func:`nodule.dicom._segmentation.build_segmentation`.
    """
    asked = options or DicomOptions()
    when = made_at or writing_time()
    written: list[Path] = []
    segmentation = None
    if masks or (asked.lungs and lungs.labels_zyx.any()):
        segmentation = build_segmentation(
            report,
            masks=masks,
            lungs=lungs if asked.lungs else None,
            source=source,
            pseudonyms=pseudonyms,
            deflated=asked.deflated,
            earlier=None if earlier is None else earlier / SEG_NAME,
            made_at=when,
        )
        written.append(save(segmentation, folder / SEG_NAME))
    written.append(
        write_dicom_sr(
            report,
            source=source,
            segmentation=segmentation,
            folder=folder,
            pseudonyms=pseudonyms,
            predecessor=predecessor,
            earlier=None if earlier is None else earlier / SR_NAME,
            made_at=when,
        )
    )
    if asked.key_objects and report.active:
        selection = build_key_objects(
            report,
            source=source,
            pseudonyms=pseudonyms,
            earlier=None if earlier is None else earlier / KEY_OBJECTS_NAME,
            made_at=when,
        )
        written.append(save(selection, folder / KEY_OBJECTS_NAME))
    return tuple(written)


def write_pdf_object(
    report: Report,
    pdf: Path,
    *,
    source: SeriesSource,
    pseudonyms: Pseudonyms | None = None,
    made_at: datetime | None = None,
) -> Path:
    """Write ``pdf.dcm`` beside a printed page: the same page for a PACS.

    Parameters
    ----------
    report : what the page says.
    pdf : the page.
    source : the series that was read.
    pseudonyms : with which the report was deidentified; None where it was not.
    made_at : when it is written; None for now.

    Raises
    ------
    InputError, DicomSeriesError, UsageError : as
        :func:`nodule.dicom._segmentation.build_segmentation`.
    """
    encapsulated = build_encapsulated_pdf(
        report,
        pdf.read_bytes(),
        source=source,
        pseudonyms=pseudonyms,
        made_at=made_at or writing_time(),
    )
    return save(encapsulated, pdf.with_name(PDF_OBJECT_NAME))


def read_predecessor(path: Path, *, report: Report) -> Dataset | None:
    """Return the header of the document that was written of a report, None where there is none.

    Parameters
    ----------
    path : ``sr.dcm`` beside the report.
    report : whose document it is.

    Raises
    ------
    InputError : ``FOREIGN_SR`` for a file that is no document of the report's study.
    """
    if not path.is_file():
        return None
    keywords = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    try:
        with quiet_dicom():
            header = pydicom.dcmread(path, specific_tags=[*keywords, "Modality"])
            uids = {keyword: str(header[keyword].value) for keyword in keywords}
            foreign = header.Modality != "SR"
    except (InvalidDicomError, KeyError, AttributeError, EOFError, ValueError):
        uids, foreign = {}, True
    if foreign or uids["StudyInstanceUID"] != report.study.series.study_instance_uid:
        raise InputError(
            f"{path.name} beside the report is no document of its study",
            code="FOREIGN_SR",
            hint="Keep a report's files together, or remove that file.",
        )
    predecessor = Dataset()
    for keyword, uid in uids.items():
        setattr(predecessor, keyword, uid)
    return predecessor
