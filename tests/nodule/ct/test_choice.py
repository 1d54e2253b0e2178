"""The rule by which one of several usable series is read, step by step."""

from typing import Any

import pytest

from nodule.ct._choice import SeriesOffer, best_of


def offer(**changes: Any) -> SeriesOffer:
    usual = {
        "coverage_mm": 320.0,
        "spacing_mm": 1.0,
        "thickness_mm": 1.0,
        "kernel": None,
        "description": None,
        "number": 2,
        "is_derived": False,
        "content": lambda: "b",
    }
    return SeriesOffer(**{**usual, **changes})


@pytest.mark.parametrize(
    ("better", "worse", "step"),
    [
        pytest.param({}, {"coverage_mm": 120.0}, "coverage of the chest", id="the whole chest"),
        pytest.param(
            {},
            {"coverage_mm": 700.0, "spacing_mm": 5.0},
            "thinner slices",
            id="the abdomen is no gain",
        ),
        pytest.param(
            {"coverage_mm": 250.0, "spacing_mm": 5.0},
            {"coverage_mm": 320.0, "description": "Axial 8x2 MIP"},
            "a scan before a localizer, projection or map",
            id="a projection is the last",
        ),
        pytest.param(
            {"spacing_mm": 3.0},
            {"is_derived": True, "spacing_mm": 0.5},
            "original before derived",
            id="derived by its image type",
        ),
        pytest.param(
            {"spacing_mm": 3.0},
            {"description": "MPR Thorax"},
            "original before derived",
            id="derived by its description",
        ),
        pytest.param({}, {"spacing_mm": 2.5}, "thinner slices", id="thin before thick"),
        pytest.param(
            {"kernel": "LUNG"}, {"spacing_mm": 5.0}, "thinner slices", id="thinness before kernel"
        ),
        pytest.param(
            {"spacing_mm": 1.5, "thickness_mm": None},
            {"spacing_mm": 0.7, "thickness_mm": 5.0},
            "thinner slices",
            id="thick slices that overlap",
        ),
        pytest.param({"kernel": "STANDARD"}, {}, "kernel", id="standard before unknown"),
        pytest.param({}, {"kernel": "BONE"}, "kernel", id="unknown before sharp"),
        pytest.param({}, {"description": "CHEST LUNG"}, "kernel", id="kernel by description"),
        pytest.param(
            {"kernel": "B", "description": "LUNG"},
            {"kernel": "D", "description": "SOFT"},
            "kernel",
            id="the kernel's own name counts before the description",
        ),
        pytest.param(
            {"spacing_mm": 0.7}, {"spacing_mm": 1.0}, "more slices", id="more slices of 1 mm"
        ),
        pytest.param({}, {"number": 3}, "series number", id="the earlier series"),
        pytest.param({}, {"number": None}, "series number", id="numbered before unnumbered"),
        # coverage counts in whole steps of 50 mm, up to six
        pytest.param(
            {"coverage_mm": 250.0},
            {"coverage_mm": 249.9, "spacing_mm": 0.5},
            "coverage of the chest",
            id="250",
        ),
        pytest.param(
            {"coverage_mm": 250.0, "spacing_mm": 0.5},
            {"coverage_mm": 299.9},
            "more slices",
            id="up to 300",
        ),
        pytest.param(
            {"coverage_mm": 300.0},
            {"coverage_mm": 299.9, "spacing_mm": 0.5},
            "coverage of the chest",
            id="300",
        ),
        pytest.param(
            {"coverage_mm": 300.0, "spacing_mm": 0.5},
            {"coverage_mm": 350.0},
            "more slices",
            id="more",
        ),
        # up to 1.5 mm slices are thin, then they are compared to 0.1 mm
        pytest.param(
            {"spacing_mm": 1.54, "kernel": "STANDARD"}, {}, "kernel", id="1.54 mm is thin"
        ),
        pytest.param(
            {}, {"spacing_mm": 1.56, "kernel": "STANDARD"}, "thinner slices", id="1.56 mm is not"
        ),
    ],
)
def test_the_rule_of_choice(better: dict[str, Any], worse: dict[str, Any], step: str) -> None:
    for offers, index in (
        ([offer(**better), offer(**worse)], 0),
        ([offer(**worse), offer(**better)], 1),
    ):
        choice = best_of(offers)
        assert (choice.index, choice.tied) == (index, ())
        assert choice.reason.startswith(f"the best of 2 usable series, before 1 by {step}: ")


def test_every_step_that_decided_is_stated() -> None:
    choice = best_of(
        [offer(kernel="B31f"), offer(kernel="B70f"), offer(kernel="B80f"), offer(spacing_mm=5.0)]
    )
    assert choice.reason == (
        "the best of 4 usable series, before 2 by kernel, before 1 by thinner slices:"
        " 320 mm in slices 1.00 mm apart, kernel B31f (standard)"
    )


def test_one_series_is_no_choice() -> None:
    assert best_of([offer()]).reason.startswith("the only usable series: ")


def test_a_tie_is_stated_and_falls_to_the_stored_pixels() -> None:
    tied = [offer(content=lambda: "c"), offer(content=lambda: "a"), offer(number=9)]
    choice = best_of(tied)
    assert (choice.index, choice.tied) == (1, (0,))
    assert ", before 1 by series number, tied with 1 by every step: " in choice.reason


def test_pixels_are_read_in_a_tie_only() -> None:
    def never() -> str:
        raise AssertionError("nobody needs the pixels")

    assert best_of([offer(content=never), offer(content=never, number=3)]).index == 0
