"""Sizes are read as printed; contradictions cannot be built."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodule.errors import InputError
from nodule.guidelines.facts import NoduleFacts, Person, Size, Steps, half_up
from nodule.sphere import sphere_volume_mm3

MM = st.floats(0.5, 60.0)


@pytest.mark.parametrize(
    ("axes_mm", "tenths", "whole"),
    [
        ((5.9, 6.0), "6.0", 6),  # 5.95
        ((6.0, 5.9), "6.0", 6),
        ((5.9, 5.9), "5.9", 6),
        ((6.0, 5.0), "5.5", 6),
        ((5.4, 5.4), "5.4", 5),
        ((5.45, 5.45), "5.5", 6),  # printed as 5.5 x 5.5
        ((9.0, 8.0), "8.5", 9),
        ((8.4, 8.4), "8.4", 8),
        ((2.65, 2.65), "2.7", 3),  # 2.65 lies below itself in binary
        ((7.94, 7.94), "7.9", 8),
    ],
)
def test_means_round_upwards_at_ties_in_decimals(
    axes_mm: tuple[float, float], tenths: str, whole: int
) -> None:
    size = Size(axes_mm=axes_mm)
    assert size.mean_mm == Decimal(tenths)
    assert size.whole_mean_mm == whole


def test_the_whole_mean_is_rounded_once() -> None:
    """5.4 and 5.5 are 5.45: 5.5 to a tenth, but 5 to a whole millimetre."""
    assert Size(axes_mm=(5.4, 5.5)).mean_mm == Decimal("5.5")
    assert Size(axes_mm=(5.4, 5.5)).whole_mean_mm == 5


def test_volumes_are_read_to_whole_mm3() -> None:
    assert Size(volume_mm3=112.49).whole_mm3 == 112
    assert Size(volume_mm3=112.5).whole_mm3 == 113


@pytest.mark.parametrize(
    ("diameter_mm", "volume_mm3"),
    [(4, 34), (6, 113), (8, 268), (10, 524), (15, 1767), (30, 14137)],
)
def test_printed_volumes_are_those_of_spheres(diameter_mm: float, volume_mm3: int) -> None:
    assert round(sphere_volume_mm3(diameter_mm)) == volume_mm3
    assert Size(volume_mm3=volume_mm3).sphere_mm == diameter_mm


def test_steps_include_their_lower_limit_only() -> None:
    steps = Steps(below_mm=(6, 8), below_mm3=(113, 268))
    assert [steps.place(half_up(mm), None) for mm in (5.9, 6.0, 7.9, 8.0)] == [0, 1, 1, 2]
    assert [steps.place(None, mm3) for mm3 in (112, 113, 267, 268)] == [0, 1, 1, 2]
    assert steps.words(1) == "6 to < 8 mm (113 to < 268 mm³)"


@given(first=MM, second=MM)
def test_the_order_of_the_axes_is_free(first: float, second: float) -> None:
    one, other = Size(axes_mm=(first, second)), Size(axes_mm=(second, first))
    assert one.mean_mm == other.mean_mm
    assert one.longest_mm == other.longest_mm
    assert one.shortest_mm is not None
    assert one.mean_mm is not None
    assert one.longest_mm is not None
    assert one.shortest_mm <= one.mean_mm <= one.longest_mm


@pytest.mark.parametrize("axes_mm", [(0.0, 5.0), (5.0, -1.0), (float("nan"), 5.0)])
def test_refuses_axes_that_are_no_lengths(axes_mm: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="BAD_SIZE"):
        Size(axes_mm=axes_mm)


def test_refuses_a_size_without_numbers() -> None:
    with pytest.raises(InputError, match="NO_SIZE"):
        Size()


def test_refuses_an_age_nobody_has() -> None:
    with pytest.raises(InputError, match="BAD_AGE"):
        Person(age_years=-1)


@pytest.mark.parametrize("composition", ["solid", "ground-glass", None])
def test_refuses_a_solid_component_where_there_is_none(composition: str | None) -> None:
    with pytest.raises(InputError, match="BAD_SOLID_COMPONENT"):
        NoduleFacts(composition=composition, solid_component=Size(axes_mm=(2, 2)))  # type: ignore[arg-type]


def test_refuses_a_solid_component_larger_than_its_nodule() -> None:
    with pytest.raises(InputError, match="BAD_SOLID_COMPONENT"):
        NoduleFacts(
            composition="part-solid",
            size=Size(axes_mm=(6, 6)),
            solid_component=Size(axes_mm=(6.1, 6.1)),
        )


@pytest.mark.parametrize(
    ("age_years", "allowed"), [(-1, False), (0, True), (130, True), (131, False)]
)
def test_a_person_is_0_to_130_years_old(age_years: int, allowed: bool) -> None:
    if allowed:
        assert Person(age_years=age_years).age_years == age_years
    else:
        with pytest.raises(InputError, match="BAD_AGE"):
            Person(age_years=age_years)


@pytest.mark.parametrize("size", [Size(axes_mm=(0.0, 0.0)), Size(volume_mm3=0.0)])
def test_only_a_solid_component_may_measure_nothing(size: Size) -> None:
    assert size.measures_nothing
    NoduleFacts(composition="part-solid", size=Size(volume_mm3=90.0), solid_component=size)
    with pytest.raises(InputError, match="BAD_SIZE"):
        NoduleFacts(composition="solid", size=size)


def test_calcium_is_an_open_question_until_a_reader_has_said_what_it_is() -> None:
    dense = NoduleFacts(composition="solid", calcified=True)
    assert dense.perhaps_benign
    assert dense.if_benign().benign_feature == "calcification"
    said = replace(dense, benign_feature="perifissural")
    assert not said.perhaps_benign
    assert said.if_benign() is said
    plain = NoduleFacts(composition="solid")
    assert plain.if_benign() is plain
