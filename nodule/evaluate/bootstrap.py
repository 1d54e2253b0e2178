"""Intervals of any figure, by drawing patients anew with all that is theirs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A measure with its bootstrap percentiles.

    Parameters
    ----------
    estimate : on all cases.
    lower, upper : percentiles over the draws.
    draws : draws on which the measure was defined.
    """

    estimate: float
    lower: float
    upper: float
    draws: int


def patient_bootstrap(
    measure: Callable[[NDArray[np.int64]], float],
    patient_ids: Sequence[str],
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    confidence: float = 0.95,
) -> Interval:
    """Draw patients anew, with all their nodules, and measure each draw.

    Parameters
    ----------
    measure : takes the indices of the cases drawn; for a paired comparison of two systems it
        returns their difference. A draw on which it is NaN or raises ``InputError``, such as one
        of a single class, is left out and shows in ``draws``.
    patient_ids : one per case.
    rng : source of the draws.
    draws, confidence : number of draws, and the share of them within the interval.

    Raises
    ------
    InputError : ``NO_CASES``, or ``NO_DRAWS`` if the measure was never defined.
    """
    found = patient_bootstraps(
        lambda index: {"": measure(index)}, patient_ids, rng=rng, draws=draws, confidence=confidence
    )
    if not found:
        raise InputError("the measure is defined on no draw", code="NO_DRAWS", got=draws)
    return found[""]


def patient_bootstraps(
    measure: Callable[[NDArray[np.int64]], Mapping[str, float]],
    patient_ids: Sequence[str],
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    confidence: float = 0.95,
) -> dict[str, Interval]:
    """Measure several figures on the same draws; as :func:`patient_bootstrap`.

    Returns
    -------
    By name what is defined on all cases and on at least one draw.

    Raises
    ------
    InputError : ``NO_CASES``.
    """
    if not len(patient_ids):
        raise InputError("nothing to draw from", code="NO_CASES")
    _, patient = np.unique(np.asarray(patient_ids), return_inverse=True)
    cases = [np.flatnonzero(patient == number) for number in range(patient.max() + 1)]
    values: dict[str, list[float]] = {}
    for _ in range(draws):
        drawn = rng.integers(len(cases), size=len(cases))
        for name, value in _defined(measure, np.concatenate([cases[n] for n in drawn])).items():
            values.setdefault(name, []).append(value)
    estimates = _defined(measure, np.arange(len(patient_ids)))
    tails = [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
    limits = {name: np.quantile(values[name], tails) for name in estimates if name in values}
    return {
        name: Interval(
            estimate=estimates[name],
            lower=float(lower),
            upper=float(upper),
            draws=len(values[name]),
        )
        for name, (lower, upper) in limits.items()
    }


def _defined(
    measure: Callable[[NDArray[np.int64]], Mapping[str, float]], index: NDArray[np.int64]
) -> dict[str, float]:
    try:
        return {name: value for name, value in measure(index).items() if not math.isnan(value)}
    except InputError:
        return {}
