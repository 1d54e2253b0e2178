"""Judgements read through a calibration, as the arrays that figures are taken from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nodule.evaluate.malignancy_rating._crop_predictions import NodulePrediction
from nodule.evaluate.malignancy_rating._rating_scale import readers_mean, suspicion_of
from nodule.malignancy import Calibration, mean_rating
from nodule.training import Kind

Choose = Callable[[NodulePrediction], Calibration]
"""Which calibration reads a prediction: one that was not fitted on its patient."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibratedRatings:
    """Nodules by their readers and by the calibrated networks, a row each.

    Parameters
    ----------
    predicted : the nodules.
    votes : readers per malignancy rating, [item, 5].
    raw : the members' mean distribution before calibration, [item, 5].
    distribution : calibrated, [item, 5].
    suspicion : calibrated probability that the readers' mean lies above 3, [item].
    score : the networks' rating on the readers' scale, [item].
    called : whether that reaches the threshold, bool [item].
    abstained : bool [item].
    """

    predicted: tuple[NodulePrediction, ...]
    votes: NDArray[np.int64]
    raw: NDArray[np.float64]
    distribution: NDArray[np.float64]
    suspicion: NDArray[np.float64]
    score: NDArray[np.float64]
    called: NDArray[np.bool_]
    abstained: NDArray[np.bool_]

    @property
    def truth(self) -> NDArray[np.float64]:
        """The readers' mean rating, [item]."""
        return readers_mean(self.votes)

    @property
    def mean_rating(self) -> NDArray[np.float64]:
        """The mean of the networks' calibrated distribution, [item]."""
        return mean_rating(self.distribution)

    @property
    def raw_suspicion(self) -> NDArray[np.float64]:
        """Probability of a vote above 3, given that it is not 3, before calibration, [item]."""
        return suspicion_of(self.raw)

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose nodule it is, per item."""
        return tuple(each.record.patient_id for each in self.predicted)

    @property
    def diameter_mm(self) -> NDArray[np.float64]:
        """By the readers' masks, [item]."""
        return np.array([each.record.diameter_mm for each in self.predicted])

    def take(self, index: NDArray[np.int64]) -> CalibratedRatings:
        """Return some of the nodules."""
        return CalibratedRatings(
            predicted=tuple(self.predicted[i] for i in index),
            votes=self.votes[index],
            raw=self.raw[index],
            distribution=self.distribution[index],
            suspicion=self.suspicion[index],
            score=self.score[index],
            called=self.called[index],
            abstained=self.abstained[index],
        )


def calibrated_ratings(predicted: Sequence[NodulePrediction], choose: Choose) -> CalibratedRatings:
    """Read every prediction by the calibration chosen for it; at least one."""
    chosen = [choose(each) for each in predicted]
    pairs = list(zip(predicted, chosen, strict=True))
    shared = np.stack([by.apply(each.distributions).mean(axis=0) for each, by in pairs])
    suspicion = np.array([by.suspicion(row) for by, row in zip(chosen, shared, strict=True)])
    return CalibratedRatings(
        predicted=tuple(predicted),
        votes=np.array([each.votes["malignancy"] for each in predicted]),
        raw=np.stack([each.distributions.mean(axis=0) for each in predicted]).astype(np.float64),
        distribution=shared,
        suspicion=suspicion,
        score=np.array([by.rating(row) for by, row in zip(chosen, shared, strict=True)]),
        called=suspicion >= np.array([by.threshold for by in chosen]),
        abstained=np.array([by.abstains(row) for by, row in zip(chosen, shared, strict=True)]),
    )


def as_seen_in(predicted: Sequence[NodulePrediction], kind: Kind) -> tuple[NodulePrediction, ...]:
    """Return the predictions that have a view of a kind, by that view alone."""
    return tuple(
        replace(each, distributions=each.by_kind[kind])
        for each in predicted
        if kind in each.by_kind
    )
