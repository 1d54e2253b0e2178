"""Reports and studies without identifiers, by the Basic Profile of DICOM PS3.15 annex E.

What the profile calls X (remove) and Z (empty) is left out: names, birth date, dates and times,
accession number, institution, descriptions, and whatever somebody typed. What it calls U (UIDs) is
replaced by :class:`nodule.pseudonyms.Pseudonyms`, and so are digests, since one of content that is
otherwise known gives a name away to who tries all names. The Retain Patient Characteristics Option
keeps sex and age, which rules need; ages above 90 are given as 90.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from nodule.advice import Case, Context, age_in_years, manage
from nodule.findings import AssessedNodule
from nodule.followup import Comparison, ExamIdentity, Unmatched
from nodule.pseudonyms import Pseudonyms
from nodule.report._confidentiality import Deidentification
from nodule.report.model import Report
from nodule.report.reader_review import AppliedReview
from nodule.report.reported_nodule import ReportedNodule
from nodule.study import PatientHeader, SeriesHeader, SliceReference, Study

DEIDENTIFICATION = Deidentification()
_MOST_YEARS = 90  # older persons are few enough to be known by their age
_SEXES = ("M", "F", "O")
_NO_TIME = datetime(1900, 1, 1, tzinfo=UTC)  # plainly not that of a review
_NOT_NAMED = "given, not named"

NoduleT = TypeVar("NoduleT", bound=AssessedNodule)


def deidentified_report(report: Report, pseudonyms: Pseudonyms) -> Report:
    """Return what a report says without what identifies the person, the exam or its readers.

    A report that was deidentified before stays as it is but for what has come in since.
    """
    if report.deidentification is None:
        report = _with_pseudonyms(report, pseudonyms)
    comparison = report.comparison
    context = _plain_context(report.context)
    case = Case(
        context=context,
        patient=report.study.patient,
        slice_mm=report.study.slice_mm,
        active=report.active,
        comparison=comparison,
        disease=report.disease,
    )
    return report.model_copy(
        update={
            "context": context,
            "management": manage(case),
            "findings": tuple(map(_without_comment, report.findings)),
            "added": tuple(map(_without_comment, report.added)),
            "rejected": tuple(map(_without_comment, report.rejected)),
            "reviews": tuple(_anonymous(each, report, pseudonyms) for each in report.reviews),
            "deidentification": report.deidentification or DEIDENTIFICATION,
        }
    )


def deidentified_study(study: Study, pseudonyms: Pseudonyms) -> Study:
    """Return a study whose series and slices have pseudonyms; its origin knows who it is."""
    return replace(
        study,
        series=_series(study.series, pseudonyms),
        slices=tuple(_slice(each, pseudonyms) for each in study.slices),
    )


def deidentified_patient(
    patient: PatientHeader, pseudonyms: Pseudonyms, *, study_uid: str | None, digest: str
) -> PatientHeader:
    """Return a pseudonym, sex and age.

    Parameters
    ----------
    study_uid, digest : of the study; the first that there is stands for the person where the
        header states no PatientID.
    """
    years = age_in_years(patient)
    return PatientHeader(
        patient_id=pseudonyms.person(patient.patient_id or study_uid or digest),
        sex=patient.sex if patient.sex in _SEXES else None,
        age=None if years is None else f"{min(years, _MOST_YEARS):03d}Y",
    )


def _with_pseudonyms(report: Report, pseudonyms: Pseudonyms) -> Report:
    provenance, series = report.provenance, report.study.series
    patient = deidentified_patient(
        report.study.patient,
        pseudonyms,
        study_uid=series.study_instance_uid,
        digest=provenance.input_sha256,
    )
    study = replace(report.study, series=_series(series, pseudonyms), patient=patient)
    digest = pseudonyms.digest(provenance.input_sha256)
    comparison = report.comparison
    return report.model_copy(
        update={
            "study": study,
            "provenance": provenance.model_copy(update={"input_sha256": digest}),
            "findings": _renamed(report.findings, pseudonyms),
            "added": _renamed(report.added, pseudonyms),
            "rejected": _renamed(report.rejected, pseudonyms),
            "comparison": None if comparison is None else _comparison(comparison, pseudonyms),
        }
    )


def _series(series: SeriesHeader, pseudonyms: Pseudonyms) -> SeriesHeader:
    return replace(
        series,
        study_instance_uid=_uid(series.study_instance_uid, pseudonyms),
        series_instance_uid=_uid(series.series_instance_uid, pseudonyms),
        frame_of_reference_uid=_uid(series.frame_of_reference_uid, pseudonyms),
        series_description=None,
        contrast_agent=None if series.contrast_agent is None else _NOT_NAMED,
    )


def _slice(reference: SliceReference, pseudonyms: Pseudonyms) -> SliceReference:
    return replace(reference, sop_instance_uid=_uid(reference.sop_instance_uid, pseudonyms))


def _uid(original: str | None, pseudonyms: Pseudonyms) -> str | None:
    return None if original is None else pseudonyms.uid(original)


def _renamed(nodules: Iterable[NoduleT], pseudonyms: Pseudonyms) -> tuple[NoduleT, ...]:
    return tuple(_on_renamed_image(each, pseudonyms) for each in nodules)


def _on_renamed_image(stated: NoduleT, pseudonyms: Pseudonyms) -> NoduleT:
    image = stated.nodule.image
    renamed = replace(image, sop_instance_uid=_uid(image.sop_instance_uid, pseudonyms))
    return replace(stated, nodule=replace(stated.nodule, image=renamed))


def _comparison(comparison: Comparison, pseudonyms: Pseudonyms) -> Comparison:
    return replace(
        comparison,
        current=_exam(comparison.current, pseudonyms),
        prior=_exam(comparison.prior, pseudonyms),
        changes=tuple(
            replace(
                each,
                current=_on_renamed_image(each.current, pseudonyms),
                prior=_on_renamed_image(each.prior, pseudonyms),
            )
            for each in comparison.changes
        ),
        new=_unmatched(comparison.new, pseudonyms),
        resolved=_unmatched(comparison.resolved, pseudonyms),
    )


def _exam(exam: ExamIdentity, pseudonyms: Pseudonyms) -> ExamIdentity:
    return ExamIdentity(
        study_instance_uid=_uid(exam.study_instance_uid, pseudonyms),
        series_instance_uid=_uid(exam.series_instance_uid, pseudonyms),
        study_date=None,
        input_sha256=pseudonyms.digest(exam.input_sha256),
    )


def _unmatched(nodules: Iterable[Unmatched], pseudonyms: Pseudonyms) -> tuple[Unmatched, ...]:
    return tuple(
        replace(each, finding=_on_renamed_image(each.finding, pseudonyms)) for each in nodules
    )


def _plain_context(context: Context) -> Context:
    age_years = None if context.age_years is None else min(context.age_years, _MOST_YEARS)
    return context.model_copy(
        update={"indication": None, "risk_factors": (), "age_years": age_years}
    )


def _without_comment(stated: ReportedNodule) -> ReportedNodule:
    if stated.reader is None:
        return stated
    return replace(stated, reader=replace(stated.reader, comment=None))


def _anonymous(review: AppliedReview, report: Report, pseudonyms: Pseudonyms) -> AppliedReview:
    return review.model_copy(
        update={
            "reader": None,
            "attested_for": None,
            "context": None if review.context is None else _plain_context(review.context),
            "saved_at": _NO_TIME,
            "decisions": tuple(
                each.model_copy(update={"comment": None}) for each in review.decisions
            ),
            "additions": tuple(
                each.model_copy(update={"comment": None}) for each in review.additions
            ),
            "input_sha256": report.provenance.input_sha256,
            "report_sha256": pseudonyms.digest(review.report_sha256),
            "review_sha256": pseudonyms.digest(review.review_sha256),
            "series_instance_uid": report.study.series.series_instance_uid,
        }
    )
