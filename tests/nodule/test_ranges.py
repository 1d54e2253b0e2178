import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Interval, Len, MultipleOf

from nodule.errors import ConfigError
from nodule.ranges import Share, check_fields, describe

EDGES = "a list of 1 or more, each a whole number from 16 to 64, a multiple of 16"
Edge = Annotated[int, Interval(ge=16, le=64), MultipleOf(16)]


@dataclass(frozen=True, kw_only=True)
class Bounded:
    share: Share = 0.5
    rate: Annotated[float, Interval(gt=0, le=1)] = 1.0
    decay: Annotated[float, Interval(ge=0, lt=1)] = 0.0
    count: Annotated[int, Interval(ge=1, le=3)] = 1
    edges: Annotated[tuple[Edge, ...], Len(1)] = (16,)
    part: Share | None = None
    mode: Literal["fast", "slow"] = "fast"
    path: Path = Path()

    def __post_init__(self) -> None:
        check_fields(self)


@pytest.mark.parametrize(
    "fine",
    [
        {"share": 0.0}, {"share": 1.0}, {"share": 1}, {"rate": 1e-300}, {"rate": 1.0},
        {"decay": 0.0}, {"decay": math.nextafter(1, 0)}, {"count": 1}, {"count": 3},
        {"edges": (16, 64)}, {"part": None}, {"part": 1.0}, {"mode": "slow"},
    ],
)  # fmt: skip
def test_takes_what_lies_in_range(fine: dict[str, Any]) -> None:
    assert Bounded(**fine) == Bounded(**fine)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"share": -1e-9}, "a number from 0 to 1"),
        ({"share": math.nextafter(1, 2)}, "a number from 0 to 1"),
        ({"share": math.nan}, "a number from 0 to 1"),
        ({"share": math.inf}, "a number from 0 to 1"),
        ({"share": "0.5"}, "a number from 0 to 1"),
        ({"share": True}, "a number from 0 to 1"),
        ({"rate": 0.0}, "a number above 0 and up to 1"),
        ({"decay": 1.0}, "a number from 0 and below 1"),
        ({"count": 0}, "a whole number from 1 to 3"),
        ({"count": 4}, "a whole number from 1 to 3"),
        ({"count": 2.0}, "a whole number from 1 to 3"),
        ({"edges": ()}, EDGES),
        (
            {"edges": (8,)},
            EDGES,
        ),
        (
            {"edges": (24,)},
            EDGES,
        ),
        (
            {"edges": [16]},
            EDGES,
        ),
        ({"part": 1.5}, "a number from 0 to 1"),
        ({"mode": "fats"}, "one of fast, slow"),
        ({"path": "text"}, "a path"),
    ],
)
def test_refuses_what_does_not(wrong: dict[str, Any], expected: str) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(ConfigError) as caught:
        Bounded(**wrong)
    error = caught.value
    assert error.code == "BAD_VALUE"
    assert str(error).startswith(f"BAD_VALUE: {name} has a wrong value; expected {expected}")
    assert str(error).endswith(f"; got {value}")


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (str, "text"),
        (bool, "true or false"),
        (tuple[str, ...], "a list, each text"),
        (tuple[int, float], "a list of 2: a whole number, a number"),
        (tuple[int, int], "a list of 2, each a whole number"),
        (Annotated[tuple[int, ...], Len(2, 8)], "a list of 2 to 8, each a whole number"),
        (Annotated[tuple[int, ...], Len(0, 8)], "a list of 0 to 8, each a whole number"),
        (Bounded, "Bounded"),
    ],
)
def test_describes_types_without_a_range(hint: object, words: str) -> None:
    assert describe(hint) == words
