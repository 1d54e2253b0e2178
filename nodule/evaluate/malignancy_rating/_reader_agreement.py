"""Agreement of the malignancy networks with the readers, every figure with its interval.

Benign against malignant is the readers' mean rating below 3 against above; nodules at exactly 3
are left out of the two-class figures, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve  # type: ignore[import-untyped]

from nodule.evaluate._bootstrap import BootstrapSettings, patient_bootstraps
from nodule.evaluate.malignancy_rating._agreement_figures import (
    ContextShift,
    CoreAgreement,
    ReaderAgreement,
    SurroundingsFigures,
)
from nodule.evaluate.malignancy_rating._calibrated_ratings import CalibratedRatings
from nodule.evaluate.malignancy_rating._crop_predictions import (
    NodulePrediction,
    SurroundingsPrediction,
)
from nodule.evaluate.malignancy_rating._rating_scale import (
    calibration_error,
    rating_agreement,
    suspicious,
)
from nodule.malignancy import mean_rating

Figures = Mapping[str, float]
Classes = NDArray[np.bool_]

_SPECIFICITY = 0.8
_KEPT = 0.98
_CORE = ("auc", "quadratic_weighted_kappa", "mae")
_TWO_CLASSES = (
    *("auc", "sensitivity_at_80_specificity", "sensitivity", "specificity"),
    *("brier", "brier_before", "ece", "ece_before"),
)
_OF_RATED, _OF_ABSTAINED = "_of_rated", "_of_abstained"


def reader_agreement(found: CalibratedRatings, *, bootstrap: BootstrapSettings) -> ReaderAgreement:
    """Compare networks and readers.

    Parameters
    ----------
    found : nodules of both classes.
    bootstrap : draws of the patients, the same for all figures.
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

    figures = patient_bootstraps(measure, found.patients, bootstrap=bootstrap, n=_rests_on(found))
    of_rated, of_abstained = (
        CoreAgreement(**{name: figures.pop(f"{name}{which}", None) for name in _CORE})
        for which in (_OF_RATED, _OF_ABSTAINED)
    )
    return ReaderAgreement(**figures, of_rated=of_rated, of_abstained=of_abstained)


def core_agreement(found: CalibratedRatings, *, bootstrap: BootstrapSettings) -> CoreAgreement:
    """Return the main figures; what is undefined is None."""

    def measure(index: NDArray[np.int64]) -> Figures:
        return _core(found, index)

    n = {"auc": int(suspicious(found.truth)[0].sum())}
    return CoreAgreement(**patient_bootstraps(measure, found.patients, bootstrap=bootstrap, n=n))


def auc(values: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve of any values; NaN where one class is missing."""
    has_class, malignant = suspicious(truth)
    return _auc(values[has_class], malignant[has_class])


def context_shift(
    predicted: Sequence[NodulePrediction], *, bootstrap: BootstrapSettings
) -> ContextShift | None:
    """Compare nodules that are shown in a cube and in a stack; None where there is none."""
    both = [each for each in predicted if {"crop51", "stack"} <= each.by_kind.keys()]
    if not both:
        return None
    cube, stack = (
        np.array([mean_rating(each.by_kind[kind].mean(axis=0)) for each in both])
        for kind in ("crop51", "stack")
    )

    def measure(index: NDArray[np.int64]) -> Figures:
        gap = cube[index] - stack[index]
        return {"shift": float(gap.mean()), "deviation": float(np.abs(gap).mean())}

    patients = [each.record.patient_id for each in both]
    return ContextShift(**patient_bootstraps(measure, patients, bootstrap=bootstrap))


def surroundings(
    seen: SurroundingsPrediction, *, bootstrap: BootstrapSettings
) -> SurroundingsFigures:
    """Compare nodules with dense places around them."""
    deep, others = int(seen.is_nodule.sum()), int((~seen.is_nodule).sum())
    if not len(seen.patients):
        return SurroundingsFigures(n_deep_views=deep, n_other_places=others)

    def measure(index: NDArray[np.int64]) -> Figures:
        nodule, probability = seen.is_nodule[index], seen.probability[index]
        kept = np.quantile(probability[nodule], 1.0 - _KEPT)
        return {
            "nodule_auc": _auc(probability, nodule),
            "false_removed_at_98_kept": float(np.mean(probability[~nodule] < kept)),
        }

    n = dict.fromkeys(("nodule_auc", "false_removed_at_98_kept"), deep)
    figures = patient_bootstraps(measure, seen.patients, bootstrap=bootstrap, n=n)
    return SurroundingsFigures(n_deep_views=deep, n_other_places=others, **figures)


def sensitivity_at_specificity(
    probability: NDArray[np.float64], label: NDArray[np.bool_], *, specificity: float = _SPECIFICITY
) -> float:
    """Return the highest sensitivity at no less than a specificity; NaN for one class."""
    if label.all() or not label.any():
        return float("nan")
    false_positive, true_positive, _ = roc_curve(label, probability)
    specific = false_positive <= 1.0 - specificity + 1e-9
    return float(true_positive[specific].max())


def _two_classes(found: CalibratedRatings, index: NDArray[np.int64]) -> Figures:
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


def _on_scale(found: CalibratedRatings, index: NDArray[np.int64]) -> dict[str, float]:
    compared = rating_agreement(found.score[index], found.truth[index])
    return {
        "quadratic_weighted_kappa": compared.quadratic_kappa,
        "mae": compared.mean_absolute_error,
        "exact": compared.exact,
        "within_one": compared.within_one,
        "ece_votes": _vote_error(found.distribution[index], found.votes[index]),
        "ece_votes_before": _vote_error(found.raw[index], found.votes[index]),
    }


def _abstaining(found: CalibratedRatings, index: NDArray[np.int64]) -> Figures:
    figures = {"abstained": _share(found.abstained[index])}
    for which, some in _by_abstention(found, index).items():
        if len(some):
            figures |= {f"{name}{which}": value for name, value in _core(found, some).items()}
    return figures


def _by_abstention(
    found: CalibratedRatings, index: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    return {
        _OF_RATED: index[~found.abstained[index]],
        _OF_ABSTAINED: index[found.abstained[index]],
    }


def _core(found: CalibratedRatings, index: NDArray[np.int64]) -> dict[str, float]:
    truth, score = found.truth[index], found.score[index]
    return {
        "auc": auc(found.suspicion[index], truth),
        "quadratic_weighted_kappa": _kappa(score, truth),
        "mae": float(np.abs(score - truth).mean()),
    }


def _rests_on(found: CalibratedRatings) -> dict[str, int]:
    """Return the number of nodules of each figure that does not rest on all."""
    has_class = suspicious(found.truth)[0]
    n = dict.fromkeys(_TWO_CLASSES, int(has_class.sum()))
    for which, some in _by_abstention(found, np.arange(len(found.truth))).items():
        n |= {f"{name}{which}": len(some) for name in _CORE}
        n[f"auc{which}"] = int(has_class[some].sum())
    return n


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
