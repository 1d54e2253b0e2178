"""What evaluations report: a figure with its interval, and how errors are distributed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nodule.errors import InputError
from nodule.weights.model_card import CardFigure

_LIMITS_SD = 1.96  # Bland and Altman 1986: 95 % of normally distributed differences
_CENTRAL_95_PERCENT = (2.5, 50.0, 97.5)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its interval.

    Parameters
    ----------
    value : on all cases.
    low, high : ends of the interval, both None where none can be given.
    n : cases that the figure rests on: nodules, views or scans.
    draws : bootstrap draws on which the figure was defined, None for another kind of interval.

    Raises
    ------
    InputError : ``BAD_ESTIMATE`` for a value or an end that is not finite, one end without the
        other, ends in the wrong order, or a negative number of cases.
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int
    draws: int | None = None

    def __post_init__(self) -> None:
        ends = [end for end in (self.low, self.high) if end is not None]
        if (
            not all(map(math.isfinite, (self.value, *ends)))
            or len(ends) == 1
            or ends != sorted(ends)
            or self.n < 0
        ):
            raise InputError(
                "a figure is not a valid estimate",
                code="BAD_ESTIMATE",
                expected="finite numbers, low <= high or neither, n of 0 or more",
                got=(self.value, self.low, self.high, self.n),
            )

    @classmethod
    def share(cls, count: int, n: int) -> Estimate:
        """Return a share of one case or more, without interval."""
        return cls(value=count / n, n=n)

    def card_figure(self, name: str, *, digits: int = 3) -> CardFigure:
        """Return this as the row of a model card."""
        interval = None if self.low is None or self.high is None else (self.low, self.high)
        return CardFigure(name=name, value=self.value, interval=interval, n=self.n, digits=digits)


@dataclass(frozen=True, kw_only=True)
class LimitsOfAgreement:
    """Differences of two measurements (Bland and Altman 1986).

    Parameters
    ----------
    bias : mean difference.
    low, high : 95 % limits of agreement, bias -/+ 1.96 standard deviations.
    n : pairs.
    """

    bias: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, differences: Sequence[float]) -> LimitsOfAgreement | None:
        """Return the limits, None of fewer than two differences."""
        if len(differences) < 2:
            return None
        bias = float(np.mean(differences))
        reach = _LIMITS_SD * float(np.std(differences, ddof=1))
        return cls(bias=bias, low=bias - reach, high=bias + reach, n=len(differences))


@dataclass(frozen=True, kw_only=True)
class ErrorPercentiles:
    """Errors against a known truth.

    Parameters
    ----------
    median, low, high : percentiles 50, 2.5 and 97.5.
    n : errors.
    """

    median: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, errors: Sequence[float]) -> ErrorPercentiles | None:
        """Return the percentiles, None of no error."""
        if not errors:
            return None
        low, median, high = np.percentile(errors, _CENTRAL_95_PERCENT).tolist()
        return cls(median=median, low=low, high=high, n=len(errors))
