"""Which rules are asked about a report's findings, and with which facts.

Decisions
---------
* **Which rules** depends on why nodules were looked for, and only on that: screening asks Lung-RADS
  for the exam and each finding, NELSON and Brock for each; an incidental nodule asks Fleischner and
  BTS for the exam, Brock, Mayo and, with a PET, Herder for each; the follow-up of a known cancer
  hears why the others refuse, and which findings RECIST may follow.
* **Every finding that stands counts**, false ones included, until a reader rejects it; the advice
  is made anew when a review is applied.
* **Numbers are the report's own**, so that whoever recomputes a rule from the page or from
  ``report.json`` gets the same answer.
* **The course of a finding** comes from the comparison. ``baseline`` holds only where somebody said
  so; a finding that the prior study does not show is ``new`` only where that study covers its place
  and the match is not in doubt.
* **A missing fact that has two values** is answered both ways, as offers.
* **A mass** stays among the lesions of Lung-RADS, whose largest class has no upper limit; the rules
  for incidental nodules refuse it, and with it the exam.
* **Brock and Mayo** read the long axis, as their cohorts' readers measured it.
* 4X and S are never set; the rules offer them to the reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from nodule.followup.record import ChangeRecord, ComparisonRecord, FindingRecord
from nodule.guidelines import bts, fleischner, lung_rads, nelson, recist
from nodule.guidelines.facts import Nodule
from nodule.guidelines.from_findings import measured_nodule
from nodule.guidelines.growth import Volumetry
from nodule.guidelines.result import Offer, Result
from nodule.guidelines.risk import BrockFacts, MayoFacts, brock, herder, mayo
from nodule.report.context import Context, FindingFacts
from nodule.report.finding_parts import AddedPart, FindingPart, measurement_of
from nodule.report.person import KnownPerson, known_person
from nodule.report.study_parts import StudyPart
from nodule.study import PatientHeader

_DAYS_A_MONTH = 365.25 / 12
_POOR = "REGISTRATION_POOR"
_UPPER_LOBES = ("RUL", "LUL")
_NO_EARLIER_SCAN = ("earlier scan",)
_FOLLOWED = (
    "The table speaks of first sight: growth since the prior study is for the reader to weigh."
)
_RISK_WORDS: dict[fleischner.Risk, str] = {
    "low": "the clinician sees a low risk of cancer (below 5 %)",
    "high": "the clinician sees a higher risk of cancer (5 % or more)",
}

Standing = FindingPart | AddedPart


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

    # ---- screening

    def screening_exam(self) -> tuple[Result, ...]:
        """Ask Lung-RADS about the exam."""
        return (self._lung_rads_exam(baseline=False),)

    def screening_finding(self, finding: Standing) -> tuple[Result, ...]:
        """Ask Lung-RADS, NELSON and Brock about a finding."""
        if self.known.person.known_cancer:
            return (self._brock(finding),)
        lesion = self._lesion(finding)
        category = lung_rads.classify_lesion(lesion, version=self.context.lung_rads)
        if category.missing == _NO_EARLIER_SCAN:
            first = lung_rads.classify_lesion(
                replace(lesion, course="baseline"), version=self.context.lung_rads
            )
            category = _with_baseline_offer(category, first)
        pleural = self._facts(finding).pleural_based or False
        nodcat = nelson.categorize(lesion.nodule, person=self.known.person, pleural_based=pleural)
        return (category, nodcat, self._brock(finding), *self._nelson_growth(finding))

    def _lung_rads_exam(self, *, baseline: bool) -> Result:
        lesions = [self._lesion(each) for each in self.standing]
        if baseline:
            lesions = [
                replace(each, course="baseline") if each.prior is None else each for each in lesions
            ]
        result = lung_rads.classify_exam(
            lesions, person=self.known.person, version=self.context.lung_rads
        )
        missing = {fact.rpartition(": ")[2] for fact in result.missing}
        if not baseline and missing == set(_NO_EARLIER_SCAN):
            return _with_baseline_offer(result, self._lung_rads_exam(baseline=True))
        return result

    def _lesion(self, finding: Standing) -> lung_rads.ScreenedNodule:
        nodule = self._nodule(finding)
        comparison = self.comparison
        if comparison is None:
            first = self.context.setting == "screening-baseline"
            return lung_rads.ScreenedNodule(
                nodule=nodule, course="baseline" if first else "followed"
            )
        change = self._changes.get(finding.id)
        if change is not None:
            prior = self._prior(finding, change)
            return lung_rads.ScreenedNodule(nodule=nodule, course="followed", prior=prior)
        return lung_rads.ScreenedNodule(
            nodule=nodule, course="new" if finding.id in self._surely_new else "followed"
        )

    def _prior(self, finding: Standing, change: ChangeRecord) -> lung_rads.Prior:
        then = measured_nodule(change.prior.id, measurement_of(change.prior))
        days = self._days
        return lung_rads.Prior(
            size=then.size,
            solid_component=then.solid_component,
            composition=then.composition,
            months=None if days is None else days / _DAYS_A_MONTH,
            category=self._facts(finding).earlier_category,
        )

    def _nelson_growth(self, finding: Standing) -> Iterator[Result]:
        pair = self._volumes(finding)
        if pair is not None and self._days is not None:
            before, after = pair
            grown = nelson.judge_nelson_growth(before=before, after=after, days=self._days)
            yield replace(grown, subject=finding.id)

    # ---- incidental

    def incidental_exam(self) -> tuple[Result, ...]:
        """Ask Fleischner about the exam, and BTS about its largest finding."""
        return self._fleischner(), *self._bts()

    def incidental_finding(self, finding: Standing) -> tuple[Result, ...]:
        """Ask Brock, Mayo, with a PET Herder, and BTS about growth."""
        mayo_result = self._mayo(finding)
        return (
            self._brock(finding),
            mayo_result,
            *self._herder(finding, mayo_result),
            *self._bts_growth(finding),
        )

    def _fleischner(self) -> Result:
        nodules = [self._nodule(each) for each in self.standing]
        person, risk = self.known.person, self.context.risk
        result = fleischner.recommend(nodules, person=person, risk=risk)
        if self._changes and result.outcome == "applied":
            result = replace(result, caveats=(*result.caveats, _FOLLOWED))
        missing = {fact.rpartition(": ")[2] for fact in result.missing}
        if missing != {"risk"}:
            return result
        offers = []
        for each, when in _RISK_WORDS.items():
            other = fleischner.recommend(nodules, person=person, risk=each)
            offers.append(Offer(answer=other.answer or other.rule.text, when=when))
        return replace(result, offers=tuple(offers))

    def _bts(self) -> Iterator[Result]:
        measured = [each for each in self.standing if each.long_axis_mm is not None]
        largest = max(measured, key=lambda each: each.long_axis_mm or 0.0, default=None)
        if largest is not None:
            yield bts.assess(
                self._nodule(largest),
                person=self.known.person,
                brock_probability=_probability(self._brock(largest)),
                herder_probability=next(
                    (_probability(h) for h in self._herder(largest, self._mayo(largest))), None
                ),
            )

    def _bts_growth(self, finding: Standing) -> Iterator[Result]:
        pair, composition = self._volumes(finding), self._nodule(finding).composition
        if pair is not None and composition is not None and self._days is not None:
            before, after = pair
            result = bts.follow_up(
                composition=composition,
                before=before,
                after=after,
                days=self._days,
                method="automated volumetry",
            )
            yield replace(result, subject=finding.id)

    def _mayo(self, finding: Standing) -> Result:
        context = self.context
        facts = MayoFacts(
            age_years=self.known.person.age_years,
            smoker=self.known.smoker,
            extrathoracic_cancer_over_5_years_ago=context.extrathoracic_cancer_over_5_years_ago,
            excluding_cancer=self.known.excluding_cancer,
            diameter_mm=finding.long_axis_mm,
            spiculation=self._facts(finding).spiculation,
            upper_lobe=self._upper_lobe(finding),
        )
        return replace(mayo(facts), subject=finding.id)

    def _herder(self, finding: Standing, mayo_result: Result) -> Iterator[Result]:
        uptake = self._facts(finding).pet_uptake
        if uptake is not None:
            result = herder(mayo_probability=_probability(mayo_result), uptake=uptake)
            yield replace(result, subject=finding.id)

    # ---- known cancer

    def cancer_exam(self) -> tuple[Result, ...]:
        """Let the rules for nodules say why they refuse."""
        return self._lung_rads_exam(baseline=False), self._fleischner()

    def cancer_finding(self, finding: Standing) -> tuple[Result, ...]:
        """Ask RECIST whether a finding may be followed."""
        size = self._nodule(finding).size
        if size is None or size.axes_mm is None:
            missing = recist.RECIST.insufficient(["size"], subject=finding.id)
            return (missing,)
        technique = self.study.technique
        thickness_mm = technique.slice_thickness_mm or technique.spacing_zyx_mm[0]
        result = recist.eligibility(size, slice_thickness_mm=thickness_mm)
        return (replace(result, subject=finding.id),)

    # ---- facts

    @cached_property
    def _changes(self) -> dict[str, ChangeRecord]:
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
    def _days(self) -> int | None:
        """Days since the prior study, None for none: two scans of one day tell no growth."""
        comparison = self.comparison
        return (comparison.days or None) if comparison is not None else None

    def _facts(self, finding: Standing) -> FindingFacts:
        return self.context.findings.get(finding.id, FindingFacts())

    def _nodule(self, finding: Standing) -> Nodule:
        nodule = measured_nodule(finding.id, measurement_of(finding))
        return replace(nodule, benign_feature=self._facts(finding).benign_feature)

    def _upper_lobe(self, finding: Standing) -> bool | None:
        lobe = self._facts(finding).lobe
        return None if lobe is None else lobe in _UPPER_LOBES

    def _volumes(self, finding: Standing) -> tuple[Volumetry, Volumetry] | None:
        """Return volumes before and after, None unless both were measured."""
        change = self._changes.get(finding.id)
        if change is None:
            return None
        found = (_volumetry(change.prior), _volumetry(change.current))
        return None if found[0] is None or found[1] is None else (found[0], found[1])

    def _brock(self, finding: Standing) -> Result:
        context, facts = self.context, self._facts(finding)
        result = brock(
            BrockFacts(
                age_years=self.known.person.age_years,
                female=self.known.female,
                family_history=context.family_history,
                emphysema=context.emphysema,
                diameter_mm=finding.long_axis_mm,
                composition=self._nodule(finding).composition,
                upper_lobe=self._upper_lobe(finding),
                nodule_count=len(self.standing),
                spiculation=facts.spiculation,
                benign_feature=facts.benign_feature,
                prior_lung_cancer=context.prior_lung_cancer,
            )
        )
        if result.outcome == "applied" and finding.texture == "calcified":
            dense = "As dense as calcium: the model was fitted to non-calcified nodules."
            result = replace(result, caveats=(*result.caveats, dense))
        return replace(result, subject=finding.id)


def _with_baseline_offer(result: Result, first: Result) -> Result:
    """Offer what would hold were there no earlier scan."""
    if first.answer is None:
        return result
    when = "there is no earlier scan: state screening-baseline; else give the prior study"
    return replace(result, offers=(*result.offers, Offer(answer=first.answer, when=when)))


def _probability(result: Result) -> float | None:
    return result.figure("probability").value if result.outcome == "applied" else None


def _volumetry(measured: FindingRecord) -> Volumetry | None:
    if measured.volume_mm3 is None or measured.volume_limits_mm3 is None:
        return None
    return Volumetry(volume_mm3=measured.volume_mm3, error_share=measured.volume_error_share)
