"""A report's findings with the facts that rules may ask for.

Decisions
---------
* **Every active finding counts**, false ones included, until a reader rejects it; the rules are
  asked again when a review is applied.
* **Numbers are the report's own**, so that whoever recomputes a rule from the page or from
  ``report.json`` gets the same answer.
* **The temporal status of a finding** comes from the comparison. ``baseline`` holds only where it
  was stated; a finding that the prior study does not show is ``new`` only where that study covers
  its place and the match is not in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from nodule.advice._measured_nodule import measured_nodule
from nodule.advice._person import KnownPerson, known_person
from nodule.advice.context import Context, FindingFacts
from nodule.findings import AssessedNodule
from nodule.followup import Change, Comparison, volumetry
from nodule.guidelines import lung_rads
from nodule.guidelines.facts import NoduleFacts
from nodule.guidelines.growth import Volumetry
from nodule.lung_disease import LungDisease
from nodule.study import PatientHeader

_DAYS_A_MONTH = 365.25 / 12
_POOR = "REGISTRATION_POOR"
_UPPER_LOBES = ("RUL", "LUL")


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
    patient : the header, for what was not stated.
    slice_mm : how thick the slices are, or how far apart where that is not stated.
    active : every finding that counts, its numbers as printed.
    comparison : with the prior study, None where there was none.
    disease : how much of the lungs is diseased beyond nodules, None where nobody measured it.
    """

    context: Context
    patient: PatientHeader
    slice_mm: float
    active: tuple[AssessedNodule, ...]
    comparison: Comparison | None
    disease: LungDisease | None = None

    @cached_property
    def withheld(self) -> LungDisease | None:
        """What is diseased, where rules for nodules wait for a reader's judgement of it."""
        if self.disease is None or not self.disease.diffuse:
            return None
        judged = self.reader.diffuse_disease_judged or self.reader.incomplete is not None
        return None if judged else self.disease

    @cached_property
    def outside(self) -> Case:
        """The case of those findings alone that lie outside diffusely diseased lung."""
        if self.withheld is None:
            return self
        kept = tuple(e for e in self.active if not self.withheld.holds(e.nodule.id))
        return replace(self, active=kept)

    @cached_property
    def known(self) -> KnownPerson:
        """What is known of the person."""
        return known_person(self.context, self.patient)

    @property
    def reader(self) -> lung_rads.ReaderStatement:
        """What the reader decided about the exam; nothing where nothing was stated."""
        return self.context.reader or lung_rads.ReaderStatement()

    @cached_property
    def changes(self) -> dict[str, Change]:
        """What has become of the findings that the prior study shows too, by their ids."""
        return {} if self.comparison is None else self.comparison.by_current_id

    @cached_property
    def _surely_new(self) -> frozenset[str]:
        """Ids of the findings that the prior study would show, had they been there."""
        if self.comparison is None:
            return frozenset()
        if _POOR in {warning.code for warning in self.comparison.warnings}:
            return frozenset()
        new = self.comparison.new
        return frozenset(e.finding.nodule.id for e in new if e.covered and not e.ambiguous)

    @property
    def days(self) -> int | None:
        """Days since the prior study, None for none: two scans of one day tell no growth."""
        comparison = self.comparison
        return (comparison.days or None) if comparison is not None else None

    @property
    def baseline(self) -> bool | None:
        """Whether this is the first round of screening, None where it is not stated."""
        if self.context.setting == "screening" and self.comparison is None:
            return None
        return self.context.setting == "screening-baseline"

    @property
    def months(self) -> float | None:
        """Months since the prior study, None for none."""
        return None if self.days is None else self.days / _DAYS_A_MONTH

    def facts(self, finding: AssessedNodule) -> FindingFacts:
        """Return what somebody stated of a finding."""
        return self.context.of(finding.nodule.id)

    def nodule(self, finding: AssessedNodule) -> NoduleFacts:
        """Return a finding as rules read it."""
        nodule = measured_nodule(finding.nodule)
        return replace(nodule, benign_feature=self.facts(finding).benign_feature)

    def upper_lobe(self, finding: AssessedNodule) -> bool | None:
        """Whether it lies in an upper lobe, None where the lobe is not stated."""
        lobe = self.facts(finding).lobe
        return None if lobe is None else lobe in _UPPER_LOBES

    def volumes(self, finding: AssessedNodule) -> FollowedVolumes | None:
        """Return volumes before and after, None unless both were measured some days apart."""
        change = self.changes.get(finding.nodule.id)
        if change is None or self.days is None:
            return None
        before, after = (
            volumetry(each.nodule.measurement) for each in (change.prior, change.current)
        )
        if before is None or after is None:
            return None
        return FollowedVolumes(before=before, after=after, days=self.days)

    def lesion(self, finding: AssessedNodule) -> lung_rads.ScreenedNodule:
        """Return a finding with its temporal status, as Lung-RADS reads it."""
        nodule = self.nodule(finding)
        comparison = self.comparison
        if comparison is None:
            return lung_rads.ScreenedNodule(
                nodule=nodule, temporal_status="baseline" if self.baseline else "followed"
            )
        change = self.changes.get(finding.nodule.id)
        if change is not None:
            prior = self._prior(finding, change)
            return lung_rads.ScreenedNodule(nodule=nodule, temporal_status="followed", prior=prior)
        return lung_rads.ScreenedNodule(
            nodule=nodule,
            temporal_status="new" if finding.nodule.id in self._surely_new else "followed",
        )

    def _prior(self, finding: AssessedNodule, change: Change) -> lung_rads.Prior:
        then = measured_nodule(change.prior.nodule)
        return lung_rads.Prior(
            size=then.size,
            solid_component=then.solid_component,
            composition=then.composition,
            months=self.months,
            category=self.facts(finding).earlier_category,
        )
