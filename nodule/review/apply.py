"""A report with a reader's decisions folded in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nodule.advice.case import Case
from nodule.advice.context import Context
from nodule.advice.management import manage
from nodule.errors import InputError
from nodule.followup import Comparison
from nodule.geometry import Vector
from nodule.masks import MaskReference, NoduleMask, refer_to_masks
from nodule.nodules import Lung, Measurement, Nodule
from nodule.printed import as_printed
from nodule.report.build import dominant_id, finding_warnings, refuse_outside, refuse_unknown
from nodule.report.model import AppliedDecision, AppliedReview, Decision, Report
from nodule.report.reported_nodule import (
    ReaderMark,
    ReportedNodule,
    mean_diameter_mm,
    reported,
    with_nodule,
)
from nodule.report.software import software_of
from nodule.review.resegment import Resegmenter, growth_rules
from nodule.review.review_file import Addition, Review
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
    warning says so. What rule sets say is asked again.

    Parameters
    ----------
    report : as it was written beside the page.
    review : what the page saved.
    study : the images.
    lungs : to name the side.
    masks : of the report's findings, by their ids, as
        :func:`nodule.outputs.read_masks` reads them.
    context : what is stated now, None for what the report holds.

    Raises
    ------
    InputError : as :func:`check_review`, ``OUTSIDE_VOLUME``, or ``NO_GROWTH_RULES`` where something
        must be measured and the report does not say how its masks were grown.
    """
    check_review(report, review)
    decided = {decision.id: decision for decision in review.decisions}
    stated = context or report.context
    fold = _Fold(report, study=study, lungs=lungs, context=stated, masks=masks)
    findings = tuple(fold.moved(e, decided.get(e.nodule.id)) for e in report.findings)
    added = (
        *(fold.moved(e, decided.get(e.nodule.id)) for e in report.added),
        *fold.additions(review),
    )
    refuse_unknown(stated, known={e.nodule.id for e in (*findings, *added, *report.rejected)})
    rejected = {each.id for each in review.decisions if each.verdict == "rejected"}
    active = [e.nodule.id for e in (*findings, *added) if e.nodule.id not in rejected]
    kept = {id_: fold.masks[id_] for id_ in active if id_ in fold.masks}
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
        report=_restated(reviewed, before=report), masks=kept, moved=frozenset(fold.elsewhere)
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
    )
    return reviewed.model_copy(
        update={
            "comparison": comparison,
            "dominant": dominant_id(reviewed.findings),
            "management": manage(case),
            "software": software_of(reviewed.provenance, reviewed=True),
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
    same = {id_ for id_, place in places.items() if _same_nodule(was[id_], place)}
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
            hint="Give the report.json that lay beside the page, to the version that wrote it.",
        )
    ids = [decision.id for decision in review.decisions]
    known = {each.nodule.id for each in report.active}
    for id_ in ids:
        if id_ not in known:
            raise InputError(
                "the review names a finding that the report lacks",
                code="UNKNOWN_FINDING",
                expected=sorted(known),
                got=id_,
            )
        if ids.count(id_) > 1:
            raise InputError("two decisions on one finding", code="DOUBLE_DECISION", got=id_)


class _Fold:
    """Puts findings where the reader saw them, and measures them there."""

    def __init__(
        self,
        report: Report,
        *,
        study: Study,
        lungs: LungMask,
        context: Context,
        masks: Mapping[str, NoduleMask],
    ) -> None:
        self.masks = dict(masks)
        self.elsewhere: set[str] = set()
        self._report = report
        self._study = study
        self._lungs = lungs
        self._context = context

    @cached_property
    def _segmenter(self) -> Resegmenter:
        return Resegmenter(study=self._study, lungs=self._lungs, rules=growth_rules(self._report))

    def moved(self, stated: ReportedNodule, decision: Decision | None) -> ReportedNodule:
        """Return a nodule where the reader wants it, measured there unless it is the same one."""
        named = replace(stated, lobe=self._context.of(stated.nodule.id).lobe)
        if decision is None or decision.moved_to_lps_mm is None:
            return named
        place = decision.moved_to_lps_mm
        refuse_outside(self._study, place)
        if stated.reader is None and _same_nodule(stated.nodule, place):
            return with_nodule(named, replace(stated.nodule, center_lps_mm=place))
        long_axis_mm = None if stated.reader is None else stated.reader.long_axis_mm
        self.elsewhere.add(stated.nodule.id)
        there = self._at(stated.nodule.id, place, long_axis_mm=long_axis_mm)
        if stated.reader is None and there.lung is None:
            there = replace(there, lung=stated.nodule.lung)
        return with_nodule(named, as_printed(there))

    def additions(self, review: Review) -> tuple[ReportedNodule, ...]:
        """Return what the reader added, measured where it can be."""
        return tuple(
            self._added(f"R{number}", each)
            for number, each in enumerate(review.additions, start=self._report.next_added)
        )

    def _added(self, id_: str, addition: Addition) -> ReportedNodule:
        refuse_outside(self._study, addition.center_lps_mm)
        return reported(
            self._at(id_, addition.center_lps_mm, long_axis_mm=addition.long_axis_mm),
            assessment=None,
            lobe=self._context.of(id_).lobe,
            mask=None,
            reader=ReaderMark(long_axis_mm=addition.long_axis_mm, comment=addition.comment),
        )

    def _at(self, id_: str, place: Vector, *, long_axis_mm: float | None) -> Nodule:
        """Return the nodule at a place and keep its mask, or what is known where there is none."""
        finding = self._segmenter.finding(id_, place, long_axis_mm=long_axis_mm)
        self.masks.pop(id_, None)
        if finding is None:
            return Nodule(
                id=id_,
                center_lps_mm=place,
                image=self._study.image_at(place),
                lung=lung_at(self._lungs, place),
            )
        if finding.mask is not None:
            self.masks[id_] = finding.mask
        return finding.nodule


def _same_nodule(nodule: Nodule, place: Vector) -> bool:
    return bool(
        np.linalg.norm(np.subtract(place, nodule.center_lps_mm)) <= _radius_mm(nodule.measurement)
    )


def _radius_mm(measured: Measurement | None) -> float:
    if measured is None:
        return 0.0
    return 0.5 * (measured.effective_diameter_mm or mean_diameter_mm(measured))


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
    return AppliedReview(
        reader=review.reader,
        saved_at=review.saved_at,
        review_sha256=review.sha256,
        report_sha256=review.report_sha256,
        decisions=tuple(
            AppliedDecision(
                **decision.model_dump(),
                moved_from_lps_mm=places[decision.id] if decision.moved_to_lps_mm else None,
            )
            for decision in review.decisions
        ),
        added=tuple(f"R{first + n}" for n in range(len(review.additions))),
    )


def lung_at(lungs: LungMask, lps_mm: Vector) -> Lung | None:
    """Return the lung in which a point lies, None outside both."""
    if not lungs.geometry.contains(lps_mm):
        return None
    z, y, x = np.rint(lungs.geometry.lps_to_index(lps_mm)).astype(int)
    sides: dict[int, Lung] = {LungMask.RIGHT: "right", LungMask.LEFT: "left"}
    return sides.get(int(lungs.labels_zyx[z, y, x]))
