"""A model that asks for spiculation, where readers, networks or nobody say something of it."""

from dataclasses import replace

import pytest

from nodule.advice._spiculation import by_spiculation, rests_on_suggestion
from nodule.findings import Assessment, Characteristics, Malignancy, Ordinal
from nodule.guidelines.result import Result
from nodule.guidelines.risk import MayoFacts, mayo

KNOWN = MayoFacts(
    age_years=60,
    smoker=True,
    extrathoracic_cancer_over_5_years_ago=False,
    excluding_cancer=False,
    diameter_mm=12.0,
    upper_lobe=False,
)
EVEN: Ordinal = (0.2, 0.2, 0.2, 0.2, 0.2)
LOOK = Characteristics(
    subtlety=EVEN,
    sphericity=EVEN,
    margin=EVEN,
    lobulation=EVEN,
    spiculation=EVEN,
    texture=EVEN,
    internal_structure=(1.0, 0.0, 0.0, 0.0),
    calcification=(0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
)


def ask(spiculated: bool | None) -> Result:
    return mayo(replace(KNOWN, spiculation=spiculated))


def rated(spiculation: Ordinal) -> Assessment:
    return Assessment(
        probability=0.9,
        malignancy=Malignancy(distribution=EVEN),
        characteristics=replace(LOOK, spiculation=spiculation),
    )


@pytest.mark.parametrize("stated", [True, False])
def test_what_a_reader_states_is_used_whatever_the_networks_say(stated: bool) -> None:
    result = by_spiculation(ask, stated=stated, assessment=rated((0.0, 0.0, 0.0, 0.0, 1.0)))
    assert result == ask(stated)
    assert rests_on_suggestion(result) == ()


@pytest.mark.parametrize(
    ("shares", "suggested"),
    [((0.0, 0.0, 0.0, 1.0, 0.0), True), ((0.0, 1.0, 0.0, 0.0, 0.0), False)],
)
def test_the_networks_suggest_and_the_other_answer_is_offered(
    shares: Ordinal, suggested: bool
) -> None:
    result = by_spiculation(ask, stated=None, assessment=rated(shares))
    assert result.answer == ask(suggested).answer
    assert [offer.answer for offer in result.offers] == [ask(not suggested).answer]
    assert result.missing == ("spiculation",)
    assert result.inputs["spiculation (suggested)"] is suggested
    assert "spiculation" not in result.inputs
    (caveat,) = rests_on_suggestion(result)
    assert "a reader must confirm" in caveat


@pytest.mark.parametrize("assessment", [None, rated(EVEN)])
def test_where_nobody_suggests_anything_both_answers_are_offered(
    assessment: Assessment | None,
) -> None:
    result = by_spiculation(ask, stated=None, assessment=assessment)
    assert (result.outcome, result.missing) == ("insufficient", ("spiculation",))
    assert [offer.answer for offer in result.offers] == [ask(True).answer, ask(False).answer]


def test_other_missing_facts_come_first() -> None:
    def ask_of_nobody(spiculated: bool | None) -> Result:
        return mayo(replace(KNOWN, age_years=None, spiculation=spiculated))

    result = by_spiculation(ask_of_nobody, stated=None, assessment=rated((0, 0, 0, 0, 1)))
    assert result.outcome == "insufficient"
    assert set(result.missing) == {"age_years", "spiculation"}
