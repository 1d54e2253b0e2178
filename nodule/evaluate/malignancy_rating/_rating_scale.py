"""How well malignancy scores agree with the readers' ratings.

The truth is radiologists' suspicion on LIDC's scale from 1 to 5, not pathology. Reported beside
each other: agreement on the scale, and the two-class question whether the readers' mean lies
below or above 3, where nodules at exactly 3 are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodule.errors import InputError

LEVELS = (1, 2, 3, 4, 5)
INDETERMINATE = 3.0


@dataclass(frozen=True, kw_only=True)
class RatingAgreement:
    """Agreement on the scale from 1 to 5.

    Parameters
    ----------
    quadratic_kappa : weighted kappa (Cohen 1968) of the rounded scores; NaN where all scores and
        ratings are one value.
    exact, within_one : share of rounded scores equal to, or at most one step from, the rating.
    mean_absolute_error : of the scores as they are.
    """

    quadratic_kappa: float
    exact: float
    within_one: float
    mean_absolute_error: float


def rating_agreement(scores: ArrayLike, ratings: ArrayLike) -> RatingAgreement:
    """Compare scores with ratings.

    Parameters
    ----------
    scores, ratings : shape (n,), 1 to 5; halves are rounded up where a level is needed.

    Raises
    ------
    InputError : ``NO_CASES``, ``SHAPE_MISMATCH`` or ``OFF_SCALE``.
    """
    score, rating = _same_shape(scores, ratings)
    for values in (score, rating):
        if not ((values >= LEVELS[0]) & (values <= LEVELS[-1])).all():
            raise InputError("a rating is outside its scale", code="OFF_SCALE", expected="1 to 5")
    level, truth = round_half_up(score), round_half_up(rating)
    return RatingAgreement(
        quadratic_kappa=_quadratic_kappa(level, truth),
        exact=float((level == truth).mean()),
        within_one=float((np.abs(level - truth) <= 1).mean()),
        mean_absolute_error=float(np.abs(score - rating).mean()),
    )


def suspicious(mean_ratings: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which nodules have a class, and whether it is the suspicious one, both shape (n,).

    A mean above 3 is suspicious, below 3 not; at 3 there is no class.
    """
    mean = np.asarray(mean_ratings, float)
    return mean != INDETERMINATE, mean > INDETERMINATE


def readers_mean(votes: ArrayLike) -> NDArray[np.float64]:
    """Return the mean rating of votes [..., 5], readers per rating; a mean of 3 is exactly 3."""
    counts = np.asarray(votes, float)
    return np.asarray(counts @ np.array(LEVELS) / counts.sum(axis=-1))


def suspicion_of(distributions: ArrayLike) -> NDArray[np.float64]:
    """Return how probably a rating lies above 3, if it is not 3, by distributions [..., 5]."""
    shares = np.asarray(distributions, float)
    above, below = shares[..., 3:].sum(axis=-1), shares[..., :2].sum(axis=-1)
    return np.asarray(above / (above + below))


@dataclass(frozen=True, kw_only=True)
class ClassCounts:
    """Nodules by class.

    Parameters
    ----------
    n, n_patients : nodules and patients.
    n_benign, n_malignant, n_dropped_at_3 : nodules whose readers' mean is below, above and at 3.
    n_rated_by_several : nodules that more than one reader rated.
    """

    n: int
    n_patients: int
    n_benign: int
    n_malignant: int
    n_dropped_at_3: int
    n_rated_by_several: int

    @classmethod
    def of(cls, votes: ArrayLike, patients: Sequence[str]) -> ClassCounts:
        """Count nodules by their votes [item, 5], and whose they are."""
        counts = np.asarray(votes)
        truth = readers_mean(counts)
        return cls(
            n=len(truth),
            n_patients=len(set(patients)),
            n_benign=int((truth < INDETERMINATE).sum()),
            n_malignant=int((truth > INDETERMINATE).sum()),
            n_dropped_at_3=int((truth == INDETERMINATE).sum()),
            n_rated_by_several=int((counts.sum(axis=1) > 1).sum()),
        )

    @property
    def n_classed(self) -> int:
        """Nodules of either class."""
        return self.n_benign + self.n_malignant


def calibration_error(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10) -> float:
    """Return the expected calibration error (Naeini et al. 2015).

    The mean over cases of the gap between a bin's mean probability and its share of positives;
    bins of equal width over [0, 1], closed below.
    """
    p, label = _same_shape(probabilities, labels)
    index = np.digitize(p, np.linspace(0.0, 1.0, bins + 1)[1:-1])
    gap = np.bincount(index, weights=p - label, minlength=bins)
    return float(np.abs(gap).sum() / len(p))


def _quadratic_kappa(level: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """Return 1 less the mean squared difference over that of independent pairs (Cohen 1968)."""
    by_chance = level.var() + truth.var() + (level.mean() - truth.mean()) ** 2
    return float(1.0 - np.square(level - truth).mean() / by_chance) if by_chance else math.nan


def round_half_up(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the nearest whole numbers, halves rounded up."""
    return np.floor(values + 0.5).astype(np.int64)


def _same_shape(
    first: ArrayLike, second: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = np.asarray(first, float), np.asarray(second, float)
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(
            "one value per case is needed", code="SHAPE_MISMATCH", expected=b.shape, got=a.shape
        )
    if not len(a):
        raise InputError("there are no cases", code="NO_CASES")
    return a, b
