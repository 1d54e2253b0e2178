"""Growth classes, doubling times and their intervals."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodule.errors import InputError
from nodule.guidelines.growth import (
    Volumetry,
    classify_growth,
    doubling_time_days,
    judge_growth,
)
from nodule.sphere import sphere_diameter_mm, sphere_volume_mm3

VOLUMES = st.floats(1.0, 1e5)
CLASSES = {
    "growing, VDT<=400 (work-up)": "growing, VDT up to 400 days",
    "growing, 400<VDT<=600 (intermediate)": "growing, VDT over 400 to 600 days",
    "growing, VDT>600 (slow)": "growing, VDT over 600 days",
    "stable (<25% change)": "stable",
}


def test_every_growth_vector_comes_out_as_stated(shared: Path) -> None:
    with (shared / "clinical/vectors/growth_vectors.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 6
    for row in rows:
        v1, v2, days = float(row["v1_mm3"]), float(row["v2_mm3"]), float(row["days"])
        result = judge_growth(
            before=Volumetry(volume_mm3=v1), after=Volumetry(volume_mm3=v2), days=days
        )
        assert result.answer == CLASSES[row["class"]]
        change = result.figure("volume change").value
        assert change == pytest.approx(float(row["pct_volume_change"]), abs=0.005)
        vdt = result.figure("volume doubling time").value
        assert vdt == pytest.approx(float(row["vdt_days"]), abs=0.005)
        assert sphere_diameter_mm(v1) == pytest.approx(float(row["d1_eff_mm"]), abs=5e-5)
        assert sphere_diameter_mm(v2) == pytest.approx(float(row["d2_eff_mm"]), abs=5e-5)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (100, 124.9, "stable"),
        (100, 125, "growing"),
        (80, 100, "growing"),
        (112.4, 140.5, "growing"),  # exactly 25 % in decimals, less in binary
        (100, 75.1, "stable"),
        (100, 75, "decreasing"),
        (100, 100, "stable"),
    ],
)
def test_a_quarter_is_the_limit_both_ways(before: float, after: float, expected: str) -> None:
    assert classify_growth(before, after, 90).startswith(expected)


def test_a_doubling_takes_the_interval_and_limits_are_inclusive() -> None:
    assert doubling_time_days(100, 200, 365) == pytest.approx(365)
    assert classify_growth(100, 200, 400) == "growing, VDT up to 400 days"
    assert classify_growth(100, 200, 401) == "growing, VDT over 400 to 600 days"
    assert classify_growth(100, 200, 600) == "growing, VDT over 400 to 600 days"
    assert classify_growth(100, 200, 601) == "growing, VDT over 600 days"


def test_26_percent_of_diameter_double_the_volume() -> None:
    vdt = doubling_time_days(sphere_volume_mm3(8), sphere_volume_mm3(8 * 2 ** (1 / 3)), 90)
    assert vdt == pytest.approx(90)
    by_diameter = math.log(2) * 180 / (3 * math.log(10 / 8))
    assert doubling_time_days(sphere_volume_mm3(8), sphere_volume_mm3(10), 180) == pytest.approx(
        by_diameter
    )


def test_a_shrinking_nodule_has_no_doubling_time() -> None:
    result = judge_growth(
        before=Volumetry(volume_mm3=200), after=Volumetry(volume_mm3=100), days=90
    )
    assert result.answer == "decreasing"
    assert [each.name for each in result.figures] == ["volume change"]
    assert doubling_time_days(200, 100, 90) is None
    assert doubling_time_days(100, 100, 90) == math.inf


def test_the_interval_comes_from_both_errors() -> None:
    """100 -> 200 mm³, each ± 10 %: ln 2 ± sqrt(2) ln 1.1."""
    result = judge_growth(
        before=Volumetry(volume_mm3=100, error_share=0.1),
        after=Volumetry(volume_mm3=200, error_share=0.1),
        days=100,
    )
    half = math.sqrt(2) * math.log(1.1)
    vdt, change = result.figure("volume doubling time"), result.figure("volume change")
    assert vdt.low == pytest.approx(100 * math.log(2) / (math.log(2) + half))
    assert vdt.high == pytest.approx(100 * math.log(2) / (math.log(2) - half))
    assert change.low == pytest.approx(100 * (2 / math.exp(half) - 1))
    assert change.high == pytest.approx(100 * (2 * math.exp(half) - 1))
    assert result.missing == ()


def test_unknown_errors_are_named_and_replaced_by_repeatability() -> None:
    result = judge_growth(
        before=Volumetry(volume_mm3=100), after=Volumetry(volume_mm3=100), days=90
    )
    change = result.figure("volume change")
    assert (change.low, change.high) == (pytest.approx(-20.0), pytest.approx(25.0))
    assert result.missing == ("error of both volumes",)


def test_an_interval_that_holds_no_growth_never_ends() -> None:
    result = judge_growth(
        before=Volumetry(volume_mm3=100), after=Volumetry(volume_mm3=120), days=90
    )
    assert result.answer == "stable"
    assert result.figure("volume doubling time").high == math.inf
    assert any("not to be acted on" in each for each in result.caveats)


def test_says_when_the_interval_reaches_another_class() -> None:
    near = judge_growth(before=Volumetry(volume_mm3=100), after=Volumetry(volume_mm3=130), days=90)
    far = judge_growth(
        before=Volumetry(volume_mm3=100, error_share=0.01),
        after=Volumetry(volume_mm3=400, error_share=0.01),
        days=90,
    )
    assert any("interval reaches" in each for each in near.caveats)
    assert far.caveats == ()


@pytest.mark.parametrize("days", [0, -30, math.nan])
def test_refuses_an_interval_that_runs_backwards(days: float) -> None:
    with pytest.raises(InputError, match="BAD_INTERVAL"):
        doubling_time_days(100, 200, days)


def test_refuses_an_error_below_zero() -> None:
    with pytest.raises(InputError, match="BAD_ERROR"):
        Volumetry(volume_mm3=100, error_share=-0.1)


@given(before=VOLUMES, after=VOLUMES, days=st.floats(1, 4000), error=st.floats(0, 0.5))
def test_the_estimate_lies_within_its_interval(
    before: float, after: float, days: float, error: float
) -> None:
    result = judge_growth(
        before=Volumetry(volume_mm3=before, error_share=error),
        after=Volumetry(volume_mm3=after, error_share=error),
        days=days,
    )
    for figure in result.figures:
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= figure.value <= figure.high


@given(before=VOLUMES, after=VOLUMES)
def test_scaling_both_volumes_leaves_the_doubling_time(before: float, after: float) -> None:
    one, other = (doubling_time_days(k * before, k * after, 90) for k in (1.0, 8.0))
    assert one == other or one == pytest.approx(other)


@given(before=VOLUMES, small=VOLUMES, large=VOLUMES)
def test_faster_growth_never_lengthens_the_doubling_time(
    before: float, small: float, large: float
) -> None:
    small, large = sorted((small, large))
    slow, fast = (doubling_time_days(before, after, 90) for after in (small, large))
    if slow is not None:
        assert fast is not None
        assert fast <= slow
