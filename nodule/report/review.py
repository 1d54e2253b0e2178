"""A reader's review: the file that the page saves, and the report with its decisions folded in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from nodule.errors import InputError
from nodule.findings import Lung
from nodule.followup.record import ComparisonRecord
from nodule.report.build import finding_warnings, slice_part
from nodule.report.case import Case
from nodule.report.finding_parts import SIZED_FIELDS, AddedPart, FindingPart
from nodule.report.management import manage
from nodule.report.model import DecisionPart, Report, ReviewPart, Verdict, WarningPart
from nodule.report.parts import Point, Sha256, Size
from nodule.report.software import software_part
from nodule.study import Study
from nodule.volume import LungMask

Model = TypeVar("Model", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Decision(_Part):
    """What the reader says of one finding; null where nothing was said."""

    id: str
    verdict: Verdict | None = None
    moved_to_lps_mm: Point | None = None
    comment: str | None = None


class Addition(_Part):
    """A nodule that was missed."""

    center_lps_mm: Point
    long_axis_mm: Size | None = None
    comment: str | None = None


class Review(_Part):
    """A review file.

    Parameters
    ----------
    report_sha256 : of the ``report.json`` whose page was read; identifiers are that report's.
    input_sha256, series_instance_uid : the images that were read.
    reader : who read them, as they wish to be named.
    saved_at : when, by the reader's clock.
    decisions : on findings of the report, at most one for each; those not named are open.
    additions : what the report lacked.
    """

    format: Literal["nodule-review-1"]
    report_sha256: Sha256
    input_sha256: Sha256
    series_instance_uid: str | None
    reader: str | None = None
    saved_at: AwareDatetime
    decisions: tuple[Decision, ...] = ()
    additions: tuple[Addition, ...] = ()

    @property
    def sha256(self) -> str:
        """Digest of the content, not of a file's white space."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def read_review(path: Path) -> Review:
    """Read a review file.

    Raises
    ------
    InputError : ``BAD_REVIEW``.
    """
    return _read(path, Review, "BAD_REVIEW", hint="Save it again from the report's page.")


def read_report(path: Path) -> Report:
    """Read a ``report.json``.

    Raises
    ------
    InputError : ``BAD_REPORT``.
    """
    return _read(path, Report, "BAD_REPORT", hint="Make the report again with this version.")


def apply_review(report: Report, review: Review, *, study: Study, lungs: LungMask) -> Report:
    """Fold a reader's decisions into the report that was read.

    Rejected findings are set apart, not forgotten. A finding that was moved within its effective
    radius is the same nodule and keeps its sizes; one moved further has none any more.

    Parameters
    ----------
    report : as it was written beside the page.
    review : what the page saved.
    study : the images, to name slices.
    lungs : to name the side.

    Raises
    ------
    InputError : ``REVIEW_OF_OTHER_REPORT``, ``UNKNOWN_FINDING``, ``DOUBLE_DECISION``, or
        ``OUTSIDE_VOLUME`` where a place is not in the scan.
    """
    _check(report, review)
    decided = {decision.id: decision for decision in review.decisions}
    added = (
        *(_moved_addition(each, decided.get(each.id), study, lungs) for each in report.added),
        *_additions(report, review, study, lungs),
    )
    findings = tuple(
        _moved(finding, decided.get(finding.id), study, lungs) for finding in report.findings
    )
    rejected = {each.id for each in review.decisions if each.verdict == "rejected"}
    stated = tuple(finding for finding in findings if finding.id not in rejected)
    reviewed = report.model_copy(
        update={
            "findings": stated,
            "added": tuple(a for a in added if a.id not in rejected),
            "rejected": (*report.rejected, *(e for e in report.standing if e.id in rejected)),
            "reviews": (*report.reviews, _review_part(report, review)),
        }
    )
    return _made_anew(reviewed, before=report)


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


def _check(report: Report, review: Review) -> None:
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


def _moved(
    finding: FindingPart, decision: Decision | None, study: Study, lungs: LungMask
) -> FindingPart:
    if decision is None or decision.moved_to_lps_mm is None:
        return finding
    place = decision.moved_to_lps_mm
    slice_ = slice_part(study, place)  # refuses a place outside the scan
    update: dict[str, Any] = {"center_lps_mm": place}
    if not _same_nodule(finding, place):
        update |= dict.fromkeys(SIZED_FIELDS)
        update |= {
            "slice": slice_,
            "lung": lung_at(lungs, place) or finding.lung,
            "scope": "nodule",
        }
    return finding.model_copy(update=update)


def _same_nodule(finding: FindingPart, place: Point) -> bool:
    radius_mm = 0.5 * (finding.effective_diameter_mm or 0.0)
    return bool(np.linalg.norm(np.subtract(place, finding.center_lps_mm)) <= radius_mm)


def _warnings(before: Report, after: Report) -> tuple[WarningPart, ...]:
    """Keep the study's warnings and say anew what must be known of the findings that stand."""
    gone = set(_finding_warnings(before))
    kept = tuple(warning for warning in before.warnings if warning not in gone)
    return (*kept, *_finding_warnings(after))


def _finding_warnings(report: Report) -> Iterator[WarningPart]:
    for finding in report.findings:
        if finding.long_axis_mm is None and finding.id in report.moved:
            message = f"{finding.id} was moved by the reader and has no size."
            yield WarningPart(code="NOT_MEASURED", message=message)
        else:
            yield from finding_warnings(finding)


def _moved_addition(
    each: AddedPart, decision: Decision | None, study: Study, lungs: LungMask
) -> AddedPart:
    if decision is None or decision.moved_to_lps_mm is None:
        return each
    place = decision.moved_to_lps_mm
    update = {
        "center_lps_mm": place,
        "slice": slice_part(study, place),
        "lung": lung_at(lungs, place),
    }
    return each.model_copy(update=update)


def _additions(
    report: Report, review: Review, study: Study, lungs: LungMask
) -> tuple[AddedPart, ...]:
    return tuple(
        AddedPart(
            id=f"R{number}",
            center_lps_mm=each.center_lps_mm,
            slice=slice_part(study, each.center_lps_mm),
            lung=lung_at(lungs, each.center_lps_mm),
            reader_long_axis_mm=each.long_axis_mm,
            comment=each.comment,
        )
        for number, each in enumerate(review.additions, start=report.next_added)
    )


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


def _read(path: Path, model: type[Model], code: str, *, hint: str) -> Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        # where and what alone: the values may name a patient
        first = error.errors(include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            f"{path.name} cannot be read: {place}: {first['msg']}", code=code, hint=hint
        ) from None
