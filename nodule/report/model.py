"""What a report says: the shape of ``report.json``.

Sizes are millimetres, positions LPS. ``report.schema.json`` beside this file is the same as a
JSON schema.
"""

from __future__ import annotations

import hashlib
from typing import Any, Self

from pydantic import Field, model_validator

from nodule.advice.context import Context
from nodule.advice.management import Management
from nodule.followup import Change, Comparison
from nodule.home_ground import HomeGround
from nodule.intended_use import Limits
from nodule.lung_disease import LungDisease
from nodule.report._confidentiality import Deidentification
from nodule.report._study_parts import QualityCheck, ReportedStudy
from nodule.report.reader_review import AppliedDecision, AppliedReview, Part, Sha256
from nodule.report.reported_nodule import ReportedNodule
from nodule.study import StudyWarning


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
    engines : what ran the networks of each stage, by name; empty in reports before 0.3.0. What
        came from a cache may have been made by another engine, whose answers are the same within
        a tolerance.
    """

    input_sha256: Sha256
    stages: dict[str, int] = Field(default_factory=dict)
    constants: dict[str, Sha256] = Field(default_factory=dict)
    weights: dict[str, Sha256]
    config: dict[str, dict[str, Any]]
    versions: dict[str, str]
    engines: dict[str, str] = Field(default_factory=dict)


class Software(Part):
    """What wrote the report, and what its word is worth.

    ``identifier`` names version, stages and weights together; ``models`` the networks' weights, by
    stage.
    """

    name: str
    version: str
    identifier: str
    models: dict[str, str]
    status: str


class Report(Part):
    """A report.

    ``findings`` and ``added`` are active; ``rejected`` is what readers set apart; ``reviews`` says
    who decided so, in order of time. The last three are empty until a review is applied.
    ``dominant`` names the most suspicious of the findings outside diseased lung; nobody rates what
    readers add. ``home_ground`` says whether the networks' figures hold for such a study, null in
    reports that were made before. ``disease`` is how much of the lungs is diseased beyond nodules,
    null where nobody measured it.
    ``context`` is what somebody stated besides the images, ``comparison`` null where no prior study
    was given, ``management`` what published rules make of it all, ``limits`` what none of it says.
    ``deidentification`` says how identifiers were removed, and is null where they stand.
    """

    study: ReportedStudy
    context: Context
    software: Software
    provenance: Provenance
    quality: tuple[QualityCheck, ...]
    home_ground: HomeGround | None = None
    disease: LungDisease | None = None
    findings: tuple[ReportedNodule, ...]
    dominant: str | None
    comparison: Comparison | None
    management: Management
    limits: Limits
    warnings: tuple[StudyWarning, ...]
    added: tuple[ReportedNodule, ...] = ()
    rejected: tuple[ReportedNodule, ...] = ()
    reviews: tuple[AppliedReview, ...] = ()
    deidentification: Deidentification | None = None

    @property
    def sha256(self) -> str:
        """Digest of ``report.json``."""
        return hashlib.sha256(report_json(self)).hexdigest()

    @model_validator(mode="after")
    def _whose(self) -> Self:
        """Keep what the software found apart from what readers added."""
        for each in self.findings:
            if each.nodule.id[0] != "N" or each.assessment is None or each.nodule.lung is None:
                raise ValueError(f"{each.nodule.id} is not a finding of the software")
        for each in self.added:
            if each.nodule.id[0] != "R" or each.assessment is not None or each.reader is None:
                raise ValueError(f"{each.nodule.id} was not added by a reader")
        return self

    @property
    def active(self) -> tuple[ReportedNodule, ...]:
        """All nodules that the report states: found ones, then added ones."""
        return (*self.findings, *self.added)

    @property
    def diffuse(self) -> LungDisease | None:
        """What is diseased, where so much is that rules for nodules do not apply, else None."""
        return self.disease if self.disease is not None and self.disease.diffuse else None

    def is_inside(self, finding_id: str) -> bool:
        """Whether a finding lies in lung that is diffusely diseased."""
        return self.disease is not None and self.disease.holds(finding_id)

    @property
    def changes(self) -> dict[str, Change]:
        """What became of each finding that the prior study shows too, by its id."""
        return {} if self.comparison is None else self.comparison.by_current_id

    def temporal_status_of(self, finding_id: str) -> str | None:
        """Return what became of a finding since the prior study, None where that is not known.

        ``new`` is what the prior study covers and does not show.
        """
        change = self.changes.get(finding_id)
        if change is not None:
            return change.growth or "in both, not measured"
        new = () if self.comparison is None else self.comparison.new
        here = {each.finding.nodule.id: each.covered for each in new}
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
    def decisions(self) -> dict[str, AppliedDecision]:
        """The last decision on each finding that has one, by its id."""
        return {each.id: each for review in self.reviews for each in review.decisions}


def report_json(report: Report) -> bytes:
    """Return the content of ``report.json``."""
    return f"{report.model_dump_json(indent=2)}\n".encode()
