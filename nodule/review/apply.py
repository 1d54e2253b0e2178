"""A report with a reader's decisions folded in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from nodule.advice.case import Case
from nodule.advice.context import Context
from nodule.advice.management import manage
from nodule.errors import InputError
from nodule.followup import Comparison
from nodule.mask_labels import MaskReference, refer_to_masks
from nodule.masks import NoduleMask
from nodule.report.build import dominant_id, finding_warnings, refuse_unknown
from nodule.report.model import Report
from nodule.report.reader_review import AppliedDecision, AppliedReview, Review
from nodule.report.reported_nodule import (
    ReportedNodule,
)
from nodule.report.software import software_of
from nodule.review._placed_nodules import PlacedNodules, same_nodule
from nodule.study import Study, StudyWarning
from nodule.volume import LungMask


@dataclass(frozen=True, kw_only=True, eq=False)
class Reviewed:
    """A report after a review.

    Parameters
    ----------
    report : what is active now.
    masks : of the active nodules, by id; what could not be measured has none.
    moved : ids of the findings that are another place now, where no network has looked.
    """

    report: Report
    masks: Mapping[str, NoduleMask]
    moved: frozenset[str]


def apply_review(
    report: Report,
    review: Review,
    *,
    study: Study,
    lungs: LungMask,
    masks: Mapping[str, NoduleMask],
    context: Context | None = None,
) -> Reviewed:
    """Fold a reader's decisions into the report that was read.

    Rejected findings are set apart, not forgotten. A finding that was moved within its effective
    radius, or within half its mean diameter where no volume is stated, is the same nodule and keeps
    its sizes and its mask. One moved further, and one that was added, is measured from the reader's
    point, by the report's own rules of growth; where that cannot be done it has no sizes, and a
    warning says so. A reader's own size, type, lung and facts stand in place of the software's, and
    what the software derived from its mask is then left out; the mask stays. What rule sets say is
    asked again.

    Parameters
    ----------
    report : as it was written beside the page.
    review : what the page saved.
    study : the images.
    lungs : to name the side.
    masks : of the report's findings, by their ids, as
        :func:`nodule.outputs.read_masks` reads them.
    context : what is stated now, in place of what the review or else the report holds.

    Raises
    ------
    InputError : as :func:`check_review`, ``OUTSIDE_VOLUME``, or ``NO_GROWTH_RULES`` where something
        must be measured and the report does not say how its masks were grown.
    """
    check_review(report, review)
    decided = {decision.id: decision for decision in review.decisions}
    stated = context or review.context or report.context
    placed = PlacedNodules(report, study=study, lungs=lungs, context=stated, masks=masks)
    findings = tuple(placed.moved(e, decided.get(e.nodule.id)) for e in report.findings)
    added = (
        *(placed.moved(e, decided.get(e.nodule.id)) for e in report.added),
        *placed.additions(review),
    )
    refuse_unknown(stated, known={e.nodule.id for e in (*findings, *added, *report.rejected)})
    rejected = {each.id for each in review.decisions if each.verdict == "rejected"}
    active = [e.nodule.id for e in (*findings, *added) if e.nodule.id not in rejected]
    kept = {id_: placed.masks[id_] for id_ in active if id_ in placed.masks}
    references = refer_to_masks(kept, grid=study.volume.geometry)
    set_apart = (e for e in report.active if e.nodule.id in rejected)
    reviewed = report.model_copy(
        update={
            "context": stated,
            "findings": _refer([e for e in findings if e.nodule.id in active], references),
            "added": _refer([e for e in added if e.nodule.id in active], references),
            "rejected": (*report.rejected, *_refer(set_apart, {})),
            "reviews": (*report.reviews, _applied(report, review)),
        }
    )
    return Reviewed(
        report=_restated(reviewed, before=report), masks=kept, moved=frozenset(placed.elsewhere)
    )


def _refer(
    nodules: Iterable[ReportedNodule], references: Mapping[str, MaskReference]
) -> tuple[ReportedNodule, ...]:
    return tuple(replace(each, mask=references.get(each.nodule.id)) for each in nodules)


def _restated(reviewed: Report, *, before: Report) -> Report:
    """State again what follows from the findings that are active now."""
    comparison = _comparison(reviewed, before)
    case = Case(
        context=reviewed.context,
        patient=reviewed.study.patient,
        slice_mm=reviewed.study.slice_mm,
        active=reviewed.active,
        comparison=comparison,
        disease=reviewed.disease,
    )
    return reviewed.model_copy(
        update={
            "comparison": comparison,
            "dominant": dominant_id(reviewed.findings, reviewed.disease),
            "management": manage(case),
            "software": software_of(reviewed.provenance, reviews=reviewed.reviews),
            "warnings": _warnings(before, reviewed),
        }
    )


def _comparison(reviewed: Report, before: Report) -> Comparison | None:
    """Drop what the comparison says of findings that were rejected or are another nodule now."""
    comparison = reviewed.comparison
    if comparison is None:
        return None
    was = {each.nodule.id: each.nodule for each in before.findings}
    places = {each.nodule.id: each.nodule.center_lps_mm for each in reviewed.findings}
    same = {id_ for id_, place in places.items() if same_nodule(was[id_], place)}
    return replace(
        comparison,
        changes=tuple(c for c in comparison.changes if c.current.nodule.id in same),
        new=tuple(each for each in comparison.new if each.finding.nodule.id in same),
    )


def check_review(report: Report, review: Review) -> None:
    """Refuse a review that does not belong to a report.

    Raises
    ------
    InputError : ``REVIEW_OF_OTHER_REPORT``, ``UNKNOWN_FINDING`` or ``DOUBLE_DECISION``.
    """
    if review.report_sha256 != report.sha256:
        raise InputError(
            "the review was made on another report",
            code="REVIEW_OF_OTHER_REPORT",
            expected=report.sha256,
            got=review.report_sha256,
            hint="Give the report.json that lay beside the page, with the version that wrote it.",
        )
    ids = [decision.id for decision in review.decisions]
    known = {each.nodule.id for each in report.active}
    for id_ in ids:
        if id_ not in known:
            raise InputError(
                "the review names a finding that is not in the report",
                code="UNKNOWN_FINDING",
                expected=sorted(known),
                got=id_,
            )
        if ids.count(id_) > 1:
            raise InputError("two decisions on one finding", code="DOUBLE_DECISION", got=id_)


def _warnings(before: Report, after: Report) -> tuple[StudyWarning, ...]:
    """Keep the study's warnings and say again what must be known of the active findings."""
    gone = set(_finding_warnings(before))
    kept = tuple(warning for warning in before.warnings if warning not in gone)
    return (*kept, *_finding_warnings(after))


def _finding_warnings(report: Report) -> Iterator[StudyWarning]:
    for each in report.active:
        id_ = each.nodule.id
        what = "added it" if each.reader is not None else "moved it"
        by_reader = each.reader is not None or id_ in report.moved
        if each.nodule.measurement is None and by_reader:
            message = f"{id_} could not be measured where the reader {what}."
            yield StudyWarning(code="NOT_MEASURED", message=message)
        elif each.reader is None:
            yield from finding_warnings(each)


def _applied(report: Report, review: Review) -> AppliedReview:
    places = {each.nodule.id: each.nodule.center_lps_mm for each in report.active}
    first = report.next_added
    decisions = tuple(
        AppliedDecision(
            **dict(decision),
            moved_from_lps_mm=places[decision.id] if decision.moved_to_lps_mm else None,
        )
        for decision in review.decisions
    )
    return AppliedReview(
        **{**dict(review), "decisions": decisions},
        review_sha256=review.sha256,
        added=tuple(f"R{first + n}" for n in range(len(review.additions))),
    )
