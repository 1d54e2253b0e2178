"""NELSON: categories of nodules and of growth."""

import pytest

from nodule.guidelines.facts import Nodule, Person, Size
from nodule.guidelines.growth import Volumetry, classify_growth
from nodule.guidelines.nelson import categorize, judge_nelson_growth

SCREENED = Person(route="screening")


@pytest.mark.parametrize(("mm3", "expected"), [(49, "2"), (50, "3"), (500, "3"), (501, "4")])
def test_solid_nodules_go_by_volume(mm3: float, expected: str) -> None:
    nodule = Nodule(composition="solid", size=Size(volume_mm3=mm3))
    assert categorize(nodule, person=SCREENED).answer == expected


@pytest.mark.parametrize(
    ("shortest_mm", "expected"), [(4.9, "2"), (5.0, "3"), (10.0, "3"), (10.1, "4")]
)
def test_pleural_based_nodules_go_by_the_shortest_axis(shortest_mm: float, expected: str) -> None:
    nodule = Nodule(composition="solid", size=Size(axes_mm=(20.0, shortest_mm), volume_mm3=10))
    assert categorize(nodule, person=SCREENED, pleural_based=True).answer == expected


@pytest.mark.parametrize(
    ("mean_mm", "component_mm3", "expected"),
    [(7.9, 49, "2"), (8.0, 49, "3"), (7.9, 50, "3"), (12.0, 500, "3"), (12.0, 501, "4")],
)
def test_part_solid_nodules(mean_mm: float, component_mm3: float, expected: str) -> None:
    nodule = Nodule(
        composition="part-solid",
        size=Size(axes_mm=(mean_mm, mean_mm)),
        solid_component=Size(volume_mm3=component_mm3),
    )
    assert categorize(nodule, person=SCREENED).answer == expected


@pytest.mark.parametrize(("mean_mm", "expected"), [(7.9, "2"), (8.0, "3"), (40.0, "3")])
def test_non_solid_nodules_are_never_positive(mean_mm: float, expected: str) -> None:
    nodule = Nodule(composition="ground-glass", size=Size(axes_mm=(mean_mm, mean_mm)))
    assert categorize(nodule, person=SCREENED).answer == expected


def test_benign_features_are_category_1() -> None:
    nodule = Nodule(size=Size(volume_mm3=900), benign_feature="fat")
    assert categorize(nodule, person=SCREENED).answer == "1"


def test_speaks_of_screening_only_and_asks_for_what_it_needs() -> None:
    solid = Nodule(composition="solid", size=Size(axes_mm=(8, 8)))
    assert categorize(solid, person=Person(route="incidental")).outcome == "out of scope"
    assert categorize(solid, person=Person()).missing == ("route",)
    assert categorize(solid, person=SCREENED).missing == ("volume",)
    assert categorize(Nodule(), person=SCREENED).missing == ("composition",)
    part = Nodule(composition="part-solid", size=Size(axes_mm=(8, 8)))
    assert categorize(part, person=SCREENED).missing == ("volume of the solid component",)


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
    before, now = Volumetry(volume_mm3=100), Volumetry(volume_mm3=after)
    assert judge_nelson_growth(before=before, after=now, days=days).answer == expected


def test_400_days_are_fast_for_bts_and_indeterminate_here() -> None:
    assert classify_growth(100, 200, 400) == "growing, VDT up to 400 days"
    result = judge_nelson_growth(
        before=Volumetry(volume_mm3=100), after=Volumetry(volume_mm3=200), days=400
    )
    assert result.answer == "indeterminate"
