"""Fleischner 2017: the table's cells, both sides of every limit, the scope."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodule.guidelines.facts import NoduleFacts, Person, Size
from nodule.guidelines.fleischner import Risk, recommend

IN_SCOPE = Person(age_years=60, route="incidental", known_cancer=False, immunosuppressed=False)


def _nodule(
    size: tuple[float, float] | float, composition: str = "solid", solid_mm: float | None = None
) -> NoduleFacts:
    """Pair of axes in mm, or a volume in mm³."""
    return NoduleFacts(
        composition=composition,  # type: ignore[arg-type]
        size=Size(axes_mm=size) if isinstance(size, tuple) else Size(volume_mm3=size),
        solid_component=None if solid_mm is None else Size(axes_mm=(solid_mm, solid_mm)),
    )


def _answer(*nodules: NoduleFacts, risk: str | None = None) -> str | None:
    return recommend(nodules, person=IN_SCOPE, risk=risk).answer  # type: ignore[arg-type]


# The rows of the clinical notes' vector table.
@pytest.mark.parametrize(
    ("axes_mm", "risk", "expected"),
    [
        ((5, 5), "low", "none"),
        ((6, 5), "low", "CT 6-12 mo, then consider CT at 18-24 months"),
        ((5.4, 5.4), "high", "optional CT 12 mo"),
        ((8.4, 8.4), "high", "CT 6-12 mo, then CT at 18-24 months"),
        ((9, 8), "low", "CT 3 mo, PET/CT or tissue"),
        ((9, 8), "high", "CT 3 mo, PET/CT or tissue"),
        ((30, 30), "high", "CT 3 mo, PET/CT or tissue"),
    ],
)
def test_a_single_solid_nodule(axes_mm: tuple[float, float], risk: str, expected: str) -> None:
    assert _answer(_nodule(axes_mm), risk=risk) == expected


@pytest.mark.parametrize(
    ("volume_mm3", "expected"),
    [
        (99, "none"),
        (100, "CT 6-12 mo, then consider CT at 18-24 months"),
        (250, "CT 6-12 mo, then consider CT at 18-24 months"),
        (251, "CT 3 mo, PET/CT or tissue"),
    ],
)
def test_volumes_have_limits_of_their_own(volume_mm3: float, expected: str) -> None:
    assert _answer(_nodule(volume_mm3), risk="low") == expected


@pytest.mark.parametrize(
    ("axes_mm", "risk", "expected"),
    [
        ((5, 5), "low", "none"),
        ((5, 5), "high", "optional CT 12 mo"),
        ((7, 7), "low", "CT 3-6 mo, then consider CT at 18-24 months"),
        ((12, 9), "high", "CT 3-6 mo, then CT at 18-24 months"),
    ],
)
def test_multiple_solid_nodules(axes_mm: tuple[float, float], risk: str, expected: str) -> None:
    assert _answer(_nodule(axes_mm), _nodule((3, 3)), risk=risk) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((5, 5), "none"),
        ((8, 6), "CT 6-12 mo, then every 2 years until 5 years where it persists"),
        (99.0, "none"),
        (100.0, "CT 6-12 mo, then every 2 years until 5 years where it persists"),
    ],
)
def test_a_single_ground_glass_nodule(size: tuple[float, float] | float, expected: str) -> None:
    assert _answer(_nodule(size, "ground-glass")) == expected


def test_a_small_ground_glass_nodule_may_be_followed_where_suspicious() -> None:
    result = recommend([_nodule((5, 5), "ground-glass")], person=IN_SCOPE, risk=None)
    assert result.management is not None
    assert "2 and 4 years for selected suspicious nodules" in result.management


def test_a_single_part_solid_nodule_differs_at_a_component_of_6_mm() -> None:
    quiet = _answer(_nodule((8, 8), "part-solid", 4))
    at_limit = _answer(_nodule((12, 10), "part-solid", 5.5))
    suspicious = _answer(_nodule((12, 10), "part-solid", 7))
    assert quiet is not None
    assert quiet.startswith("CT 3-6 mo, then yearly for 5 years")
    assert suspicious is not None
    assert suspicious.startswith("CT 3-6 mo, then PET/CT, biopsy or resection")
    assert at_limit == suspicious
    assert _answer(_nodule((5, 5), "part-solid", 4)) == "none"


def test_multiple_subsolid_nodules() -> None:
    four = [_nodule((4, 4), "ground-glass")] * 4
    assert _answer(*four) == "CT 3-6 mo, then where stable, consider CT at 2 and 4 years"
    mixed = (_nodule((4, 4), "ground-glass"), _nodule((7, 7), "part-solid"))
    assert _answer(*mixed) == "CT 3-6 mo, then as the most suspicious nodule requires"


def test_solid_and_subsolid_nodules_are_counted_apart() -> None:
    result = recommend(
        [_nodule((5, 5)), _nodule((8, 6), "ground-glass")], person=IN_SCOPE, risk="low"
    )
    assert result.rule.id == "ground-glass-single-1"
    assert any("Single solid" in caveat for caveat in result.caveats)


@pytest.mark.parametrize("feature", ["perifissural", "juxtapleural", "calcification", "fat"])
def test_benign_nodules_need_nothing_and_do_not_count(feature: str) -> None:
    benign = NoduleFacts(
        composition="solid",
        size=Size(axes_mm=(12, 12)),
        benign_feature=feature,  # type: ignore[arg-type]
    )
    alone = recommend([benign], person=IN_SCOPE, risk="high")
    assert (alone.answer, dict(alone.inputs)["benign features"]) == ("none", feature)
    beside = _answer(benign, _nodule((7, 7)), risk="low")
    assert beside == "CT 6-12 mo, then consider CT at 18-24 months"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"age_years": 34}, "scope-age"),
        ({"route": "screening"}, "scope-route"),
        ({"known_cancer": True}, "scope-cancer"),
        ({"immunosuppressed": True}, "scope-immunosuppression"),
    ],
)
def test_refuses_outside_its_scope(change: dict[str, object], rule: str) -> None:
    person = replace(IN_SCOPE, **change)  # type: ignore[arg-type]
    result = recommend([_nodule((7, 7))], person=person, risk="low")
    assert (result.outcome, result.rule.id, result.answer) == ("out of scope", rule, None)
    assert dict(result.inputs) == vars(person)


def test_speaks_from_35_years_on() -> None:
    person = replace(IN_SCOPE, age_years=35)
    assert recommend([_nodule((7, 7))], person=person, risk="low").outcome == "applied"


@pytest.mark.parametrize("fact", ["age_years", "route", "known_cancer", "immunosuppressed"])
def test_an_unstated_fact_is_asked_for(fact: str) -> None:
    person = replace(IN_SCOPE, **{fact: None})  # type: ignore[arg-type]
    assert recommend([_nodule((7, 7))], person=person, risk="low").missing == (fact,)


def test_a_stated_exclusion_refuses_whatever_else_is_unknown() -> None:
    assert recommend([], person=Person(age_years=20), risk=None).outcome == "out of scope"


def test_a_mass_is_out_of_scope_from_31_whole_millimetres() -> None:
    for size in ((30.5, 30.5), 14138.0):
        result = recommend([_nodule(size)], person=IN_SCOPE, risk="low")
        assert result.rule.id == "scope-mass"
    for size in ((30.4, 30.4), 14137.0):
        assert _answer(_nodule(size), risk="low") is not None


def test_risk_is_asked_of_solid_nodules_only() -> None:
    result = recommend([_nodule((7, 7))], person=IN_SCOPE, risk=None)
    assert result.missing == ("risk",)
    assert _answer(_nodule((7, 7), "ground-glass")) is not None


def test_asks_for_composition_size_and_component() -> None:
    unknown = recommend([NoduleFacts(id="N1")], person=IN_SCOPE, risk="low")
    assert unknown.missing == ("N1: composition", "N1: size")
    bare = recommend([_nodule((7, 7), "part-solid")], person=IN_SCOPE, risk="low")
    assert bare.missing == ("solid component",)


def test_names_its_rule_and_the_rounded_size() -> None:
    result = recommend([_nodule((6, 5))], person=IN_SCOPE, risk="low")
    assert result.rule.id == "solid-single-1-low"
    assert dict(result.inputs).items() >= vars(IN_SCOPE).items()
    assert "6 to 8 mm (100 to 250 mm³)" in result.rule.text
    assert dict(result.inputs)["mean diameter (whole mm)"] == 6
    assert "MacMahon" in result.citation


@given(small=st.floats(1, 30), large=st.floats(1, 30), risk=st.sampled_from(["low", "high"]))
def test_a_larger_solid_nodule_is_never_seen_later(small: float, large: float, risk: str) -> None:
    months = {"none": 99, "optional CT 12 mo": 12, "CT 3 mo, PET/CT or tissue": 3}
    small, large = sorted((small, large))
    first, second = (_answer(_nodule((mm, mm)), risk=risk) for mm in (small, large))
    assert months.get(first or "", 6) >= months.get(second or "", 6)


@pytest.mark.parametrize(
    ("component", "suspicious"),
    [
        (Size(axes_mm=(5.4, 5.4)), False),  # 5 whole millimetres
        (Size(axes_mm=(5.5, 5.5)), True),
        (Size(volume_mm3=99), False),
        (Size(volume_mm3=100), True),
    ],
)
def test_a_solid_component_counts_from_6_mm_or_100_mm3(component: Size, suspicious: bool) -> None:
    nodule = NoduleFacts(
        composition="part-solid",
        size=Size(axes_mm=(9, 9), volume_mm3=380),
        solid_component=component,
    )
    assert ("PET/CT" in (_answer(nodule) or "")) == suspicious


@pytest.mark.parametrize(
    ("mm", "risk", "due_months"),
    [
        (5.4, "low", None),
        (5.4, "high", None),  # an optional CT is none that is due
        (5.5, "low", (6, 12)),
        (8.4, "high", (6, 12)),
        (8.5, "low", (3, 3)),
    ],
)
def test_the_next_ct_is_due_when_the_table_says(
    mm: float, risk: Risk, due_months: tuple[int, int] | None
) -> None:
    result = recommend([_nodule((mm, mm))], person=IN_SCOPE, risk=risk)
    assert result.due_months == due_months


@pytest.mark.parametrize("composition", ["solid", "ground-glass"])
def test_several_nodules_are_due_in_3_to_6_months(composition: str) -> None:
    pair = [_nodule((7, 7), composition), _nodule((7, 7), composition)]
    assert recommend(pair, person=IN_SCOPE, risk="low").due_months == (3, 6)


@pytest.mark.parametrize(("age_years", "outcome"), [(34, "out of scope"), (35, "applied")])
def test_the_table_begins_at_35_years(age_years: int, outcome: str) -> None:
    person = replace(IN_SCOPE, age_years=age_years)
    assert recommend([_nodule((7, 7))], person=person, risk="low").outcome == outcome


UNKNOWN = NoduleFacts(id="N9")


@pytest.mark.parametrize(
    ("axes_mm", "answer", "missing"),
    [
        ((5, 5), None, True),  # no follow-up: not said while one could not be judged
        ((6, 5), "CT 6-12 mo, then consider CT at 18-24 months", True),
        ((9, 8), "CT 3 mo, PET/CT or tissue", False),  # nothing calls for more
    ],
)
def test_a_nodule_without_a_size_leaves_what_the_others_call_for(
    axes_mm: tuple[float, float], answer: str | None, missing: bool
) -> None:
    result = recommend([_nodule(axes_mm), UNKNOWN], person=IN_SCOPE, risk="low")
    assert result.answer == answer
    assert result.missing == (("N9: composition", "N9: size") if missing else ())
    if answer is None:
        assert [(o.answer, o.suggested) for o in result.offers] == [("none", True)]
    elif missing:
        assert "N9 could not be judged" in result.caveats[0]


def test_calcium_is_followed_as_any_solid_nodule_and_none_is_offered() -> None:
    dense = replace(_nodule((7, 7)), id="N1", calcified=True)
    result = recommend([dense], person=IN_SCOPE, risk="low")
    assert result.answer == "CT 6-12 mo, then consider CT at 18-24 months"
    assert [(o.answer, o.suggested) for o in result.offers] == [("none", True)]
    benign = replace(dense, benign_feature="calcification")
    assert recommend([benign], person=IN_SCOPE, risk="low").offers == ()


def test_a_solid_part_that_measures_nothing_is_below_6_mm() -> None:
    nodule = replace(_nodule((9, 9), "part-solid"), solid_component=Size(axes_mm=(0.0, 0.0)))
    result = recommend([nodule], person=IN_SCOPE, risk=None)
    assert result.rule.id == "part-solid-single-1-0"
