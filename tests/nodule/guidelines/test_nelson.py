"""NELSON: categories of nodules and of growth."""

from dataclasses import replace

import pytest

from nodule.guidelines.facts import NoduleFacts, Person, Size
from nodule.guidelines.growth import Volumetry, classify_growth
from nodule.guidelines.nelson import categorize, judge_nelson_growth
from nodule.guidelines.result import Result

SCREENED = Person(age_years=60, route="screening")
SOLID = NoduleFacts(id="N1", composition="solid", size=Size(volume_mm3=200))


def _baseline(
    nodule: NoduleFacts, *, person: Person = SCREENED, pleural_based: bool = False
) -> Result:
    return categorize(nodule, person=person, baseline=True, pleural_based=pleural_based)


def _grown(
    after: float,
    days: float,
    *,
    nodule: NoduleFacts = SOLID,
    person: Person = SCREENED,
    pleural_based: bool = False,
) -> Result:
    return judge_nelson_growth(
        nodule,
        person=person,
        before=Volumetry(volume_mm3=100),
        after=Volumetry(volume_mm3=after),
        days=days,
        pleural_based=pleural_based,
    )


@pytest.mark.parametrize(("mm3", "expected"), [(49, "2"), (50, "3"), (500, "3"), (501, "4")])
def test_solid_nodules_go_by_volume(mm3: float, expected: str) -> None:
    nodule = NoduleFacts(composition="solid", size=Size(volume_mm3=mm3))
    assert _baseline(nodule).answer == expected


@pytest.mark.parametrize(
    ("shortest_mm", "expected"), [(4.9, "2"), (5.0, "3"), (10.0, "3"), (10.1, "4")]
)
def test_pleural_based_nodules_go_by_the_shortest_axis(shortest_mm: float, expected: str) -> None:
    nodule = NoduleFacts(composition="solid", size=Size(axes_mm=(20.0, shortest_mm), volume_mm3=10))
    assert _baseline(nodule, pleural_based=True).answer == expected


@pytest.mark.parametrize(
    ("mean_mm", "component_mm3", "expected"),
    [(7.9, 49, "2"), (8.0, 49, "3"), (7.9, 50, "3"), (12.0, 500, "3"), (12.0, 501, "4")],
)
def test_part_solid_nodules(mean_mm: float, component_mm3: float, expected: str) -> None:
    nodule = NoduleFacts(
        composition="part-solid",
        size=Size(axes_mm=(mean_mm, mean_mm)),
        solid_component=Size(volume_mm3=component_mm3),
    )
    assert _baseline(nodule).answer == expected


@pytest.mark.parametrize(("mean_mm", "expected"), [(7.9, "2"), (8.0, "3"), (40.0, "3")])
def test_non_solid_nodules_are_never_positive(mean_mm: float, expected: str) -> None:
    nodule = NoduleFacts(composition="ground-glass", size=Size(axes_mm=(mean_mm, mean_mm)))
    assert _baseline(nodule).answer == expected


def test_benign_features_are_category_1() -> None:
    nodule = NoduleFacts(size=Size(volume_mm3=900), benign_feature="fat")
    assert _baseline(nodule).answer == "1"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"route": "incidental"}, "scope-route"),
        ({"age_years": 12}, "scope-age"),
        ({"age_years": 49}, "scope-age"),
        ({"age_years": 76}, "scope-age"),
        ({"known_cancer": True}, "scope-cancer"),
    ],
)
def test_refuses_outside_the_trial(change: dict[str, object], rule: str) -> None:
    """ISRCTN63545820: aged between 50 and 75."""
    person = replace(SCREENED, **change)  # type: ignore[arg-type]
    for result in (_baseline(SOLID, person=person), _grown(200, 90, person=person)):
        assert (result.outcome, result.rule.id, result.subject) == ("out of scope", rule, "N1")
        assert dict(result.inputs).items() >= change.items()


@pytest.mark.parametrize("age_years", [50, 75])
def test_speaks_of_the_ages_of_the_trial(age_years: int) -> None:
    assert _baseline(SOLID, person=replace(SCREENED, age_years=age_years)).answer == "3"


def test_asks_for_what_it_needs() -> None:
    solid = NoduleFacts(composition="solid", size=Size(axes_mm=(8, 8)))
    assert _baseline(solid, person=Person()).missing == ("route", "age_years")
    assert _baseline(solid).missing == ("volume",)
    assert _baseline(NoduleFacts()).missing == ("composition",)
    part = NoduleFacts(composition="part-solid", size=Size(axes_mm=(8, 8)))
    assert _baseline(part).missing == ("volume of the solid component",)


def test_categories_are_for_the_baseline_scan() -> None:
    assert categorize(SOLID, person=SCREENED, baseline=False).rule.id == "scope-round"
    assert categorize(SOLID, person=SCREENED, baseline=None).missing == ("earlier scan",)


@pytest.mark.parametrize(
    ("after", "days", "expected"),
    [
        (124.9, 30, "negative"),
        (200, 399, "positive"),
        (200, 400, "indeterminate"),
        (200, 600, "indeterminate"),
        (200, 601, "negative"),
        (50, 90, "negative"),
    ],
)
def test_growth(after: float, days: float, expected: str) -> None:
    assert _grown(after, days).answer == expected


@pytest.mark.parametrize(
    ("nodule", "pleural_based", "rule"),
    [
        (NoduleFacts(composition="part-solid"), False, "scope-volume"),
        (NoduleFacts(composition="ground-glass"), False, "scope-volume"),
        (SOLID, True, "scope-volume"),
        (replace(SOLID, benign_feature="fat"), False, "scope-benign"),
        (NoduleFacts(), False, "facts-needed"),
    ],
)
def test_growth_is_not_read_from_volumes_that_the_categories_do_not_go_by(
    nodule: NoduleFacts, pleural_based: bool, rule: str
) -> None:
    assert _grown(200, 90, nodule=nodule, pleural_based=pleural_based).rule.id == rule


def test_400_days_are_fast_for_bts_and_indeterminate_here() -> None:
    assert classify_growth(100, 200, 400) == "growing, VDT up to 400 days"
    assert _grown(200, 400).answer == "indeterminate"


def test_names_the_facts_of_the_person() -> None:
    for result in (_baseline(SOLID), _grown(200, 90)):
        assert dict(result.inputs).items() >= {"route": "screening", "age_years": 60}.items()


@pytest.mark.parametrize(
    ("mm3", "due_months"), [(49, None), (50, (3, 3)), (500, (3, 3)), (501, None)]
)
def test_an_indeterminate_nodule_is_seen_again_at_three_months(
    mm3: float, due_months: tuple[int, int] | None
) -> None:
    nodule = NoduleFacts(composition="solid", size=Size(volume_mm3=mm3))
    assert _baseline(nodule).due_months == due_months


def test_calcium_is_categorised_as_any_solid_nodule_and_1_is_offered() -> None:
    result = _baseline(replace(SOLID, calcified=True))
    assert result.answer == "3"
    assert [(o.answer, o.suggested) for o in result.offers] == [("1", True)]
