"""A report's findings with the facts that rules may ask for.

Decisions
---------
* **Every finding that stands counts**, false ones included, until a reader rejects it; the advice
  is made anew when a review is applied.
* **Numbers are the report's own**, so that whoever recomputes a rule from the page or from
  ``report.json`` gets the same answer.
* **The course of a finding** comes from the comparison. ``baseline`` holds only where somebody said
  so; a finding that the prior study does not show is ``new`` only where that study covers its place
  and the match is not in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from nodule.advice.context import Context, FindingFacts
from nodule.advice.measured_nodule import measured_nodule
from nodule.advice.person import KnownPerson, known_person
from nodule.followup.record import ChangeRecord, ComparisonRecord, FindingRecord
from nodule.guidelines import lung_rads
from nodule.guidelines.facts import NoduleFacts
from nodule.guidelines.growth import Volumetry
from nodule.report.finding_parts import AddedPart, FindingPart, measurement_of
from nodule.report.study_parts import StudyPart
from nodule.study import PatientHeader

_DAYS_A_MONTH = 365.25 / 12
_POOR = "REGISTRATION_POOR"
_UPPER_LOBES = ("RUL", "LUL")

Standing = FindingPart | AddedPart


@dataclass(frozen=True, kw_only=True)
class FollowedVolumes:
    """A nodule's volumes on the prior study and on this one, ``days`` later."""

    before: Volumetry
    after: Volumetry
    days: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A report's findings as the rules see them.

    Parameters
    ----------
    context : what somebody stated.
    study : its patient's header and its technique are read.
    standing : every finding that counts.
    comparison : with the prior study, None where there was none.
    """

    context: Context
    study: StudyPart
    standing: tuple[Standing, ...]
    comparison: ComparisonRecord | None

    @cached_property
    def known(self) -> KnownPerson:
        """What is known of the person."""
        header = PatientHeader(**self.study.patient.model_dump())
        return known_person(self.context, header)

    @property
    def reader(self) -> lung_rads.ReaderStatement:
        """What the reader decided of the exam; nothing where nobody said so."""
        said = self.context.reader
        return lung_rads.ReaderStatement(**({} if said is None else said.model_dump()))

    @cached_property
    def changes(self) -> dict[str, ChangeRecord]:
        """What has become of the findings that the prior study shows too, by their ids."""
        changes = () if self.comparison is None else self.comparison.changes
        return {change.current.id: change for change in changes}

    @cached_property
    def _surely_new(self) -> frozenset[str]:
        """Ids of the findings that the prior study would show, had they been there."""
        if self.comparison is None:
            return frozenset()
        if _POOR in {warning.code for warning in self.comparison.warnings}:
            return frozenset()
        lone = self.comparison.new
        return frozenset(each.finding.id for each in lone if each.covered and not each.ambiguous)

    @property
    def days(self) -> int | None:
        """Days since the prior study, None for none: two scans of one day tell no growth."""
        comparison = self.comparison
        return (comparison.days or None) if comparison is not None else None

    @property
    def baseline(self) -> bool | None:
        """Whether this is the first round of screening, None where nobody says."""
        if self.context.setting == "screening" and self.comparison is None:
            return None
        return self.context.setting == "screening-baseline"

    @property
    def months(self) -> float | None:
        """Months since the prior study, None for none."""
        return None if self.days is None else self.days / _DAYS_A_MONTH

    def facts(self, finding: Standing) -> FindingFacts:
        """Return what somebody stated of a finding."""
        return self.context.findings.get(finding.id, FindingFacts())

    def nodule(self, finding: Standing) -> NoduleFacts:
        """Return a finding as rules read it."""
        nodule = measured_nodule(finding.id, measurement_of(finding))
        return replace(nodule, benign_feature=self.facts(finding).benign_feature)

    def upper_lobe(self, finding: Standing) -> bool | None:
        """Whether it lies in an upper lobe, None where nobody named the lobe."""
        lobe = self.facts(finding).lobe
        return None if lobe is None else lobe in _UPPER_LOBES

    def volumes(self, finding: Standing) -> FollowedVolumes | None:
        """Return volumes before and after, None unless both were measured some days apart."""
        change = self.changes.get(finding.id)
        if change is None or self.days is None:
            return None
        before, after = _volumetry(change.prior), _volumetry(change.current)
        if before is None or after is None:
            return None
        return FollowedVolumes(before=before, after=after, days=self.days)

    def lesion(self, finding: Standing) -> lung_rads.ScreenedNodule:
        """Return a finding with its course, as Lung-RADS reads it."""
        nodule = self.nodule(finding)
        comparison = self.comparison
        if comparison is None:
            return lung_rads.ScreenedNodule(
                nodule=nodule, course="baseline" if self.baseline else "followed"
            )
        change = self.changes.get(finding.id)
        if change is not None:
            prior = self._prior(finding, change)
            return lung_rads.ScreenedNodule(nodule=nodule, course="followed", prior=prior)
        return lung_rads.ScreenedNodule(
            nodule=nodule, course="new" if finding.id in self._surely_new else "followed"
        )

    def _prior(self, finding: Standing, change: ChangeRecord) -> lung_rads.Prior:
        then = measured_nodule(change.prior.id, measurement_of(change.prior))
        return lung_rads.Prior(
            size=then.size,
            solid_component=then.solid_component,
            composition=then.composition,
            months=self.months,
            category=self.facts(finding).earlier_category,
        )


def _volumetry(measured: FindingRecord) -> Volumetry | None:
    if measured.volume_mm3 is None or measured.volume_limits_mm3 is None:
        return None
    return Volumetry(volume_mm3=measured.volume_mm3, error_share=measured.volume_error_share)
