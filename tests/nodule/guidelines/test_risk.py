"""Brock, Mayo and Herder against the vectors and against sums by hand."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodule.errors import InputError
from nodule.guidelines.brock_models import BrockName
from nodule.guidelines.risk import BrockFacts, MayoFacts, Uptake, brock, herder, mayo

COLUMNS = {
    "2b": "p_full_with_spic_2b_7digit",
    "2b four digits": "p_full_with_spic_2b_4digit",
    "2a": "p_full_no_spic_2a",
    "1a": "p_parsimonious_1a",
    "1b": "p_parsimonious_1b",
}
COMPOSITIONS = {"solid": "solid", "part": "part-solid", "nonsolid": "ground-glass"}
WOMAN = BrockFacts(
    age_years=65,
    female=True,
    family_history=False,
    emphysema=False,
    diameter_mm=15,
    composition="solid",
    upper_lobe=True,
    nodule_count=1,
    spiculation=False,
    prior_lung_cancer=False,
)
MAN = MayoFacts(
    age_years=55,
    smoker=False,
    extrathoracic_cancer_over_5_years_ago=False,
    excluding_cancer=False,
    diameter_mm=20,
    spiculation=False,
    upper_lobe=False,
)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("model", list(COLUMNS))
def test_every_brock_vector_comes_out_as_stated(shared: Path, model: str) -> None:
    rows = _rows(shared / "clinical/vectors/brock_vectors.csv")
    assert len(rows) == 8
    for row in rows:
        facts = BrockFacts(
            age_years=int(row["age"]),
            female=row["female"] == "1",
            family_history=row["family_hx"] == "1",
            emphysema=row["emphysema"] == "1",
            diameter_mm=float(row["diameter_mm"]),
            composition=COMPOSITIONS[row["type"]],  # type: ignore[arg-type]
            upper_lobe=row["upper_lobe"] == "1",
            nodule_count=int(row["nodule_count"]),
            spiculation=row["spiculation"] == "1",
        )
        probability = brock(facts, model=model).figure("probability").value  # type: ignore[arg-type]
        assert probability == pytest.approx(float(row[COLUMNS[model]]), abs=1e-6)


def test_every_mayo_and_herder_vector_comes_out_as_stated(shared: Path) -> None:
    rows = _rows(shared / "clinical/vectors/mayo_herder_vectors.csv")
    assert len(rows) == 3
    for row in rows:
        facts = MayoFacts(
            age_years=int(row["age"]),
            smoker=row["smoker"] == "1",
            extrathoracic_cancer_over_5_years_ago=row["extrathoracic_cancer_gt5y"] == "1",
            excluding_cancer=False,
            diameter_mm=float(row["diameter_mm"]),
            spiculation=row["spiculation"] == "1",
            upper_lobe=row["upper_lobe"] == "1",
        )
        probability = mayo(facts).figure("probability").value
        assert probability == pytest.approx(float(row["mayo_p"]), abs=1e-6)
        for uptake in ("absent", "faint", "moderate", "intense"):
            p = herder(mayo_probability=probability, uptake=uptake).figure("probability").value
            assert p == pytest.approx(float(row[f"herder_{uptake}"]), abs=1e-6)


def test_brock_by_hand() -> None:
    """62 + 3 years, female, 15 mm, upper lobe, one nodule, in the paper's four digits."""
    size = 1 / math.sqrt(1.5) - 1.58113883
    x = -6.7892 + 0.0287 * 3 + 0.6011 - 5.3854 * size + 0.6581 - 0.0824 * (1 - 4)
    p = brock(WOMAN, model="2b four digits").figure("probability").value
    assert p == pytest.approx(1 / (1 + math.exp(-x)), abs=1e-12)
    assert brock(WOMAN).answer == "25.4 %"


def test_the_size_term_vanishes_at_4_mm_and_takes_smaller_nodules() -> None:
    at_4 = BrockFacts(female=False, diameter_mm=4, upper_lobe=False)
    p = brock(at_4, model="1a").figure("probability").value
    assert p == pytest.approx(1 / (1 + math.exp(6.5929)), abs=1e-9)
    assert brock(replace(at_4, diameter_mm=1.0), model="1a").outcome == "applied"


def test_mayo_by_hand() -> None:
    x = -6.8272 + 0.0391 * 55 + 0.1274 * 20
    assert mayo(MAN).figure("probability").value == pytest.approx(1 / (1 + math.exp(-x)))


def test_herder_by_hand_takes_a_fraction() -> None:
    p = herder(mayo_probability=0.5, uptake="faint").figure("probability").value
    assert p == pytest.approx(1 / (1 + math.exp(4.739 - 3.691 * 0.5 - 2.322)))
    with pytest.raises(InputError, match="BAD_PROBABILITY"):
        herder(mayo_probability=50, uptake="faint")


def test_imaging_alone_computes_nothing_and_says_what_is_missing() -> None:
    seen = BrockFacts(diameter_mm=8, composition="solid", nodule_count=2, upper_lobe=True)
    result = brock(seen)
    assert result.outcome == "insufficient"
    assert set(result.missing) == {
        "female",
        "age_years",
        "family_history",
        "emphysema",
        "spiculation",
    }
    assert "missing" in result.rule.text
    assert not result.figures
    assert mayo(MayoFacts(diameter_mm=8)).outcome == "insufficient"
    assert herder(mayo_probability=None, uptake=None).missing == ("mayo_probability", "uptake")


def test_the_parsimonious_model_asks_for_its_own_inputs_only() -> None:
    assert brock(BrockFacts(diameter_mm=8), model="1a").missing == ("female", "upper_lobe")


@pytest.mark.parametrize(
    "change",
    [
        {"benign_feature": "perifissural"},
        {"benign_feature": "calcification"},
        {"diameter_mm": 0.9},
        {"diameter_mm": 30.1},
        {"age_years": 17},
        {"prior_lung_cancer": True},
    ],
)
def test_brock_refuses_what_its_cohort_did_not_hold(change: dict[str, object]) -> None:
    result = brock(replace(WOMAN, **change))  # type: ignore[arg-type]
    assert result.outcome == "out of scope"
    assert result.answer is None


@pytest.mark.parametrize(
    "change",
    [{"excluding_cancer": True}, {"diameter_mm": 3.9}, {"diameter_mm": 30.1}, {"age_years": 17}],
)
def test_mayo_refuses_what_its_cohort_did_not_hold(change: dict[str, object]) -> None:
    assert mayo(replace(MAN, **change)).outcome == "out of scope"  # type: ignore[arg-type]


def test_an_unstated_cancer_is_never_taken_for_none() -> None:
    assert mayo(replace(MAN, excluding_cancer=None)).missing == ("excluding_cancer",)
    caveats = brock(replace(WOMAN, prior_lung_cancer=None)).caveats
    assert any("earlier lung cancer" in each for each in caveats)


@given(small=st.floats(1, 30), large=st.floats(1, 30))
def test_a_larger_nodule_is_never_less_suspicious(small: float, large: float) -> None:
    small, large = sorted((small, large))
    first = brock(replace(WOMAN, diameter_mm=small)).figure("probability").value
    second = brock(replace(WOMAN, diameter_mm=large)).figure("probability").value
    assert 0 < first <= second < 1


@given(p=st.floats(0, 1), q=st.floats(0, 1))
def test_herder_rises_with_the_pretest_probability(p: float, q: float) -> None:
    p, q = sorted((p, q))
    first, second = (herder(mayo_probability=v, uptake="moderate") for v in (p, q))
    assert first.figure("probability").value <= second.figure("probability").value


# McWilliams 2013, table 2: log odds that each fact adds, in the models that read it
BROCK_WEIGHTS = {
    "2b": {
        "constant": -6.78917,
        "size": -5.385484,
        "age_years": 0.0286687,
        "female": 0.6010727,
        "family_history": 0.296109,
        "emphysema": 0.2953112,
        "ground-glass": -0.1276173,
        "part-solid": 0.3769578,
        "upper_lobe": 0.6581383,
        "nodule_count": -0.0824156,
        "spiculation": 0.7729335,
    },
    "2b four digits": {
        "constant": -6.7892,
        "size": -5.3854,
        "age_years": 0.0287,
        "female": 0.6011,
        "family_history": 0.2961,
        "emphysema": 0.2953,
        "ground-glass": -0.1276,
        "part-solid": 0.3770,
        "upper_lobe": 0.6581,
        "nodule_count": -0.0824,
        "spiculation": 0.7729,
    },
    "2a": {
        "constant": -6.8071,
        "size": -5.6693,
        "age_years": 0.0321,
        "female": 0.5635,
        "family_history": 0.3013,
        "emphysema": 0.3462,
        "ground-glass": -0.3005,
        "part-solid": 0.3395,
        "upper_lobe": 0.7116,
        "nodule_count": -0.0803,
    },
    "1b": {
        "constant": -6.6144,
        "size": -5.5537,
        "female": 0.6467,
        "upper_lobe": 0.6009,
        "spiculation": 0.9309,
    },
    "1a": {"constant": -6.5929, "size": -5.8616, "female": 0.5806, "upper_lobe": 0.6439},
}
CENTRED = BrockFacts(
    age_years=62,
    female=False,
    family_history=False,
    emphysema=False,
    diameter_mm=4.0,
    composition="solid",
    upper_lobe=False,
    nodule_count=4,
    spiculation=False,
    prior_lung_cancer=False,
)
CHANGES: dict[str, tuple[dict[str, object], float]] = {
    "constant": ({}, 0.0),
    "size": ({"diameter_mm": 10.0}, 1.0 - math.sqrt(2.5)),  # (d / 10)^-0.5 of 10 and of 4 mm
    "age_years": ({"age_years": 63}, 1.0),
    "female": ({"female": True}, 1.0),
    "family_history": ({"family_history": True}, 1.0),
    "emphysema": ({"emphysema": True}, 1.0),
    "ground-glass": ({"composition": "ground-glass"}, 1.0),
    "part-solid": ({"composition": "part-solid"}, 1.0),
    "upper_lobe": ({"upper_lobe": True}, 1.0),
    "nodule_count": ({"nodule_count": 5}, 1.0),
    "spiculation": ({"spiculation": True}, 1.0),
}


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


@pytest.mark.parametrize("model", list(BROCK_WEIGHTS))
@pytest.mark.parametrize("fact", list(CHANGES))
def test_a_fact_adds_its_published_weight_to_the_log_odds(model: BrockName, fact: str) -> None:
    weights, (change, amount) = BROCK_WEIGHTS[model], CHANGES[fact]
    facts = replace(CENTRED, **change)  # type: ignore[arg-type]
    found = _log_odds(brock(facts, model=model).figure("probability").value)
    expected = weights["constant"] + amount * weights.get(fact, 0.0)
    assert found == pytest.approx(expected, abs=2e-7)


@pytest.mark.parametrize(
    ("change", "weight"),
    [
        ({"age_years": 56}, 0.0391),
        ({"smoker": True}, 0.7917),
        ({"extrathoracic_cancer_over_5_years_ago": True}, 1.3388),
        ({"diameter_mm": 21.0}, 0.1274),
        ({"spiculation": True}, 1.0407),
        ({"upper_lobe": True}, 0.7838),
    ],
)
def test_mayo_adds_the_weights_of_swensen(change: dict[str, object], weight: float) -> None:
    """Swensen 1997."""
    facts = replace(MAN, **change)  # type: ignore[arg-type]
    found, bare = (_log_odds(mayo(each).figure("probability").value) for each in (facts, MAN))
    assert found - bare == pytest.approx(weight, abs=1e-9)


@pytest.mark.parametrize(
    ("uptake", "weight"),
    [("absent", 0.0), ("faint", 2.322), ("moderate", 4.617), ("intense", 4.771)],
)
def test_herder_adds_the_weights_of_the_uptake(uptake: Uptake, weight: float) -> None:
    """Herder 2005."""
    result = herder(mayo_probability=0.0, uptake=uptake)
    found = _log_odds(result.figure("probability").value)
    assert found == pytest.approx(-4.739 + weight, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"diameter_mm": 0.99}, "out of scope"),
        ({"diameter_mm": 1.0}, "applied"),
        ({"diameter_mm": 30.0}, "applied"),
        ({"diameter_mm": 30.01}, "out of scope"),
        ({"age_years": 17}, "out of scope"),
        ({"age_years": 18}, "applied"),
    ],
)
def test_brock_holds_from_1_to_30_mm_and_for_adults(
    change: dict[str, object], outcome: str
) -> None:
    assert brock(replace(WOMAN, **change)).outcome == outcome  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"diameter_mm": 3.99}, "out of scope"),
        ({"diameter_mm": 4.0}, "applied"),
        ({"diameter_mm": 30.0}, "applied"),
        ({"diameter_mm": 30.01}, "out of scope"),
        ({"age_years": 17}, "out of scope"),
        ({"age_years": 18}, "applied"),
    ],
)
def test_mayo_holds_from_4_to_30_mm_and_for_adults(change: dict[str, object], outcome: str) -> None:
    assert mayo(replace(MAN, **change)).outcome == outcome  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("probability", "refused"), [(-0.001, True), (0.0, False), (1.0, False), (1.001, True)]
)
def test_herder_takes_a_fraction_alone(probability: float, refused: bool) -> None:
    if refused:
        with pytest.raises(InputError, match="BAD_PROBABILITY"):
            herder(mayo_probability=probability, uptake="faint")
    else:
        assert herder(mayo_probability=probability, uptake="faint").outcome == "applied"
