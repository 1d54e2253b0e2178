"""Estimates are whole, and errors are summed up as by hand."""

import math

import pytest

from nodule.errors import InputError
from nodule.evaluate._estimate import ErrorPercentiles, Estimate, LimitsOfAgreement


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": math.nan, "n": 1},
        {"value": 1.0, "low": 0.0, "n": 1},
        {"value": 1.0, "high": 2.0, "n": 1},
        {"value": 1.0, "low": 2.0, "high": 1.0, "n": 1},
        {"value": 1.0, "low": 0.0, "high": math.inf, "n": 1},
        {"value": 1.0, "n": -1},
    ],
)
def test_refuses_half_an_interval_and_what_is_not_finite(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="BAD_ESTIMATE"):
        Estimate(**wrong)


def test_an_interval_may_leave_its_value_out_and_may_be_a_point() -> None:
    # percentiles of a bootstrap need not hold the estimate
    assert Estimate(value=1.0, low=0.2, high=0.9, n=3).high == 0.9
    assert Estimate(value=1.0, low=1.0, high=1.0, n=0).n == 0


def test_a_row_of_a_card_has_the_interval_only_where_there_is_one() -> None:
    row = Estimate(value=0.91234, low=0.8, high=0.95, n=7).card_figure("AUC")
    assert row.cells() == ("AUC", "0.912", "0.800 to 0.950", "7")
    assert Estimate.share(3, 4).card_figure("inside", digits=2).cells() == (
        "inside", "0.75", "", "4",
    )  # fmt: skip


def test_limits_of_agreement_are_those_of_bland_and_altman() -> None:
    # differences of -1, 0 and 4: mean 1, standard deviation sqrt(7)
    limits = LimitsOfAgreement.of([-1.0, 0.0, 4.0])
    assert limits is not None
    assert (limits.bias, limits.n) == (1.0, 3)
    assert limits.high - 1.0 == pytest.approx(1.96 * math.sqrt(7))
    assert 1.0 - limits.low == pytest.approx(1.96 * math.sqrt(7))
    assert LimitsOfAgreement.of([1.0]) is None


def test_percentiles_of_errors_hold_95_per_cent() -> None:
    errors = ErrorPercentiles.of([n / 1000 for n in range(1001)])
    assert errors is not None
    assert (errors.low, errors.median, errors.high) == pytest.approx((0.025, 0.5, 0.975))
    assert errors.n == 1001
    assert ErrorPercentiles.of([]) is None
