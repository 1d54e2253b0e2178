"""The malignancy network's judgements against the readers', every figure with its interval.

Benign against malignant is the readers' mean rating below 3 against above; nodules at exactly 3
are left out of the two-class figures. The plain baseline ranks by the readers' diameter alone, as
a logistic regression on it would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve  # type: ignore[import-untyped]

from nodule.evaluate.ratings import (
    Interval,
    binary_quality,
    patient_bootstrap,
    rating_agreement,
    suspicious,
)
from nodule.malignancy.judge import Discernment, Judgement

Measure = Callable[[NDArray[np.int64]], float]

_SPECIFICITY = 0.8
_KEPT = 0.98


def agreement(
    judged: Sequence[Judgement], *, draws: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Compare network and readers.

    Parameters
    ----------
    judged : rated nodules of both classes.
    draws, seed : of the bootstrap over patients, the same draws for all figures.

    Returns
    -------
    ``auc``, ``sensitivity_at_80_specificity``, ``brier`` and ``ece`` of the two classes;
    ``auc_diameter`` of the baseline and ``auc_beyond_diameter``, the paired difference;
    ``quadratic_weighted_kappa``, ``mae``, ``exact`` and ``within_one`` on the scale.

    Raises
    ------
    InputError : ``NO_CASES`` or ``ONE_CLASS``.
    """
    score = np.array([each.score for each in judged])
    suspicion = np.array([each.suspicion for each in judged])
    diameter_mm = np.array([each.record.diameter_mm for each in judged])
    truth = np.array([each.readers_mean for each in judged])
    has_class, malignant = suspicious(truth)

    def two_classes(values: NDArray[np.float64], figure: Callable[[Any, Any], float]) -> Measure:
        def measure(index: NDArray[np.int64]) -> float:
            kept = index[has_class[index]]
            return figure(values[kept], malignant[kept])

        return measure

    def on_scale(name: str) -> Measure:
        return lambda index: getattr(rating_agreement(score[index], truth[index]), name)

    auc = two_classes(suspicion, _auc)
    auc_diameter = two_classes(diameter_mm / diameter_mm.max(initial=1.0), _auc)
    measures = {
        "auc": auc,
        "auc_diameter": auc_diameter,
        "auc_beyond_diameter": lambda index: auc(index) - auc_diameter(index),
        "sensitivity_at_80_specificity": two_classes(suspicion, sensitivity_at_specificity),
        "brier": two_classes(suspicion, lambda p, y: binary_quality(p, y).brier),
        "ece": two_classes(suspicion, lambda p, y: binary_quality(p, y).calibration_error),
        "quadratic_weighted_kappa": on_scale("quadratic_kappa"),
        "mae": on_scale("mean_absolute_error"),
        "exact": on_scale("exact"),
        "within_one": on_scale("within_one"),
    }
    patients = [each.record.patient_id for each in judged]
    return _with_intervals(measures, patients, draws=draws, seed=seed)


def context_shift(
    judged: Sequence[Judgement], *, draws: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Tell what the readers' slices alone, filled up with lung, do to the network's mean rating.

    Returns
    -------
    ``context_shift``, the mean rating of nodules in cubes with all their surroundings less that in
    stacks of outlined slices, and ``context_deviation``, the mean absolute difference; empty where
    no nodule is shown both ways.
    """
    both = [each for each in judged if {"crop51", "stack"} <= each.score_by_kind.keys()]
    if not both:
        return {}
    gap = np.array([each.score_by_kind["crop51"] - each.score_by_kind["stack"] for each in both])
    measures: dict[str, Measure] = {
        "context_shift": lambda index: float(gap[index].mean()),
        "context_deviation": lambda index: float(np.abs(gap[index]).mean()),
    }
    patients = [each.record.patient_id for each in both]
    return _with_intervals(measures, patients, draws=draws, seed=seed)


def reader_kappa(votes: Sequence[Sequence[int]]) -> float:
    """Return the quadratic weighted kappa of single readers with the rounded mean of the others.

    Parameters
    ----------
    votes : per nodule, how many readers gave each rating; single readers are left out.
    """
    own: list[float] = []
    others: list[float] = []
    for counts in votes:
        readers = np.repeat(np.arange(1, len(counts) + 1), counts)
        if len(readers) > 1:
            own.extend(readers.tolist())
            others.extend(((readers.sum() - readers) / (len(readers) - 1)).tolist())
    return rating_agreement(own, others).quadratic_kappa


def discernment(seen: Discernment, *, draws: int = 1000, seed: int = 0) -> dict[str, Interval]:
    """Tell how well nodules are told from their surroundings.

    Returns
    -------
    ``nodule_auc``, and ``false_removed_at_98_kept``: the share of other places below the
    probability that 98 % of the nodules reach.
    """

    def removed(index: NDArray[np.int64]) -> float:
        nodule, probability = seen.is_nodule[index], seen.probability[index]
        return float(np.mean(probability[~nodule] < np.quantile(probability[nodule], 1.0 - _KEPT)))

    measures: dict[str, Measure] = {
        "nodule_auc": lambda index: _auc(seen.probability[index], seen.is_nodule[index]),
        "false_removed_at_98_kept": removed,
    }
    return _with_intervals(measures, seen.patients, draws=draws, seed=seed)


def sensitivity_at_specificity(
    probability: NDArray[np.float64], label: NDArray[np.bool_], *, specificity: float = _SPECIFICITY
) -> float:
    """Return the highest sensitivity at no less than a specificity; NaN for one class."""
    if label.all() or not label.any():
        return float("nan")
    false_positive, true_positive, _ = roc_curve(label, probability)
    specific = false_positive <= 1.0 - specificity + 1e-9
    return float(true_positive[specific].max())


def _auc(probability: Any, label: Any) -> float:
    return binary_quality(probability, label).auc


def _with_intervals(
    measures: Mapping[str, Measure], patients: Sequence[str], *, draws: int, seed: int
) -> dict[str, Interval]:
    return {
        name: patient_bootstrap(measure, patients, rng=np.random.default_rng(seed), draws=draws)
        for name, measure in measures.items()
    }
