"""What a report says: the shape of ``report.json``.

Sizes are millimetres, positions LPS. ``report.schema.json`` beside this file is the same as a
JSON schema.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from nodule.advice.context import Context
from nodule.advice.management import ManagementPart
from nodule.followup.record import ChangeRecord, ComparisonRecord
from nodule.report.finding_parts import AddedPart, FindingPart
from nodule.report.limits import LimitsPart
from nodule.report.parts import Part, Point, Sha256
from nodule.report.study_parts import QualityPart, StudyPart

Verdict = Literal["accepted", "rejected"]


class Provenance(Part):
    """What made the report; enough to make it again.

    Parameters
    ----------
    input_sha256 : digest of the series' content.
    stages : version of each stage, by name; empty in reports before 0.2.0.
    constants : digest of the constants of each stage's code, by name; likewise.
    weights : sha256 of each network's weights, by stage.
    config : every stage's fields, by stage.
    versions : of the package and of what it stands on.
    """

    input_sha256: Sha256
    stages: dict[str, int] = Field(default_factory=dict)
    constants: dict[str, Sha256] = Field(default_factory=dict)
    weights: dict[str, Sha256]
    config: dict[str, dict[str, Any]]
    versions: dict[str, str]


class DecisionPart(Part):
    """What a reader said of one finding; null where nothing was said."""

    id: Annotated[str, Field(pattern="^[NR][1-9][0-9]*$")]
    verdict: Verdict | None
    moved_from_lps_mm: Point | None
    moved_to_lps_mm: Point | None
    comment: str | None


class SoftwarePart(Part):
    """What wrote the report, and what its word is worth.

    ``identifier`` names version, stages and weights together; ``models`` the networks' weights, by
    stage.
    """

    name: str
    version: str
    identifier: str
    models: dict[str, str]
    status: str


class ReviewPart(Part):
    """A review that was folded in.

    ``review_sha256`` is the digest of what the reader saved, ``report_sha256`` that of the report
    that was read, ``added`` names the nodules that came in.
    """

    reader: str | None
    saved_at: AwareDatetime
    review_sha256: Sha256
    report_sha256: Sha256
    decisions: tuple[DecisionPart, ...]
    added: tuple[str, ...]


class WarningPart(Part):
    """Something the reader must know, with a stable code."""

    code: str
    message: str


class Report(Part):
    """A report.

    ``findings`` and ``added`` are what stands; ``rejected`` is what readers set apart; ``reviews``
    says who decided so, in order of time. The last three are empty until a review is applied.
    ``dominant`` names the most suspicious of the findings; nobody rates what readers add.
    ``context`` is what somebody stated besides the images, ``comparison`` null where no prior study
    was given, ``management`` what published rules make of it all, ``limits`` what none of it says.
    """

    study: StudyPart
    context: Context
    software: SoftwarePart
    provenance: Provenance
    quality: tuple[QualityPart, ...]
    findings: tuple[FindingPart, ...]
    dominant: str | None
    comparison: ComparisonRecord | None
    management: ManagementPart
    limits: LimitsPart
    warnings: tuple[WarningPart, ...]
    added: tuple[AddedPart, ...] = ()
    rejected: tuple[FindingPart | AddedPart, ...] = ()
    reviews: tuple[ReviewPart, ...] = ()

    @property
    def sha256(self) -> str:
        """Digest of ``report.json``."""
        return hashlib.sha256(report_json(self)).hexdigest()

    @property
    def standing(self) -> tuple[FindingPart | AddedPart, ...]:
        """All nodules that the report states: found ones, then added ones."""
        return (*self.findings, *self.added)

    @property
    def changes(self) -> dict[str, ChangeRecord]:
        """What became of each finding that the prior study shows too, by its id."""
        return {} if self.comparison is None else {c.current.id: c for c in self.comparison.changes}

    def course_of(self, finding_id: str) -> str | None:
        """Return what became of a finding since the prior study, None where that is not known.

        ``new`` is what the prior study covers and does not show.
        """
        change = self.changes.get(finding_id)
        if change is not None:
            return change.growth or "in both, not measured"
        lone = () if self.comparison is None else self.comparison.new
        here = {each.finding.id: each.covered for each in lone}
        if finding_id not in here:
            return None
        return "new" if here[finding_id] else "not covered before"

    @property
    def next_added(self) -> int:
        """Number of the next nodule that a reader adds; numbers are not given twice."""
        return 1 + sum(len(review.added) for review in self.reviews)

    @property
    def moved(self) -> frozenset[str]:
        """Ids of the findings that a reader has moved."""
        said = (decision for review in self.reviews for decision in review.decisions)
        return frozenset(decision.id for decision in said if decision.moved_to_lps_mm)

    @property
    def decisions(self) -> dict[str, DecisionPart]:
        """The last decision on each finding that has one, by its id."""
        return {each.id: each for review in self.reviews for each in review.decisions}


def report_json(report: Report) -> bytes:
    """Return the content of ``report.json``."""
    return f"{report.model_dump_json(indent=2)}\n".encode()
