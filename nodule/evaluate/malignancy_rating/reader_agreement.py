"""The malignancy networks' judgements against the readers', every figure with its interval.

Benign against malignant is the readers' mean rating below 3 against above; nodules at exactly 3
are left out of the two-class figures, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve  # type: ignore[import-untyped]

from nodule.evaluate.bootstrap import Interval, patient_bootstraps
from nodule.evaluate.malignancy_rating.calibrated_ratings import Assessment
from nodule.evaluate.malignancy_rating.crop_predictions import Discernment, Judgement
from nodule.evaluate.malignancy_rating.rating_scale import (
    calibration_error,
    rating_agreement,
    suspicious,
)
from nodule.malignancy.calibration import mean_rating

Figures = Mapping[str, float]
Classes = NDArray[np.bool_]

_SPECIFICITY = 0.8
_KEPT = 0.98


def agreement(found: Assessment, *, draws: int = 1000, seed: int = 0) -> dict[str, Interval]:
    """Compare networks and readers.

    Parameters
    ----------
    found : nodules of both classes.
    draws, seed : of the bootstrap over patients, the same draws for all figures.

    Returns
    -------
    Of the two classes ``auc``, ``sensitivity_at_80_specificity``, ``sensitivity`` and
    ``specificity`` at the calibration's threshold, ``brier`` and ``ece``, the latter two also
    ``_before`` calibration; ``ece_votes`` of a single vote above 3, likewise;
    ``quadratic_weighted_kappa``, ``mae``, ``exact`` and ``within_one`` on the scale;
    ``reader_quadratic_weighted_kappa`` of single readers with the others' rounded mean, and
    ``kappa_beyond_reader``, the paired difference; ``abstained``, and of those judged and of the
    abstained ``auc``, kappa and ``mae``. What is undefined is left out.
    """
    pairs, starts = _reader_pairs(found.votes)

    def measure(index: NDArray[np.int64]) -> Figures:
        reader = _kappa(*pairs[:, np.concatenate([np.arange(*starts[i]) for i in index])])
        scale = _on_scale(found, index)
        return {
            **_two_classes(found, index),
            **scale,
            "reader_quadratic_weighted_kappa": reader,
            "kappa_beyond_reader": scale["quadratic_weighted_kappa"] - reader,
            **_abstaining(found, index),
        }

    return patient_bootstraps(measure, found.patients, rng=np.random.default_rng(seed), draws=draws)


def core_agreement(found: Assessment, *, draws: int = 1000, seed: int = 0) -> dict[str, Interval]:
    """Return ``auc``, ``quadratic_weighted_kappa`` and ``mae``; what is undefined is left out."""

    def measure(index: NDArray[np.int64]) -> Figures:
        truth, score = found.truth[index], found.score[index]
        return {
            "auc": auc(found.suspicion[index], truth),
            "quadratic_weighted_kappa": _kappa(score, truth),
            "mae": float(np.abs(score - truth).mean()),
        }

    return patient_bootstraps(measure, found.patients, rng=np.random.default_rng(seed), draws=draws)


def auc(values: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve of any values; NaN where one class is missing."""
    has_class, malignant = suspicious(truth)
    return _auc(values[has_class], malignant[has_class])


def context_shift(
    judged: Sequence[Judgement], *, draws: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Tell what the readers' slices alone, filled up with lung, do to the networks' mean rating.

    Returns
    -------
    ``context_shift``, the mean rating of nodules in cubes with all their surroundings less that in
    stacks of outlined slices, and ``context_deviation``, the mean absolute difference; empty where
    no nodule is shown both ways.
    """
    both = [each for each in judged if {"crop51", "stack"} <= each.by_kind.keys()]
    if not both:
        return {}
    cube, stack = (
        np.array([mean_rating(each.by_kind[kind].mean(axis=0)) for each in both])
        for kind in ("crop51", "stack")
    )

    def measure(index: NDArray[np.int64]) -> Figures:
        gap = cube[index] - stack[index]
        return {
            "context_shift": float(gap.mean()),
            "context_deviation": float(np.abs(gap).mean()),
        }

    patients = [each.record.patient_id for each in both]
    return patient_bootstraps(measure, patients, rng=np.random.default_rng(seed), draws=draws)


def discernment(seen: Discernment, *, draws: int = 1000, seed: int = 0) -> dict[str, Interval]:
    """Tell how well nodules are told from their surroundings.

    Returns
    -------
    ``nodule_auc``, and ``false_removed_at_98_kept``: the share of other places below the
    probability that 98 % of the nodules reach. Empty where no view is deep enough.
    """
    if not len(seen.patients):
        return {}

    def measure(index: NDArray[np.int64]) -> Figures:
        nodule, probability = seen.is_nodule[index], seen.probability[index]
        kept = np.quantile(probability[nodule], 1.0 - _KEPT)
        return {
            "nodule_auc": _auc(probability, nodule),
            "false_removed_at_98_kept": float(np.mean(probability[~nodule] < kept)),
        }

    return patient_bootstraps(measure, seen.patients, rng=np.random.default_rng(seed), draws=draws)


def sensitivity_at_specificity(
    probability: NDArray[np.float64], label: NDArray[np.bool_], *, specificity: float = _SPECIFICITY
) -> float:
    """Return the highest sensitivity at no less than a specificity; NaN for one class."""
    if label.all() or not label.any():
        return float("nan")
    false_positive, true_positive, _ = roc_curve(label, probability)
    specific = false_positive <= 1.0 - specificity + 1e-9
    return float(true_positive[specific].max())


def _two_classes(found: Assessment, index: NDArray[np.int64]) -> Figures:
    has_class, malignant = suspicious(found.truth[index])
    kept, label = index[has_class], malignant[has_class]
    if not len(kept):
        return {}
    suspicion, before = found.suspicion[kept], found.raw_suspicion[kept]
    called = found.called[kept]
    return {
        "auc": _auc(suspicion, label),
        "sensitivity_at_80_specificity": sensitivity_at_specificity(suspicion, label),
        "sensitivity": _share(called[label]),
        "specificity": _share(~called[~label]),
        "brier": float(np.square(suspicion - label).mean()),
        "brier_before": float(np.square(before - label).mean()),
        "ece": calibration_error(suspicion, label),
        "ece_before": calibration_error(before, label),
    }


def _on_scale(found: Assessment, index: NDArray[np.int64]) -> dict[str, float]:
    compared = rating_agreement(found.score[index], found.truth[index])
    return {
        "quadratic_weighted_kappa": compared.quadratic_kappa,
        "mae": compared.mean_absolute_error,
        "exact": compared.exact,
        "within_one": compared.within_one,
        "ece_votes": _vote_error(found.distribution[index], found.votes[index]),
        "ece_votes_before": _vote_error(found.raw[index], found.votes[index]),
    }


def _abstaining(found: Assessment, index: NDArray[np.int64]) -> Figures:
    figures = {"abstained": _share(found.abstained[index])}
    for name, some in {
        "judged": index[~found.abstained[index]],
        "abstained": index[found.abstained[index]],
    }.items():
        if len(some):
            truth, score = found.truth[some], found.score[some]
            figures[f"auc_of_{name}"] = auc(found.suspicion[some], truth)
            figures[f"kappa_of_{name}"] = _kappa(score, truth)
            figures[f"mae_of_{name}"] = float(np.abs(score - truth).mean())
    return figures


def _vote_error(distribution: NDArray[np.float64], votes: NDArray[np.int64]) -> float:
    """Return the calibration error of the chance that a reader's vote lies above 3."""
    chance = np.clip(distribution[:, 3:].sum(axis=1), 0.0, 1.0)
    above, all_votes = votes[:, 3:].sum(axis=1), votes.sum(axis=1)
    label = np.concatenate([np.ones(above.sum()), np.zeros((all_votes - above).sum())])
    said = np.concatenate([np.repeat(chance, above), np.repeat(chance, all_votes - above)])
    return calibration_error(said, label)


def _reader_pairs(
    votes: NDArray[np.int64],
) -> tuple[NDArray[np.float64], list[tuple[int, int]]]:
    """Pair each reader with the others' mean, [own or others, pair], and say whose pairs are whose.

    The second part is, per nodule, where its pairs begin and end.
    """
    pairs: list[tuple[float, float]] = []
    spans: list[tuple[int, int]] = []
    for counts in votes:
        readers = np.repeat(np.arange(1, len(counts) + 1), counts)
        start = len(pairs)
        if len(readers) > 1:
            others = (readers.sum() - readers) / (len(readers) - 1)
            pairs.extend(zip(readers.tolist(), others.tolist(), strict=True))
        spans.append((start, len(pairs)))
    return np.array(pairs, float).reshape(-1, 2).T, spans


def _kappa(one: Any, other: Any) -> float:
    return rating_agreement(one, other).quadratic_kappa if len(one) else float("nan")


def _share(flags: Classes) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def _auc(values: NDArray[Any], label: Classes) -> float:
    if label.all() or not label.any():
        return float("nan")
    return float(roc_auc_score(label, values))
