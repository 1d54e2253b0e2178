"""A report as a DICOM Comprehensive 3D SR: TID 1500, a group a finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from nodule.dicom import codes as code
from nodule.dicom._instance import (
    constructor_arguments,
    device_uid,
    save,
    settle,
)
from nodule.dicom._key_image import KeyImages
from nodule.dicom._measurement_groups import MeasurementGroups
from nodule.dicom.dates import dicom_time, writing_time
from nodule.dicom.document_state import DocumentState
from nodule.dicom.readers import device, person, readers_of
from nodule.dicom.source import character_set, quiet_dicom, source_headers
from nodule.pseudonyms import Pseudonyms
from nodule.report.software import PRODUCT
from nodule.result_files import SR_NAME

if TYPE_CHECKING:
    from highdicom.seg import Segmentation

    from nodule.ct import SeriesSource
    from nodule.report.model import Report

SERIES_NUMBER = 9702

_CONTAINS = sr.RelationshipTypeValues.CONTAINS


def write_dicom_sr(
    report: Report,
    *,
    source: SeriesSource,
    segmentation: Segmentation | None,
    folder: Path,
    pseudonyms: Pseudonyms | None = None,
    predecessor: Dataset | None = None,
    earlier: Path | None = None,
    made_at: datetime | None = None,
) -> Path:
    """Write ``sr.dcm``; parameters and errors as :func:`build_sr`."""
    document = build_sr(
        report,
        source=source,
        segmentation=segmentation,
        pseudonyms=pseudonyms,
        predecessor=predecessor,
        earlier=earlier,
        made_at=made_at,
    )
    return save(document, folder / SR_NAME)


def build_sr(
    report: Report,
    *,
    source: SeriesSource,
    segmentation: Segmentation | None,
    pseudonyms: Pseudonyms | None = None,
    predecessor: Dataset | None = None,
    earlier: Path | None = None,
    made_at: datetime | None = None,
) -> sr.Comprehensive3DSR:
    """Return a report as an SR document.

    Each finding is a group: its place on the key image and in the patient, its segment, the lobe
    that a reader states or else the lung, what was measured, how it is rated, what has become of
    it since a prior study, and what a reader decided and wrote. What a reader rejected is stated
    as absent, without sizes. What a reader added is not rated, and no malignancy is where the
    networks abstain. That no nodule was found, and a Lung-RADS category that rules gave, are
    stated of the exam. :class:`nodule.dicom.document_state.DocumentState` says what the flags
    mean. Equal input, time included, gives equal bytes.

    Parameters
    ----------
    report : what to say.
    source : the series that was read.
    segmentation : made from the same report by
        :func:`nodule.dicom._segmentation.build_segmentation`.
    pseudonyms : with which the report was deidentified; None where it was not.
    predecessor : the document of the report that was reviewed, None where there is none.
    earlier : as :func:`nodule.dicom._instance.settle`.
    made_at : when it is written; None for now.

    Raises
    ------
    InputError, DicomSeriesError : as :func:`nodule.dicom.source.source_headers`.
    UsageError : as :func:`nodule.dicom.dates.writing_time`.
    """
    headers = source_headers(source, pseudonyms=pseudonyms)
    state = DocumentState.of(report)
    with quiet_dicom():
        root = _root(report, headers, source, segmentation)
        document = sr.Comprehensive3DSR(
            evidence=[*headers, *([segmentation] if segmentation is not None else [])],
            content=root,
            coding_schemes=_private_schemes(),
            is_complete=state.complete,
            is_final=state.complete and state.verification is not None,
            previous_versions=None if predecessor is None else [predecessor],
            **constructor_arguments(
                report.provenance,
                state,
                series_number=SERIES_NUMBER,
                made_at=made_at or writing_time(),
            ),
        )
        document.CompletionFlagDescription = state.words
        document.AuthorObserverSequence = list(_authors(report))
        _verify(document, state)
        document.SpecificCharacterSet = character_set(_texts(document))
        settle(document, headers[0], earlier=earlier)
    return document


def _root(
    report: Report,
    headers: tuple[Dataset, ...],
    source: SeriesSource,
    segmentation: Segmentation | None,
) -> sr.ContainerContentItem:
    """Return TID 1500; highdicom's own would have to hold a group, which may be none."""
    root = sr.ContainerContentItem(name=code.REPORT_TITLE, template_id="1500")
    content = sr.ContentSequence()
    content.extend(sr.LanguageOfContentItemAndDescendants(sr.CodedConcept.from_code(code.LANGUAGE)))
    content.extend(device(report.provenance))
    for name in readers_of(report):
        content.extend(person(name))
    content.append(
        sr.CodeContentItem(
            name=code.PROCEDURE_REPORTED,
            value=code.CT_PROCEDURE,
            relationship_type=sr.RelationshipTypeValues.HAS_CONCEPT_MOD,
        )
    )
    shown = _key_images(report, headers)
    if shown:
        content.extend(sr.ImageLibrary(shown))
    groups = MeasurementGroups(
        report,
        images=KeyImages(source, headers),
        series_uid=headers[0].SeriesInstanceUID,
        segmentation=segmentation,
    )
    measured = [item for group in groups for item in group]
    for container, items in (
        (code.MEASUREMENTS, measured),
        (code.EVALUATIONS, list(_of_the_exam(report))),
    ):
        if items:
            content.append(_container(container, items))
    root.ContentSequence = content
    return root


def _container(name: Code, items: Sequence[sr.ContentItem]) -> sr.ContainerContentItem:
    container = sr.ContainerContentItem(name=name, relationship_type=_CONTAINS)
    container.ContentSequence = sr.ContentSequence(items)
    return container


def _of_the_exam(report: Report) -> Iterator[sr.ContentItem]:
    """State that nothing was found, the exam's category, and what limits both.

    That is a diffuse pattern, for which rules for nodules wait, and that a study is unlike those
    on which the networks' figures were measured.
    """
    if not report.active:
        absent = sr.CodeContentItem(
            name=code.SCOPES["nodule"], value=code.ABSENT, relationship_type=_CONTAINS
        )
        yield absent
    for advice in report.management.exam:
        if advice.rule_set == "Lung-RADS" and advice.answer is not None:
            category = code.lung_rads_category(advice.version, advice.answer)
            yield sr.CodeContentItem(
                name=code.LUNG_RADS, value=category, relationship_type=_CONTAINS
            )
    limits = []
    if report.diffuse is not None:
        limits.append(
            f"The pattern is diffuse: {report.diffuse.in_words}. Rules for nodules do not apply "
            "until a reader has judged it."
        )
    if report.home_ground is not None and not report.home_ground.is_home:
        limits.append(report.home_ground.statement)
    for text in limits:
        plain = text.replace("’", "'")  # else the whole document would need another character set
        yield sr.TextContentItem(name=code.COMMENT, value=plain, relationship_type=_CONTAINS)


def _key_images(report: Report, headers: tuple[Dataset, ...]) -> list[Dataset]:
    """Return the images to look at; frames of a multi-frame image cannot be named apart here."""
    wanted = {finding.nodule.image.sop_instance_uid for finding in report.active}
    return [h for h in headers if h.SOPInstanceUID in wanted and "NumberOfFrames" not in h]


def _private_schemes() -> list[CodingSchemeIdentificationItem]:
    schemes = code.PRIVATE_SCHEMES.items()
    return [CodingSchemeIdentificationItem(designator=key, name=name) for key, name in schemes]


def _authors(report: Report) -> Iterator[Dataset]:
    """Yield who created the content (PS3.3 C.17.2): the software, then the readers."""
    software = _author("DEV")
    software.DeviceUID = device_uid(report.provenance)
    software.StationName = PRODUCT
    software.Manufacturer = software.ManufacturerModelName = PRODUCT
    yield software
    for name in readers_of(report):
        reader = _author("PSN")
        reader.PersonName = name
        reader.PersonIdentificationCodeSequence = []
        yield reader


def _author(kind: str) -> Dataset:
    author = Dataset()
    author.ObserverType = kind
    author.InstitutionName = None
    author.InstitutionCodeSequence = []
    return author


def _verify(document: Dataset, state: DocumentState) -> None:
    """State who answers for the content, when somebody does."""
    if state.verification is None:
        return
    observer = Dataset()
    observer.VerifyingObserverName = state.verification.reader
    observer.VerifyingObserverIdentificationCodeSequence = []
    observer.VerifyingOrganization = state.verification.organization
    observer.VerificationDateTime = dicom_time(state.verification.at)
    document.VerifyingObserverSequence = [observer]
    document.VerificationFlag = "VERIFIED"


def _texts(document: Dataset) -> str:
    kinds = ("PN", "LO", "SH", "ST", "LT", "UT", "UC")
    return "".join(str(each.value) for each in document.iterall() if each.VR in kinds)
