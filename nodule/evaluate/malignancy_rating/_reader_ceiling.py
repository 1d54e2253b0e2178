"""What the readers' noise allows, what size explains, and how far the ratings span the scale."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.evaluate._bootstrap import BootstrapSettings, patient_bootstraps
from nodule.evaluate._estimate import Estimate
from nodule.evaluate.malignancy_rating._calibrated_ratings import CalibratedRatings
from nodule.evaluate.malignancy_rating._rating_scale import (
    LEVELS,
    rating_agreement,
    suspicious,
)
from nodule.evaluate.malignancy_rating._reader_agreement import auc

_READERS = 4
_SAME_SIZE = 1.1  # the larger diameter over the smaller one, at most
_HIGH, _LOW = 4.5, 1.5
_SPLIT_BELOW, _SPLIT_ABOVE = 2, 4


@dataclass(frozen=True, kw_only=True)
class ReaderCeiling:
    """Two readers against the other two, in every way to pair them, and the networks likewise.

    Nobody can agree better with two readers than these allow; a nodule's four readers are 2 and 2
    here, so that their truth is noisier than the mean of all four.

    Parameters
    ----------
    reader_auc, reader_kappa : the mean of two readers against that of the other two.
    network_auc, network_kappa : the networks' rating against the same two.
    """

    reader_auc: Estimate | None = None
    reader_kappa: Estimate | None = None
    network_auc: Estimate | None = None
    network_kappa: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class SizeMatched:
    """Malignant and benign nodules of one size: pairs with diameters within 10 %.

    Parameters
    ----------
    auc : share of the pairs in which the malignant nodule has the higher suspicion.
    diameter_auc : share in which it is the larger one; near a half, as sizes are matched.
    n_pairs : pairs.
    """

    auc: Estimate | None = None
    diameter_auc: Estimate | None = None
    n_pairs: int = 0


@dataclass(frozen=True, kw_only=True)
class ScaleEnds:
    """How far the networks' ratings span the readers' scale.

    Parameters
    ----------
    of_high, of_low : mean rating of the nodules that readers rate 4.5 and more, 1.5 and less.
    split_abstained : share abstained from of the nodules that some reader rates 1 or 2 and another
        4 or 5.
    """

    of_high: Estimate | None = None
    of_low: Estimate | None = None
    split_abstained: Estimate | None = None


def reader_ceiling(
    found: CalibratedRatings, *, bootstrap: BootstrapSettings
) -> ReaderCeiling | None:
    """Compare pairs of readers; None where no nodule has four ratings."""
    four = np.flatnonzero(found.votes.sum(axis=1) == _READERS)
    if not len(four):
        return None
    some = found.take(four)
    listed = np.stack([np.repeat(LEVELS, votes) for votes in some.votes])
    # votes come in the order of the scale: nobody's two readers must be the lower ones
    ratings = np.random.default_rng(0).permuted(listed, axis=1)
    pairs = [list(two) for two in itertools.combinations(range(_READERS), 2)]
    panels = np.stack([ratings[:, two].mean(axis=1) for two in pairs])
    others = panels[::-1]  # the pairs are listed so that the last is the first one's other half

    def measure(index: NDArray[np.int64]) -> Mapping[str, float]:
        score, suspicion = some.score[index], some.suspicion[index]
        rows = [
            (
                auc(one[index], truth[index]),
                rating_agreement(one[index], truth[index]).quadratic_kappa,
                auc(suspicion, truth[index]),
                rating_agreement(score, truth[index]).quadratic_kappa,
            )
            for one, truth in zip(panels, others, strict=True)
        ]
        names = ("reader_auc", "reader_kappa", "network_auc", "network_kappa")
        return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))

    return ReaderCeiling(**patient_bootstraps(measure, some.patients, bootstrap=bootstrap))


def size_matched(found: CalibratedRatings, *, bootstrap: BootstrapSettings) -> SizeMatched:
    """Compare the networks with the readers' classes where size does not tell them apart."""
    has_class, malignant = suspicious(found.truth)

    def pairs(index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        chosen = index[has_class[index]]
        high, low = chosen[malignant[chosen]], chosen[~malignant[chosen]]
        apart = np.abs(np.log(found.diameter_mm[high][:, None] / found.diameter_mm[low][None]))
        first, second = np.nonzero(apart <= np.log(_SAME_SIZE))
        return high[first], low[second]

    def measure(index: NDArray[np.int64]) -> Mapping[str, float]:
        high, low = pairs(index)
        return {
            "auc": _share_above(found.suspicion, high, low),
            "diameter_auc": _share_above(found.diameter_mm, high, low),
        }

    figures = patient_bootstraps(measure, found.patients, bootstrap=bootstrap)
    return SizeMatched(**figures, n_pairs=len(pairs(np.arange(len(found.truth)))[0]))


def scale_ends(found: CalibratedRatings, *, bootstrap: BootstrapSettings) -> ScaleEnds:
    """Return how nodules at the ends of the readers' scale, and those in dispute, are rated."""
    levels = np.array(LEVELS)
    below = found.votes[:, levels <= _SPLIT_BELOW].sum(axis=1) > 0
    above = found.votes[:, levels >= _SPLIT_ABOVE].sum(axis=1) > 0
    groups = {
        "of_high": (found.truth >= _HIGH, found.score),
        "of_low": (found.truth <= _LOW, found.score),
        "split_abstained": (below & above, found.abstained.astype(float)),
    }

    def measure(index: NDArray[np.int64]) -> Mapping[str, float]:
        return {
            name: float(values[index][which[index]].mean())
            for name, (which, values) in groups.items()
            if which[index].any()
        }

    n = {name: int(which.sum()) for name, (which, _) in groups.items()}
    return ScaleEnds(**patient_bootstraps(measure, found.patients, bootstrap=bootstrap, n=n))


def _share_above(
    values: NDArray[np.float64], high: NDArray[np.int64], low: NDArray[np.int64]
) -> float:
    if not len(high):
        return float("nan")
    gap = values[high] - values[low]
    return float((gap > 0).mean() + 0.5 * (gap == 0).mean())
