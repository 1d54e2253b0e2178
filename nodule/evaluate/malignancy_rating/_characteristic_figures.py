"""How well the networks tell the readers' eight other characteristics of a nodule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.evaluate._bootstrap import BootstrapSettings, patient_bootstraps
from nodule.evaluate._estimate import Estimate
from nodule.evaluate.malignancy_rating._crop_predictions import NodulePrediction
from nodule.malignancy import LEVELS, NOMINAL

CHARACTERISTICS = tuple(name for name in LEVELS if name != "malignancy")

Rated = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CharacteristicAgreement:
    """Networks against readers in one characteristic; None for what is undefined.

    Kappa is weighted quadratically where ratings have an order, and unweighted where they have
    none; it compares the readers' rounded mean, or what most of them say, with the networks'.

    Parameters
    ----------
    kappa, exact : of the networks, and the share of nodules in which they agree.
    reader_kappa, reader_exact : of single readers with the others.
    """

    kappa: Estimate | None = None
    exact: Estimate | None = None
    reader_kappa: Estimate | None = None
    reader_exact: Estimate | None = None


def characteristic_agreement(
    predicted: Sequence[NodulePrediction], *, bootstrap: BootstrapSettings
) -> dict[str, CharacteristicAgreement]:
    """Compare every characteristic that some nodule is rated in."""
    by_name = {}
    for name in CHARACTERISTICS:
        rated = [e for e in predicted if name in e.characteristics and any(e.votes.get(name, ()))]
        if rated:
            by_name[name] = _agreement(name, rated, bootstrap=bootstrap)
    return by_name


def _agreement(
    name: str, rated: Sequence[NodulePrediction], *, bootstrap: BootstrapSettings
) -> CharacteristicAgreement:
    votes = np.array([each.votes[name] for each in rated], float)
    said = np.stack([each.characteristics[name] for each in rated]).astype(np.float64)
    truth, own = _levels(votes, name), _levels(said, name)
    readers = [_one_against_others(counts, name) for counts in votes]
    weighted = name not in NOMINAL

    def measure(index: NDArray[np.int64]) -> Mapping[str, float]:
        pairs = np.concatenate([readers[i] for i in index])
        return {
            "kappa": _kappa(own[index], truth[index], weighted=weighted),
            "exact": float((own[index] == truth[index]).mean()),
            "reader_kappa": _kappa(*pairs.T, weighted=weighted),
            "reader_exact": float((pairs[:, 0] == pairs[:, 1]).mean()) if len(pairs) else np.nan,
        }

    patients = [each.record.patient_id for each in rated]
    return CharacteristicAgreement(**patient_bootstraps(measure, patients, bootstrap=bootstrap))


def _levels(shares: Rated, name: str) -> NDArray[np.int64]:
    """Return the rating that votes or distributions [item, level] stand for, from 1."""
    if name in NOMINAL:
        return np.asarray(shares.argmax(axis=-1) + 1, np.int64)
    ratings = np.arange(1, shares.shape[-1] + 1)
    means = shares @ ratings / shares.sum(axis=-1)
    return np.asarray(np.floor(means + 0.5), np.int64)


def _one_against_others(votes: Rated, name: str) -> NDArray[np.int64]:
    """Return each reader's rating beside the others', (n, 2); of one reader alone nothing."""
    pairs = []
    for level in np.flatnonzero(votes):
        others = votes - np.eye(len(votes))[level]
        if others.sum():
            pair = (level + 1, int(_levels(others, name)))
            pairs.extend([pair] * int(votes[level]))
    return np.array(pairs, np.int64).reshape(-1, 2)


def _kappa(one: NDArray[np.int64], other: NDArray[np.int64], *, weighted: bool) -> float:
    """Return Cohen's kappa, with quadratic weights or none; NaN where chance alone would agree."""
    if not len(one):
        return float("nan")
    levels = np.arange(1, max(one.max(), other.max()) + 1)
    shares = [(values[:, None] == levels).mean(axis=0) for values in (one, other)]
    apart = levels[:, None] - levels[None]
    cost = np.square(apart) if weighted else (apart != 0).astype(float)
    by_chance = float((np.outer(*shares) * cost).sum())
    gap = one - other
    found = float(np.square(gap).mean() if weighted else (gap != 0).mean())
    return 1.0 - found / by_chance if by_chance else float("nan")
