"""Free-response ROC and the competition performance metric (CPM) of LUNA16.

Sensitivity is interpolated linearly at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives per scan,
counting all scans, and CPM is the mean of the seven. What hits and what does not is decided in
:mod:`nodule.evaluate.luna16_froc._luna16_matching`.

References
----------
Setio et al. 2017, Med Image Anal 42:1-13; https://luna16.grand-challenge.org/Evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate.luna16_froc._luna16_matching import ScanMatches

FP_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class FrocCurve:
    """Sensitivity against false positives per scan.

    Parameters
    ----------
    fp_rates, sensitivities : the operating points asked for.
    fp_per_scan, sensitivity : the whole curve, from (0, 0).
    true_positives, false_negatives, false_positives, ignored, double, n_marks, n_scans : counts.
    """

    fp_rates: tuple[float, ...]
    sensitivities: tuple[float, ...]
    fp_per_scan: Floats
    sensitivity: Floats
    true_positives: int
    false_negatives: int
    false_positives: int
    ignored: int
    double: int
    n_marks: int
    n_scans: int

    @property
    def cpm(self) -> float:
        """Mean sensitivity at the operating points."""
        return float(np.mean(self.sensitivities))


@dataclass(frozen=True, kw_only=True, eq=False)
class FrocBand:
    """Variation of the sensitivities over draws of the scans.

    Parameters
    ----------
    fp_rates : false positives per scan, shape (n,).
    mean, low, high : mean and percentiles over the draws, shape (n,).
    cpm : low and high percentile of the mean over ``FP_RATES``.
    """

    fp_rates: Floats
    mean: Floats
    low: Floats
    high: Floats
    cpm: tuple[float, float]


def froc(scans: Sequence[ScanMatches], *, fp_rates: Sequence[float] = FP_RATES) -> FrocCurve:
    """Sensitivity at fixed false positives per scan.

    Parameters
    ----------
    scans : one entry per scan, scans without nodules included.
    fp_rates : false positives per scan.

    Raises
    ------
    InputError : ``NO_NODULES`` if no scan holds one.
    """
    pooled = _Pooled.of(scans)
    fp_per_scan, sensitivity = pooled.curve(np.ones(len(scans)))
    found = int(pooled.is_hit.sum())
    return FrocCurve(
        fp_rates=tuple(fp_rates),
        sensitivities=tuple(np.interp(fp_rates, fp_per_scan, sensitivity).tolist()),
        fp_per_scan=fp_per_scan,
        sensitivity=sensitivity,
        true_positives=found,
        false_negatives=int(pooled.nodules.sum()) - found,
        false_positives=int((~pooled.is_hit).sum()),
        ignored=sum(scan.n_ignored for scan in scans),
        double=sum(scan.n_double for scan in scans),
        n_marks=sum(scan.n_marks for scan in scans),
        n_scans=len(scans),
    )


def bootstrap_froc(
    scans: Sequence[ScanMatches],
    *,
    bootstrap: BootstrapSettings,
    fp_rates: Sequence[float] = FP_RATES,
) -> FrocBand:
    """Draw the scans with replacement; draws without any nodule are repeated.

    Parameters
    ----------
    scans : one entry per scan.
    bootstrap : the draws.
    fp_rates : false positives per scan at which the variation is wanted.

    Raises
    ------
    InputError : ``NO_NODULES`` if no scan holds one.
    """
    pooled = _Pooled.of(scans)
    rates = np.asarray(fp_rates, float)
    sensitivities, cpms = [], []
    for drawn in bootstrap.resamples(len(scans), accept=pooled.holds_nodules):
        curve = pooled.curve(pooled.times(drawn))
        sensitivities.append(np.interp(rates, *curve))
        cpms.append(np.interp(FP_RATES, *curve).mean())
    values = np.array(sensitivities)
    low, high = _percentiles(values, bootstrap.confidence)
    cpm_low, cpm_high = _percentiles(np.array(cpms)[:, None], bootstrap.confidence)
    return FrocBand(
        fp_rates=rates,
        mean=values.mean(axis=0),
        low=low,
        high=high,
        cpm=(float(cpm_low[0]), float(cpm_high[0])),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pooled:
    """All scored nodules and false positives, best first, so that a draw only weighs them."""

    scan: NDArray[np.int64]
    is_hit: NDArray[np.bool_]
    ends_tie: NDArray[np.bool_]
    nodules: NDArray[np.int64]

    @classmethod
    def of(cls, scans: Sequence[ScanMatches]) -> _Pooled:
        nodules = np.array([len(scan.nodule_scores) for scan in scans], dtype=np.int64)
        if nodules.sum() == 0:
            raise InputError(
                "sensitivity needs a nodule",
                code="NO_NODULES",
                expected="at least one annotated nodule",
                got=f"none in {len(scans)} scans",
            )
        false = np.array([len(scan.false_positive_scores) for scan in scans], dtype=np.int64)
        index = np.arange(len(scans))
        scan = np.concatenate([np.repeat(index, nodules), np.repeat(index, false)])
        score = np.concatenate(
            [s.nodule_scores for s in scans] + [s.false_positive_scores for s in scans]
        )
        is_nodule = np.arange(len(score)) < nodules.sum()
        order = np.argsort(-score, kind="stable")
        order = order[np.isfinite(score[order])]
        ranked = score[order]
        return cls(
            scan=scan[order],
            is_hit=is_nodule[order],
            ends_tie=np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)],
            nodules=nodules,
        )

    def holds_nodules(self, drawn: NDArray[np.int64]) -> bool:
        """Tell whether any of the scans drawn holds a nodule."""
        return bool(self.nodules[drawn].any())

    def times(self, drawn: NDArray[np.int64]) -> Floats:
        """Return how often each scan is drawn."""
        return np.bincount(drawn, minlength=len(self.nodules)).astype(np.float64)

    def curve(self, times: Floats) -> tuple[Floats, Floats]:
        """Return false positives per scan and sensitivity as the threshold falls."""
        weight = times[self.scan]
        hits = np.cumsum(weight * self.is_hit)[self.ends_tie]
        false = np.cumsum(weight * ~self.is_hit)[self.ends_tie]
        fp_per_scan = np.insert(false, 0, 0.0) / len(self.nodules)
        sensitivity = np.insert(hits, 0, 0.0) / (times * self.nodules).sum()
        return fp_per_scan, sensitivity


def _percentiles(values: Floats, confidence: float) -> tuple[Floats, Floats]:
    # LUNA16 takes order statistics, not interpolated quantiles
    ranked = np.sort(values, axis=0)
    tail = (1.0 - confidence) / 2.0
    low, high = int(tail * len(ranked)), int((1.0 - tail) * len(ranked))
    return ranked[low], ranked[min(high, len(ranked) - 1)]
