"""Which rules are asked about a report's findings.

Decisions
---------
* **Which rules** depends on why nodules were looked for, and only on that: screening asks Lung-RADS
  for the exam and each finding, NELSON and Brock for each; an incidental nodule asks Fleischner and
  BTS for the exam, Brock, Mayo and, with a PET, Herder for each; the follow-up of a known cancer
  hears why the others refuse, and which findings RECIST may follow.
* **One answer a rule set and finding**: BTS (solid nodules) and NELSON judge growth where both
  studies give a volume, else the first sight. To BTS a subsolid nodule persists where a prior study
  of three months or more shows it, in whole months as Lung-RADS counts them. The exam hears BTS on
  the largest finding and on every other one whose growth asks for more than surveillance.
* **A missing fact that has two values** is answered both ways, as offers.
* **A mass** stays among the lesions of Lung-RADS, whose largest class has no upper limit; the rules
  for incidental nodules refuse it, and with it the exam.
* **Brock and Mayo** read the long axis, as their cohorts' readers measured it, and where no reader
  states spiculation the networks' suggestion (:mod:`nodule.advice._spiculation`).
* **4X, S and 0** are never set but by the reader's statement; the rules offer them. What would hold
  at baseline is offered without the statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from nodule.advice._spiculation import by_spiculation, rests_on_suggestion
from nodule.advice.case import Case
from nodule.findings import AssessedNodule
from nodule.guidelines import bts, fleischner, lung_rads, nelson, recist
from nodule.guidelines.facts import half_up
from nodule.guidelines.result import Offer, Result
from nodule.guidelines.risk import BrockFacts, MayoFacts, brock, herder, mayo

_NO_EARLIER_SCAN = ("earlier scan",)
_FOLLOWED = (
    "The table is for nodules seen for the first time: "
    "the reader must assess growth since the prior study."
)
_RISK_WORDS: dict[fleischner.Risk, str] = {
    "low": "the clinician estimates a low risk of cancer (below 5 %)",
    "high": "the clinician estimates a higher risk of cancer (5 % or more)",
}


def screening_exam(case: Case) -> tuple[Result, ...]:
    """Ask Lung-RADS about the exam."""
    return (_lung_rads_exam(case, baseline=False),)


def screening_finding(case: Case, finding: AssessedNodule) -> tuple[Result, ...]:
    """Ask Lung-RADS, NELSON and Brock about a finding."""
    return (*_lung_rads(case, finding), _nelson(case, finding), _brock(case, finding))


def _lung_rads_exam(case: Case, *, baseline: bool) -> Result:
    lesions = [case.lesion(each) for each in case.active]
    if baseline:
        lesions = [
            replace(each, temporal_status="baseline") if each.prior is None else each
            for each in lesions
        ]
    result = lung_rads.classify_exam(
        lesions,
        person=case.known.person,
        reader=None if baseline else case.reader,
        version=case.context.lung_rads,
    )
    missing = {fact.rpartition(": ")[2] for fact in result.missing}
    if not baseline and missing == set(_NO_EARLIER_SCAN):
        return _with_baseline_offer(result, _lung_rads_exam(case, baseline=True))
    return result


def _lung_rads(case: Case, finding: AssessedNodule) -> Iterator[Result]:
    version = case.context.lung_rads
    if lung_rads.refuse(case.known.person, version=version) is not None:
        return  # the exam's card says why
    lesion = case.lesion(finding)
    category = lung_rads.classify_lesion(lesion, version=version)
    if category.missing == _NO_EARLIER_SCAN:
        first = lung_rads.classify_lesion(
            replace(lesion, temporal_status="baseline"), version=version
        )
        category = _with_baseline_offer(category, first)
    if case.reader.upgrade_to_4x:
        category = replace(
            category, offers=tuple(offer for offer in category.offers if offer.answer != "4X")
        )
    yield category


def _nelson(case: Case, finding: AssessedNodule) -> Result:
    """Ask NELSON about growth where both volumes are known, else for the baseline category."""
    nodule, person, volumes = case.nodule(finding), case.known.person, case.volumes(finding)
    pleural = case.facts(finding).pleural_based or False
    if volumes is not None:
        return nelson.judge_nelson_growth(
            nodule,
            person=person,
            before=volumes.before,
            after=volumes.after,
            days=volumes.days,
            pleural_based=pleural,
        )

    def categorize(baseline: bool | None) -> Result:
        return nelson.categorize(nodule, person=person, baseline=baseline, pleural_based=pleural)

    result = categorize(case.baseline)
    if result.missing == _NO_EARLIER_SCAN:
        return _with_baseline_offer(result, categorize(True))
    return result


def incidental_exam(case: Case) -> tuple[Result, ...]:
    """Ask Fleischner about the exam, and BTS about its largest finding and those that grew."""
    return _fleischner(case), *_bts_exam(case)


def incidental_finding(case: Case, finding: AssessedNodule) -> tuple[Result, ...]:
    """Ask Brock, Mayo, with a PET Herder, and BTS of what the prior study shows too."""
    mayo_result = _mayo(case, finding)
    followed = (_bts(case, finding),) if finding.nodule.id in case.changes else ()
    return (
        _brock(case, finding),
        mayo_result,
        *_herder(case, finding, mayo_result),
        *followed,
    )


def _fleischner(case: Case) -> Result:
    nodules = [case.nodule(each) for each in case.active]
    person, risk = case.known.person, case.context.risk
    result = fleischner.recommend(nodules, person=person, risk=risk)
    if case.changes and result.outcome == "applied":
        result = replace(result, caveats=(*result.caveats, _FOLLOWED))
    if "risk" not in {fact.rpartition(": ")[2] for fact in result.missing}:
        return result
    offers = []
    for each, when in _RISK_WORDS.items():
        other = fleischner.recommend(nodules, person=person, risk=each)
        answer = other.answer or next((each.answer for each in other.offers), other.rule.text)
        offers.append(Offer(answer=answer, when=when))
    return replace(result, offers=tuple(offers))


def _bts_exam(case: Case) -> Iterator[Result]:
    measured = [each for each in case.active if each.nodule.measurement is not None]
    largest = max(measured, key=lambda each: _long_axis_mm(each) or 0.0, default=None)
    for finding in measured:
        result = _bts(case, finding)
        if finding is largest or result.answer in bts.ACT_ON_GROWTH:
            yield result


def _bts(case: Case, finding: AssessedNodule) -> Result:
    """Ask BTS once: about growth of a solid nodule with both volumes, else as at first sight."""
    nodule, person, volumes = case.nodule(finding), case.known.person, case.volumes(finding)
    if nodule.composition == "solid" and volumes is not None:
        return bts.follow_up(
            nodule,
            person=person,
            before=volumes.before,
            after=volumes.after,
            days=volumes.days,
            method="automated volumetry",
        )
    brock_result, mayo_result = _brock(case, finding), _mayo(case, finding)
    herders = _herder(case, finding, mayo_result)
    result = bts.assess(
        nodule,
        person=person,
        brock_probability=_probability(brock_result),
        herder_probability=next((_probability(each) for each in herders), None),
        persists_at_3_months=_persists(case, finding),
    )
    if "Brock" in result.inputs:
        caveats = (*result.caveats, *rests_on_suggestion(brock_result))
        result = replace(result, caveats=caveats)
    if finding.nodule.id in case.changes and result.due_months is not None:
        result = replace(result, caveats=(*result.caveats, _FOLLOWED))
    return result


def _persists(case: Case, finding: AssessedNodule) -> bool | None:
    """Whether a scan of three months ago or more shows the finding too, None where none tells."""
    if finding.nodule.id not in case.changes or case.months is None:
        return None
    return half_up(case.months, Decimal(1)) >= bts.PERSISTS_MONTHS or None


def _mayo(case: Case, finding: AssessedNodule) -> Result:
    context = case.context
    facts = MayoFacts(
        age_years=case.known.person.age_years,
        smoker=case.known.smoker,
        extrathoracic_cancer_over_5_years_ago=context.extrathoracic_cancer_over_5_years_ago,
        excluding_cancer=case.known.excluding_cancer,
        diameter_mm=_long_axis_mm(finding),
        upper_lobe=case.upper_lobe(finding),
    )
    result = by_spiculation(
        lambda spiculated: mayo(replace(facts, spiculation=spiculated)),
        stated=case.facts(finding).spiculation,
        assessment=finding.assessment,
    )
    return replace(result, subject=finding.nodule.id)


def _herder(case: Case, finding: AssessedNodule, mayo_result: Result) -> Iterator[Result]:
    uptake = case.facts(finding).pet_uptake
    if uptake is not None:
        result = herder(mayo_probability=_probability(mayo_result), uptake=uptake)
        caveats = (*result.caveats, *rests_on_suggestion(mayo_result))
        yield replace(result, caveats=caveats, subject=finding.nodule.id)


def cancer_exam(case: Case) -> tuple[Result, ...]:
    """Let the rules for nodules say why they refuse."""
    return _lung_rads_exam(case, baseline=False), _fleischner(case)


def cancer_finding(case: Case, finding: AssessedNodule) -> tuple[Result, ...]:
    """Ask RECIST whether a finding may be followed."""
    size = case.nodule(finding).size
    if size is None or size.axes_mm is None:
        missing = recist.RECIST.insufficient(["size"], subject=finding.nodule.id)
        return (missing,)
    result = recist.eligibility(size, slice_thickness_mm=case.slice_mm)
    return (replace(result, subject=finding.nodule.id),)


def _brock(case: Case, finding: AssessedNodule) -> Result:
    context, facts = case.context, case.facts(finding)
    known = BrockFacts(
        age_years=case.known.person.age_years,
        female=case.known.female,
        family_history=context.family_history,
        emphysema=context.emphysema,
        diameter_mm=_long_axis_mm(finding),
        composition=case.nodule(finding).composition,
        upper_lobe=case.upper_lobe(finding),
        nodule_count=len(case.active),
        benign_feature=facts.benign_feature,
        prior_lung_cancer=context.prior_lung_cancer,
    )
    result = by_spiculation(
        lambda spiculated: brock(replace(known, spiculation=spiculated)),
        stated=facts.spiculation,
        assessment=finding.assessment,
    )
    measured = finding.nodule.measurement
    if result.outcome == "applied" and measured is not None and measured.texture == "calcified":
        dense = "As dense as calcium: the model was fitted to non-calcified nodules."
        result = replace(result, caveats=(*result.caveats, dense))
    return replace(result, subject=finding.nodule.id)


def _with_baseline_offer(result: Result, first: Result) -> Result:
    """Offer what would hold were there no earlier scan."""
    if first.answer is None:
        return result
    when = "there is no earlier scan: state screening-baseline; else give the prior study"
    return replace(result, offers=(*result.offers, Offer(answer=first.answer, when=when)))


def _probability(result: Result) -> float | None:
    return result.figure("probability").value if result.outcome == "applied" else None


def _long_axis_mm(finding: AssessedNodule) -> float | None:
    measured = finding.nodule.measurement
    return None if measured is None else measured.long_axis_mm
