"""Probability of cancer by published logistic models: Brock, Mayo, Herder.

None is computed without every input of its model: imaging alone does not know age, sex or history.

Decisions
---------
* **Brock** takes the raw diameter in ``(d / 10)^-0.5 - 1.58113883``; nothing is subtracted first
  (a footnote's "4 mm" only explains the constant). Model 2b comes in the seven digits of the
  authors' calculator (the default) and in the paper's four; they agree within 1e-4. Model 2a's
  ground-glass term is the paper's -0.3005, not the -0.3055 that one calculator prints.
* Brock was fitted on non-calcified nodules of at least 1 mm at a first screening CT; nodules at
  fissures in the shape of a lymph node were never cancer. It is refused for nodules benign by
  their look, outside 1 to 30 mm, and after lung cancer. BTS 2015 uses it on incidental nodules too.
* The right middle lobe is no upper lobe; "ground-glass" is pure ground glass.
* **Mayo**'s intercept is -6.8272 as in the paper. It is refused outside the 4 to 30 mm of its
  cohort, with a cancer of the last five years, and after any lung cancer.
* **Herder** adds uptake on PET to Mayo's probability, taken as a fraction from 0 to 1.
* All cohorts were adults: under 18 years every model is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from nodule.errors import InputError
from nodule.guidelines.brock_models import AT_4_MM, BROCK_MODELS, BrockModel, BrockName
from nodule.guidelines.facts import (
    ADULT_YEARS,
    BenignFeature,
    Composition,
    check_positive,
    unstated,
)
from nodule.guidelines.result import Figure, Result, Rule, RuleSet

Uptake = Literal["absent", "faint", "moderate", "intense"]

_BROCK_RANGE_MM = (1.0, 30.0)
_MAYO_RANGE_MM = (4.0, 30.0)
_BROCK_CITATION = "McWilliams et al., N Engl J Med 2013;369:910-919"
_MAYO = RuleSet(
    name="Mayo", version="1997", citation="Swensen et al., Arch Intern Med 1997;157:849-855"
)
_HERDER = RuleSet(name="Herder", version="2005", citation="Herder et al., Chest 2005;128:2490-2496")


@dataclass(frozen=True, kw_only=True)
class BrockFacts:
    """Inputs of the Brock (PanCan) models. None is unknown.

    Parameters
    ----------
    diameter_mm : raw, not rounded.
    upper_lobe : right or left upper lobe.
    nodule_count : nodules on the scan, this one included.
    emphysema : seen on the CT.
    prior_lung_cancer : known to have had one; such people were not in the cohort.

    Raises
    ------
    InputError : ``BAD_SIZE`` or ``BAD_COUNT``.
    """

    age_years: int | None = None
    female: bool | None = None
    family_history: bool | None = None
    emphysema: bool | None = None
    diameter_mm: float | None = None
    composition: Composition | None = None
    upper_lobe: bool | None = None
    nodule_count: int | None = None
    spiculation: bool | None = None
    benign_feature: BenignFeature | None = None
    prior_lung_cancer: bool | None = None

    def __post_init__(self) -> None:
        check_positive("diameter_mm", self.diameter_mm)
        if self.nodule_count is not None and self.nodule_count < 1:
            raise InputError(
                "the count of nodules is not valid",
                code="BAD_COUNT",
                expected="1 or more",
                got=self.nodule_count,
            )


@dataclass(frozen=True, kw_only=True)
class MayoFacts:
    """Inputs of the Mayo model. None is unknown.

    Parameters
    ----------
    smoker : current or former.
    extrathoracic_cancer_over_5_years_ago : a history that counts.
    excluding_cancer : a cancer of the last five years, or any lung cancer: not in the cohort.
    """

    age_years: int | None = None
    smoker: bool | None = None
    extrathoracic_cancer_over_5_years_ago: bool | None = None
    excluding_cancer: bool | None = None
    diameter_mm: float | None = None
    spiculation: bool | None = None
    upper_lobe: bool | None = None

    def __post_init__(self) -> None:
        check_positive("diameter_mm", self.diameter_mm)


def brock(facts: BrockFacts, *, model: BrockName = "2b") -> Result:
    """Probability that a nodule of a screened person is cancer within two to four years.

    Parameters
    ----------
    facts : of the person and the nodule.
    model : which of the paper's models; ``2b`` is the one that BTS 2015 uses.
    """
    weights = BROCK_MODELS[model]
    rules = RuleSet(name="Brock", version=f"2013 {model}", citation=_BROCK_CITATION)
    inputs = asdict(facts)
    refusal = _brock_refusal(facts)
    if refusal is not None:
        return rules.out_of_scope(refusal, inputs=inputs)
    missing = unstated(facts, weights.needed)
    if missing:
        return rules.insufficient(missing, inputs=inputs)
    caveats = ["Fitted at a first screening CT, on current and former smokers."]
    if facts.prior_lung_cancer is None:
        caveats.append(
            "Holds only without an earlier lung cancer; whether there was one is not stated."
        )
    return _answer(
        rules,
        Rule(
            id=f"brock-{model}",
            text=f"Logistic {weights.title}.",
            where="table 2",
        ),
        _logistic(_brock_log_odds(facts, weights)),
        inputs={name: inputs[name] for name in weights.needed},
        caveats=tuple(caveats),
    )


def mayo(facts: MayoFacts) -> Result:
    """Probability that a solitary nodule without a diagnosis is cancer."""
    inputs = asdict(facts)
    refusal = _mayo_refusal(facts)
    if refusal is not None:
        return _MAYO.out_of_scope(refusal, inputs=inputs)
    missing = unstated(facts, inputs)
    if missing:
        return _MAYO.insufficient(missing, inputs=inputs)
    log_odds = (
        -6.8272
        + 0.0391 * (facts.age_years or 0)
        + 0.7917 * bool(facts.smoker)
        + 1.3388 * bool(facts.extrathoracic_cancer_over_5_years_ago)
        + 0.1274 * (facts.diameter_mm or 0.0)
        + 1.0407 * bool(facts.spiculation)
        + 0.7838 * bool(facts.upper_lobe)
    )
    return _answer(
        _MAYO,
        Rule(id="mayo", text="Logistic model of six features.", where="clinical prediction model"),
        _logistic(log_odds),
        inputs=inputs,
        caveats=("Made for a solitary nodule.",),
    )


_UPTAKE = {"absent": 0.0, "faint": 2.322, "moderate": 4.617, "intense": 4.771}


def herder(*, mayo_probability: float | None, uptake: Uptake | None) -> Result:
    """Probability of cancer from Mayo's and uptake on FDG-PET.

    Parameters
    ----------
    mayo_probability : from 0 to 1.
    uptake : absent, like lung; faint, up to the mediastinal blood pool; moderate, above it;
        intense, far above it.

    Raises
    ------
    InputError : ``BAD_PROBABILITY``.
    """
    inputs = {"mayo_probability": mayo_probability, "uptake": uptake}
    if mayo_probability is None or uptake is None:
        return _HERDER.insufficient([n for n, v in inputs.items() if v is None], inputs=inputs)
    if not 0.0 <= mayo_probability <= 1.0:
        raise InputError(
            "Mayo's probability is not valid",
            code="BAD_PROBABILITY",
            expected="a fraction from 0 to 1",
            got=mayo_probability,
            hint="Divide a percentage by 100.",
        )
    return _answer(
        _HERDER,
        Rule(id="herder", text="Logistic model of Mayo's probability and uptake.", where="results"),
        _logistic(-4.739 + 3.691 * mayo_probability + _UPTAKE[uptake]),
        inputs=inputs,
    )


def _brock_log_odds(facts: BrockFacts, weights: BrockModel) -> float:
    """Sum of the weighted facts; facts that the model does not read weigh nothing."""
    size = 1 / math.sqrt((facts.diameter_mm or 0.0) / 10) - AT_4_MM
    return (
        weights.constant
        + weights.size * size
        + weights.age_years * ((facts.age_years or 0) - 62)
        + weights.nodule_count * ((facts.nodule_count or 0) - 4)
        + weights.female * bool(facts.female)
        + weights.family_history * bool(facts.family_history)
        + weights.emphysema * bool(facts.emphysema)
        + weights.upper_lobe * bool(facts.upper_lobe)
        + weights.spiculation * bool(facts.spiculation)
        + weights.ground_glass * (facts.composition == "ground-glass")
        + weights.part_solid * (facts.composition == "part-solid")
    )


def _brock_refusal(facts: BrockFacts) -> Rule | None:
    if facts.benign_feature is not None:
        return _scope("benign", "Not for a nodule that is benign by its appearance or by proof.")
    if facts.prior_lung_cancer:
        return _scope("lung-cancer", "Not after an earlier lung cancer.")
    return _adult(facts.age_years) or _within(facts.diameter_mm, _BROCK_RANGE_MM)


def _mayo_refusal(facts: MayoFacts) -> Rule | None:
    if facts.excluding_cancer:
        return _scope("cancer", "Not with a cancer of the last five years or any lung cancer.")
    return _adult(facts.age_years) or _within(facts.diameter_mm, _MAYO_RANGE_MM)


def _adult(age_years: int | None) -> Rule | None:
    if age_years is None or age_years >= ADULT_YEARS:
        return None
    return _scope("age", f"Not under {ADULT_YEARS} years.")


def _within(diameter_mm: float | None, limits_mm: tuple[float, float]) -> Rule | None:
    low, high = limits_mm
    if diameter_mm is None or low <= diameter_mm <= high:
        return None
    return _scope("size", f"Only for nodules of {low:g} to {high:g} mm.")


def _scope(what: str, text: str) -> Rule:
    return Rule(id=f"scope-{what}", text=text, where="people and nodules studied")


def _answer(
    rules: RuleSet,
    rule: Rule,
    probability: float,
    *,
    inputs: Mapping[str, object],
    caveats: tuple[str, ...] = (),
) -> Result:
    return rules.applied(
        rule,
        f"{100 * probability:.1f} %",
        figures=(Figure(name="probability", unit="", value=probability),),
        inputs=inputs,
        caveats=caveats,
    )


def _logistic(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))
