"""Intervals of any figure, by drawing patients with replacement, with all that is theirs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.evaluate._estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings:
    """How often patients or scans are drawn, and what the interval holds of the draws.

    Parameters
    ----------
    draws : number of draws.
    seed : of the draws.
    confidence : share of the draws within an interval.

    Raises
    ------
    InputError : ``BAD_BOOTSTRAP``.
    """

    draws: int = 1000
    seed: int = 0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.draws < 1 or self.seed < 0 or not 0.0 < self.confidence < 1.0:
            raise InputError(
                "the settings of a bootstrap are not valid",
                code="BAD_BOOTSTRAP",
                expected="1 draw or more, a seed of 0 or more, a confidence between 0 and 1",
                got=(self.draws, self.seed, self.confidence),
            )

    @property
    def tails(self) -> tuple[float, float]:
        """The quantiles at which an interval begins and ends."""
        return (1.0 - self.confidence) / 2.0, (1.0 + self.confidence) / 2.0

    def resamples(
        self,
        groups: int,
        *,
        accept: Callable[[NDArray[np.int64]], bool] = lambda _: True,
    ) -> Iterator[NDArray[np.int64]]:
        """Yield the groups of each draw, as many as there are, with replacement.

        Parameters
        ----------
        groups : number of patients or scans.
        accept : draws that it refuses are repeated.
        """
        rng = np.random.default_rng(self.seed)
        for _ in range(self.draws):
            drawn = rng.integers(groups, size=groups)
            while not accept(drawn):
                drawn = rng.integers(groups, size=groups)
            yield drawn


def patient_bootstrap(
    measure: Callable[[NDArray[np.int64]], float],
    patient_ids: Sequence[str],
    *,
    bootstrap: BootstrapSettings,
) -> Estimate:
    """Draw patients with all their nodules, and measure each draw.

    Parameters
    ----------
    measure : takes the indices of the cases drawn; for a paired comparison of two systems it
        returns their difference. A draw on which it is NaN or raises ``InputError``, such as one
        of a single class, is left out and shows in ``draws``.
    patient_ids : one per case.
    bootstrap : the draws.

    Raises
    ------
    InputError : ``NO_CASES``, or ``NO_DRAWS`` if the measure was never defined.
    """
    found = patient_bootstraps(lambda index: {"": measure(index)}, patient_ids, bootstrap=bootstrap)
    if not found:
        raise InputError("the measure is defined on no draw", code="NO_DRAWS", got=bootstrap.draws)
    return found[""]


def patient_bootstraps(
    measure: Callable[[NDArray[np.int64]], Mapping[str, float]],
    patient_ids: Sequence[str],
    *,
    bootstrap: BootstrapSettings,
    n: Mapping[str, int] | None = None,
) -> dict[str, Estimate]:
    """Measure several figures on the same draws; as :func:`patient_bootstrap`.

    Parameters
    ----------
    n : cases that a figure rests on, by its name; a figure not named rests on all.

    Returns
    -------
    By name what is defined on all cases and on at least one draw.

    Raises
    ------
    InputError : ``NO_CASES``.
    """
    if not len(patient_ids):
        raise InputError("there are no cases to draw from", code="NO_CASES")
    _, patient = np.unique(np.asarray(patient_ids), return_inverse=True)
    cases = [np.flatnonzero(patient == number) for number in range(patient.max() + 1)]
    values: dict[str, list[float]] = {}
    for drawn in bootstrap.resamples(len(cases)):
        for name, value in _defined(measure, np.concatenate([cases[k] for k in drawn])).items():
            values.setdefault(name, []).append(value)
    estimates = _defined(measure, np.arange(len(patient_ids)))
    limits = {
        name: np.quantile(values[name], bootstrap.tails) for name in estimates if name in values
    }
    rests_on = n or {}
    return {
        name: Estimate(
            value=estimates[name],
            low=float(low),
            high=float(high),
            n=rests_on.get(name, len(patient_ids)),
            draws=len(values[name]),
        )
        for name, (low, high) in limits.items()
    }


def _defined(
    measure: Callable[[NDArray[np.int64]], Mapping[str, float]], index: NDArray[np.int64]
) -> dict[str, float]:
    try:
        return {name: value for name, value in measure(index).items() if not math.isnan(value)}
    except InputError:
        return {}
