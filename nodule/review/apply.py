"""A report with a reader's decisions folded in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from nodule.advice.case import Case
from nodule.advice.context import Context, FindingFacts
from nodule.advice.management import manage
from nodule.errors import InputError
from nodule.findings import Lung
from nodule.followup.record import ComparisonRecord
from nodule.masks import MaskReference, NoduleMask, refer_to_masks
from nodule.report.build import (
    dominant_id,
    finding_warnings,
    refuse_unknown,
    rounded,
    sized_fields,
    slice_of,
    slice_part,
)
from nodule.report.finding_parts import SIZED_FIELDS, AddedPart, FindingPart
from nodule.report.model import DecisionPart, Report, ReviewPart, WarningPart
from nodule.report.parts import Point
from nodule.report.software import software_part
from nodule.review.resegment import Resegmenter, growth_rules
from nodule.review.review_file import Decision, Review
from nodule.study import Study
from nodule.volume import LungMask


@dataclass(frozen=True, kw_only=True, eq=False)
class Reviewed:
    """A report after a review.

    Parameters
    ----------
    report : what stands now.
    masks : of what stands, by id; what could not be measured has none.
    """

    report: Report
    masks: Mapping[str, NoduleMask]


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
    added = (
        *(fold.moved_addition(each, decided.get(each.id)) for each in report.added),
        *fold.additions(review),
    )
    findings = tuple(fold.moved(each, decided.get(each.id)) for each in report.findings)
    refuse_unknown(stated, known={e.id for e in (*findings, *added, *report.rejected)})
    rejected = {each.id for each in review.decisions if each.verdict == "rejected"}
    known = [*(each.id for each in findings), *(each.id for each in added)]
    active = [id_ for id_ in known if id_ not in rejected]
    kept = {id_: fold.masks[id_] for id_ in active if id_ in fold.masks}
    references = refer_to_masks(kept, grid=study.volume.geometry)
    set_apart = (
        *(_with_mask(each, {}) for each in report.findings if each.id in rejected),
        *(_with_mask(each, {}) for each in report.added if each.id in rejected),
    )
    reviewed = report.model_copy(
        update={
            "context": stated,
            "findings": tuple(_with_mask(e, references) for e in findings if e.id in active),
            "added": tuple(_with_mask(e, references) for e in added if e.id in active),
            "rejected": (*report.rejected, *set_apart),
            "reviews": (*report.reviews, _review_part(report, review)),
        }
    )
    return Reviewed(report=_made_anew(reviewed, before=report), masks=kept)


_Stated = TypeVar("_Stated", FindingPart, AddedPart)


def _with_mask(part: _Stated, references: Mapping[str, MaskReference]) -> _Stated:
    return part.model_copy(update={"mask": references.get(part.id)})


def _made_anew(reviewed: Report, *, before: Report) -> Report:
    """Say again what follows from the findings that stand now."""
    comparison = _comparison(reviewed, before)
    case = Case(
        context=reviewed.context,
        study=reviewed.study,
        standing=reviewed.standing,
        comparison=comparison,
    )
    return reviewed.model_copy(
        update={
            "comparison": comparison,
            "dominant": dominant_id(reviewed.findings),
            "management": manage(case),
            "software": software_part(reviewed.provenance, reviewed=True),
            "warnings": _warnings(before, reviewed),
        }
    )


def _comparison(reviewed: Report, before: Report) -> ComparisonRecord | None:
    """Drop what the comparison says of findings that were rejected or are another nodule now."""
    comparison = reviewed.comparison
    if comparison is None:
        return None
    was = {finding.id: finding for finding in before.findings}
    same = {f.id for f in reviewed.findings if _same_nodule(was[f.id], f.center_lps_mm)}
    return comparison.model_copy(
        update={
            "changes": tuple(c for c in comparison.changes if c.current.id in same),
            "new": tuple(each for each in comparison.new if each.finding.id in same),
        }
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
    known = {each.id for each in report.standing}
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
        self._report = report
        self._study = study
        self._lungs = lungs
        self._context = context

    @cached_property
    def _segmenter(self) -> Resegmenter:
        return Resegmenter(study=self._study, lungs=self._lungs, rules=growth_rules(self._report))

    def moved(self, finding: FindingPart, decision: Decision | None) -> FindingPart:
        lobe = self._facts(finding.id).lobe
        if decision is None or decision.moved_to_lps_mm is None:
            return finding.model_copy(update={"lobe": lobe})
        place = decision.moved_to_lps_mm
        slice_part(self._study, place)  # refuses a place outside the scan
        if _same_nodule(finding, place):
            return finding.model_copy(update={"lobe": lobe, "center_lps_mm": place})
        update = self._at(finding.id, place, long_axis_mm=None)
        return finding.model_copy(update={**update, "lung": update["lung"] or finding.lung})

    def moved_addition(self, each: AddedPart, decision: Decision | None) -> AddedPart:
        if decision is None or decision.moved_to_lps_mm is None:
            return each.model_copy(update={"lobe": self._facts(each.id).lobe})
        update = self._at(each.id, decision.moved_to_lps_mm, long_axis_mm=each.reader_long_axis_mm)
        return each.model_copy(update=update)

    def additions(self, review: Review) -> tuple[AddedPart, ...]:
        return tuple(
            AddedPart(
                id=f"R{number}",
                reader_long_axis_mm=each.long_axis_mm,
                comment=each.comment,
                **self._at(f"R{number}", each.center_lps_mm, long_axis_mm=each.long_axis_mm),
            )
            for number, each in enumerate(review.additions, start=self._report.next_added)
        )

    def _at(self, id_: str, place: Point, *, long_axis_mm: float | None) -> dict[str, Any]:
        """Return what is known of the nodule at a place: sizes where it can be measured."""
        slice_ = slice_part(self._study, place)
        finding = self._segmenter.finding(id_, place, long_axis_mm=long_axis_mm)
        facts = self._facts(id_)
        self.masks.pop(id_, None)
        if finding is None:
            return {
                **dict.fromkeys(SIZED_FIELDS),
                "scope": "nodule",
                "lobe": facts.lobe,
                "center_lps_mm": place,
                "slice": slice_,
                "lung": lung_at(self._lungs, place),
            }
        if finding.mask is not None:
            self.masks[id_] = finding.mask
        nodule = finding.nodule
        return {
            **sized_fields(nodule, facts=facts),
            "center_lps_mm": rounded(nodule.center_lps_mm),
            "slice": slice_of(nodule, self._study),
            "lung": nodule.lung,
        }

    def _facts(self, id_: str) -> FindingFacts:
        return self._context.findings.get(id_, FindingFacts())


def _same_nodule(finding: FindingPart, place: Point) -> bool:
    radius_mm = 0.5 * (finding.effective_diameter_mm or finding.mean_diameter_mm or 0.0)
    return bool(np.linalg.norm(np.subtract(place, finding.center_lps_mm)) <= radius_mm)


def _warnings(before: Report, after: Report) -> tuple[WarningPart, ...]:
    """Keep the study's warnings and say anew what must be known of the findings that stand."""
    gone = set(_finding_warnings(before))
    kept = tuple(warning for warning in before.warnings if warning not in gone)
    return (*kept, *_finding_warnings(after))


def _finding_warnings(report: Report) -> Iterator[WarningPart]:
    for finding in report.findings:
        if finding.long_axis_mm is None and finding.id in report.moved:
            message = f"{finding.id} could not be measured where the reader moved it."
            yield WarningPart(code="NOT_MEASURED", message=message)
        else:
            yield from finding_warnings(finding)
    for added in report.added:
        if added.long_axis_mm is None:
            message = f"{added.id} could not be measured where the reader added it."
            yield WarningPart(code="NOT_MEASURED", message=message)


def _review_part(report: Report, review: Review) -> ReviewPart:
    places = {each.id: each.center_lps_mm for each in report.standing}
    first = report.next_added
    return ReviewPart(
        reader=review.reader,
        saved_at=review.saved_at,
        review_sha256=review.sha256,
        report_sha256=review.report_sha256,
        decisions=tuple(
            DecisionPart(
                **decision.model_dump(),
                moved_from_lps_mm=places[decision.id] if decision.moved_to_lps_mm else None,
            )
            for decision in review.decisions
        ),
        added=tuple(f"R{first + n}" for n in range(len(review.additions))),
    )


def lung_at(lungs: LungMask, lps_mm: Point) -> Lung | None:
    """Return the lung in which a point lies, None outside both."""
    if not lungs.geometry.contains(lps_mm):
        return None
    z, y, x = np.rint(lungs.geometry.lps_to_index(lps_mm)).astype(int)
    sides: dict[int, Lung] = {LungMask.RIGHT: "right", LungMask.LEFT: "left"}
    return sides.get(int(lungs.labels_zyx[z, y, x]))
