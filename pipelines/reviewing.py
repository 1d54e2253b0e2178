"""What readers decided about a report that was written: applied to it, or turned into labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nodule.errors import InputError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from nodule.advice.context import Context
    from nodule.ct import SeriesSource
    from nodule.masks import NoduleMask
    from nodule.pseudonyms import Pseudonyms
    from nodule.report import Report
    from nodule.review.training_labels import Labels
    from nodule.saliency import SaliencyMap
    from nodule.study import Study
    from nodule.volume import LungMask
    from pipelines.request import RunRequest


@dataclass(frozen=True, kw_only=True, eq=False)
class WrittenReport:
    """A report, what was written beside it, and the images from which it was made.

    Parameters
    ----------
    report : as it was read.
    series, study : the images; of a deidentified report the study has its pseudonyms.
    lungs : on the 1 mm grid.
    masks : of the report's findings, by their ids.
    saliency_maps : of some of them, where the run asked for maps.
    pseudonyms : with which the report was deidentified; None where it was not.
    """

    report: Report
    series: SeriesSource
    study: Study
    lungs: LungMask
    masks: Mapping[str, NoduleMask]
    saliency_maps: tuple[SaliencyMap, ...]
    pseudonyms: Pseudonyms | None = None

    @classmethod
    def open(
        cls, report_json: Path, *, images: Path, pseudonym_key: Path | None = None
    ) -> WrittenReport:
        """Read a report with the files beside it, and its images.

        Parameters
        ----------
        report_json : the report.
        images : what :func:`nodule.ct.inventory` takes.
        pseudonym_key : with which the report was deidentified, where it was; None for the user's.

        Raises
        ------
        InputError : ``OTHER_IMAGES`` for images of another report, ``BAD_REPORT``, ``NO_LUNGS``,
            ``NO_MASKS``, ``FOREIGN_MASKS``, ``BAD_SALIENCY``, ``FOREIGN_SALIENCY``, or as
            :func:`nodule.ct.inventory`.
        """
        from nodule.ct import read_source
        from nodule.outputs import read_lungs, read_masks
        from nodule.report.deidentified import deidentified_study
        from nodule.result_files import LUNGS_NAME, NODULES_NAME
        from nodule.review.review_file import read_report
        from nodule.saliency_files import SALIENCY_FOLDER, read_saliency_maps

        report = read_report(report_json)
        pseudonyms = pseudonyms_in(report, pseudonym_key)
        series = series_of(report, images, pseudonyms=pseudonyms)
        lungs = read_lungs(report_json.with_name(LUNGS_NAME))
        study = read_source(series)
        if pseudonyms is not None:
            study = deidentified_study(study, pseudonyms)
        masks = read_masks(report_json.with_name(NODULES_NAME), report=report, study=study)
        return cls(
            report=report,
            series=series,
            study=study,
            lungs=lungs,
            masks=masks,
            saliency_maps=read_saliency_maps(
                report_json.with_name(SALIENCY_FOLDER),
                input_sha256=report.provenance.input_sha256,
            ),
            pseudonyms=pseudonyms,
        )


def series_of(
    report: Report, images: Path, *, pseudonyms: Pseudonyms | None = None
) -> SeriesSource:
    """Return the series of a report, and no other.

    Parameters
    ----------
    report : with or without identifiers.
    images : what :func:`nodule.ct.inventory` takes.
    pseudonyms : with which the report was deidentified; None where it was not.

    Raises
    ------
    InputError : ``OTHER_IMAGES``, or as :func:`nodule.ct.inventory`.
    """
    from nodule.ct import inventory

    found, wanted = inventory(images), report.study.series.series_instance_uid
    if pseudonyms is not None and wanted is not None:
        known = [each.uid for each in found.series if each.uid is not None]
        wanted = next((uid for uid in known if pseudonyms.uid(uid) == wanted), None)
    series = found.choose(wanted)
    digest = series.digest if pseudonyms is None else pseudonyms.digest(series.digest)
    if digest != report.provenance.input_sha256:
        raise InputError(
            "these are not the images of the report",
            code="OTHER_IMAGES",
            expected=report.provenance.input_sha256,
            got=digest,
            hint="Give the study from which the report was made."
            if pseudonyms is None
            else "Give the study from which the report was made, and the key of its pseudonyms.",
        )
    return series


def pseudonyms_in(report: Report, key: Path | None) -> Pseudonyms | None:
    """Return a deidentified report's pseudonyms, None for another; raises as `pseudonyms_of`."""
    from pipelines.request import pseudonyms_of

    return None if report.deidentification is None else pseudonyms_of(key)


def review_report(
    report_json: Path, review_json: Path, request: RunRequest, *, out: Path
) -> Report:
    """Apply a reader's review to a report, and write the reviewed report.

    Parameters
    ----------
    report_json : the report that was read, beside its other files.
    review_json : as the page has saved it.
    request : the study, what is stated about the person now, and what is to be written. What is
        not stated again is the report's.
    out : folder of the reviewed report. That of a deidentified report is deidentified, too.

    Returns
    -------
    The reviewed report.

    Raises
    ------
    NoduleError : as :meth:`WrittenReport.open`, :func:`pipelines.process.refuse_in_vain`,
        :func:`nodule.review.apply.apply_review`, :func:`nodule.dicom.read_predecessor` and
        :func:`nodule.outputs.write_report_files`.
    """
    from nodule.outputs import DicomResults, write_report_files
    from nodule.review.apply import apply_review
    from nodule.review.review_file import read_review
    from nodule.whole_folders import draft_beside
    from pipelines.process import refuse_in_vain

    review = read_review(review_json)
    with draft_beside(out):
        pass  # a folder that cannot be written is refused before the work
    (images,) = map(Path, request.studies)
    before = WrittenReport.open(report_json, images=images, pseudonym_key=request.pseudonym_key)
    refuse_in_vain(before.series, request)
    after = apply_review(
        before.report,
        review,
        study=before.study,
        lungs=before.lungs,
        masks=before.masks,
        context=restated(before.report.context, request),
    )
    dicom = None
    if request.dicom_wanted is not None:
        dicom = DicomResults(
            source=before.series,
            options=request.dicom_wanted,
            predecessor=_predecessor(report_json, before, request),
        )
    explained = {each.nodule.id for each in after.report.active} - after.moved
    write_report_files(
        after.report,
        study=before.study,
        lungs=before.lungs,
        masks=after.masks,
        folder=out,
        dicom=dicom,
        fhir=request.fhir,
        pdf=request.pdf,
        viewer=request.viewer,
        saliency_maps=[each for each in before.saliency_maps if each.finding_id in explained],
        pseudonyms=before.pseudonyms or request.pseudonyms,
    )
    return after.report


def _predecessor(report_json: Path, before: WrittenReport, request: RunRequest) -> Dataset | None:
    """Return the document of the report that was read; None too where it would identify a person.

    That of a report with identifiers cannot be named in one without.
    """
    from nodule.dicom import read_predecessor
    from nodule.result_files import SR_NAME

    if before.pseudonyms is None and request.pseudonyms is not None:
        return None
    return read_predecessor(report_json.with_name(SR_NAME), report=before.report)


def restated(before: Context, request: RunRequest) -> Context:
    """Return what is known about the person after a review.

    Parameters
    ----------
    before : what the report states.
    request : a person file replaces all facts, an option its own.

    Raises
    ------
    InputError : as :func:`nodule.advice.context.read_context`.
    """
    from nodule.advice.context import read_context

    setting = request.setting or before.setting
    indication = request.indication or before.indication
    if request.person is not None:
        return read_context(request.person, setting=setting, indication=indication)
    return before.model_copy(update={"setting": setting, "indication": indication})


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledStudy:
    """What reviews of one report became in a crop set.

    Parameters
    ----------
    patient : the pseudonym under which the crop set holds the person.
    labels : what was written, and what was left out.
    """

    patient: str
    labels: Labels


def label_reviews(
    report_json: Path,
    review_jsons: Sequence[Path],
    *,
    images: Path,
    folder: Path,
    count_as: int,
    margin_mm: float,
    pseudonym_key: Path | None = None,
) -> LabelledStudy:
    """Write what readers decided about a report into a crop set, in place of what it held of it.

    Parameters
    ----------
    report_json : the report that was read, beside its other files.
    review_jsons : as the page has saved them, one for each reader.
    images : what :func:`nodule.ct.inventory` takes.
    folder : of the crop set, which may hold other studies.
    pseudonym_key : as :meth:`WrittenReport.open`.
    count_as, margin_mm : as :func:`nodule.review.training_labels.review_labels`.

    Raises
    ------
    NoduleError : as :meth:`WrittenReport.open` and `review_labels`.
    """
    from nodule.review.resegment import Resegmenter, growth_rules
    from nodule.review.review_file import read_review
    from nodule.review.training_labels import pseudonym, review_labels, write_labels

    written = WrittenReport.open(report_json, images=images, pseudonym_key=pseudonym_key)
    report, study = written.report, written.study
    labels = review_labels(
        report,
        [read_review(path) for path in review_jsons],
        masks=written.masks,
        segmenter=Resegmenter(study=study, lungs=written.lungs, rules=growth_rules(report)),
        count_as=count_as,
        margin_mm=margin_mm,
    )
    patient = pseudonym(report)
    write_labels(labels, folder=folder, study=study, patient_id=patient)
    return LabelledStudy(patient=patient, labels=labels)
