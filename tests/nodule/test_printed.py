"""Numbers as they are printed: decimals by the field, the outermost field first."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import pytest

from nodule.printed import Digits, as_printed


@dataclass(frozen=True, kw_only=True)
class Part:
    fine: Annotated[float, Digits(3)] = 1.23456
    plain: float = 1.23456


@dataclass(frozen=True, kw_only=True)
class Whole:
    part: Part = Part()  # frozen
    coarse_part: Annotated[Part | None, Digits(1)] = Part()  # frozen
    pair: Annotated[tuple[float, float], Digits(2)] | None = (1.005, 2.345)
    parts: tuple[Part, ...] = (Part(), Part())
    facts: Annotated[Mapping[str, str | int | float | bool], Digits(2)] | None = None
    endless: Annotated[float | None, Digits(1)] = math.inf
    unknown: Annotated[float | None, Digits(1)] = None
    count: Annotated[int, Digits(0)] = 12345


def test_each_number_has_the_decimals_of_its_field() -> None:
    printed = as_printed(Whole())
    assert printed.part == Part(fine=1.235, plain=1.23456)
    assert printed.pair == pytest.approx((1.0, 2.35), abs=0.011)
    assert printed.parts == (Part(fine=1.235, plain=1.23456),) * 2
    assert printed.count == 12345


def test_the_field_that_holds_a_part_is_before_the_part_s_own() -> None:
    assert as_printed(Whole()).coarse_part == Part(fine=1.2, plain=1.2)


def test_what_is_endless_or_no_number_is_none() -> None:
    assert as_printed(Whole()).endless is None
    assert as_printed(Whole(endless=math.nan)).endless is None
    assert as_printed(Whole()).unknown is None


def test_only_numbers_among_facts_are_rounded() -> None:
    facts = {"a": 1.23456, "b": True, "c": 7, "d": "1.23456"}
    assert as_printed(Whole(facts=facts)).facts == {"a": 1.23, "b": True, "c": 7, "d": "1.23456"}


def test_printing_twice_changes_nothing() -> None:
    once = as_printed(Whole(facts={"a": 2.71828}))
    assert as_printed(once) == once
