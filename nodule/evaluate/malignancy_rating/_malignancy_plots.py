"""Figures of the evaluation of the malignancy networks. Loads matplotlib."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_curve  # type: ignore[import-untyped]

from nodule.evaluate._confusion import ConfusionMatrix
from nodule.evaluate.malignancy_rating._calibrated_ratings import CalibratedRatings
from nodule.evaluate.malignancy_rating._rating_scale import (
    LEVELS,
    calibration_error,
    round_half_up,
    suspicious,
)
from nodule.evaluate.malignancy_rating._reader_agreement import auc
from nodule.whole_files import whole_file

_OURS, _OTHERS, _BEFORE = "#4477aa", "#ee6677", "#bbbbbb"
_BINS = 10
_RATED = "readers' mean rating"


def draw_figure(name: str, path: Path, found: CalibratedRatings) -> None:
    """Write a picture: ``roc``, ``reliability``, ``confusion`` or ``scatter``."""
    figure = Figure(figsize=(5.0, 4.5), layout="constrained")
    _DRAWN[name](figure.add_subplot(), found)
    with whole_file(path) as stream:
        if path.suffix == ".svg":
            # chance and the date would make equal pictures differ
            with rc_context({"svg.hashsalt": name}):
                figure.savefig(stream, format="svg", metadata={"Date": None})
        else:
            figure.savefig(stream, format=path.suffix.removeprefix("."), dpi=120)


def draw_roc(axes: Axes, found: CalibratedRatings) -> None:
    """Draw the ROC curve, and single readers against the others' mean as points."""
    has_class, malignant = suspicious(found.truth)
    if len(np.unique(malignant[has_class])) < 2:
        axes.set_title("no ROC curve without nodules of both classes")
        return
    false_positive, true_positive, _ = roc_curve(malignant[has_class], found.suspicion[has_class])
    area = auc(found.suspicion, found.truth)
    axes.plot([0, 1], [0, 1], color=_BEFORE, linewidth=1.0)
    axes.plot(false_positive, true_positive, color=_OURS, label=f"networks, AUC {area:.3f}")
    points = reader_points(found.votes)
    axes.plot(points[:, 0], points[:, 1], "o", color=_OTHERS, label="one reader against the others")
    shown = zip(LEVELS[1:], points, strict=True) if np.isfinite(points).all() else ()
    for rating, (x, y) in shown:
        axes.annotate(f"≥ {rating}", (x, y), textcoords="offset points", xytext=(6, -10))
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("sensitivity")
    axes.set_title(f"{int(has_class.sum())} nodules, {_RATED} below or above 3")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")


def reader_points(votes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where single readers lie in the ROC plane, the others' mean being the truth.

    Parameters
    ----------
    votes : readers per rating, [item, 5].

    Returns
    -------
    1 - specificity and sensitivity of calling ratings from 2, 3, 4 and 5 on malignant, [4, 2],
    over all readers of all nodules whose other readers' mean is not 3; NaN where there is none.
    """
    ratings = np.arange(1, votes.shape[1] + 1)
    own = np.broadcast_to(ratings, votes.shape)
    others = (votes @ ratings)[:, None] - own
    count = votes.sum(axis=1)[:, None] - 1
    weight = np.where((count > 0) & (others != 3 * count), votes, 0)
    malignant = others > 3 * count
    return np.array(
        [
            [_share(weight[truth], (own >= cut)[truth]) for truth in (~malignant, malignant)]
            for cut in ratings[1:]
        ]
    )


def _share(weight: NDArray[np.int64], some: NDArray[np.bool_]) -> float:
    return float(weight[some].sum() / weight.sum()) if weight.any() else math.nan


def draw_reliability(axes: Axes, found: CalibratedRatings) -> None:
    """Draw how often nodules of a given suspicion are malignant, before and after calibration."""
    has_class, malignant = suspicious(found.truth)
    label = malignant[has_class]
    if not len(label):
        axes.set_title("no nodule of either class")
        return
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    for name, color, said in (
        ("before", _BEFORE, found.raw_suspicion[has_class]),
        ("after", _OURS, found.suspicion[has_class]),
    ):
        which = np.digitize(said, np.linspace(0.0, 1.0, _BINS + 1)[1:-1])
        count = np.bincount(which, minlength=_BINS)
        some = count > 0
        mean = np.bincount(which, weights=said, minlength=_BINS)[some] / count[some]
        share = np.bincount(which, weights=label, minlength=_BINS)[some] / count[some]
        error = calibration_error(said, label, bins=_BINS)
        axes.plot(mean, share, color=color, label=f"{name} calibration, ECE {error:.3f}")
        axes.scatter(mean, share, s=8.0 + 200.0 * count[some] / count.sum(), color=color, zorder=3)
    axes.set_xlabel("suspicion")
    axes.set_ylabel(f"share with {_RATED} above 3")
    axes.set_title(f"{int(has_class.sum())} nodules; a dot's area is its share of them")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")


def draw_confusion(axes: Axes, found: CalibratedRatings) -> None:
    """Draw how many nodules of each rounded rating are given which."""
    matrix = ConfusionMatrix.of(
        round_half_up(found.truth), round_half_up(found.score), labels=LEVELS
    )
    counts = np.array(matrix.counts)
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0.0)
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts[row].sum() / 2
        axes.annotate(
            str(count), (column, row), ha="center", va="center", color="white" if dark else "black"
        )
    axes.set_xticks(range(len(LEVELS)), [str(level) for level in LEVELS])
    axes.set_yticks(range(len(LEVELS)), [str(level) for level in LEVELS])
    axes.set_xlabel("networks' rounded mean rating")
    axes.set_ylabel(f"{_RATED}, rounded")
    axes.set_title(f"{int(counts.sum())} nodules")


def draw_scatter(axes: Axes, found: CalibratedRatings) -> None:
    """Draw the networks' mean rating over the readers', those that were abstained from apart."""
    axes.plot([1, 5], [1, 5], color="black", linewidth=0.8)
    for name, color, some in (
        ("rated", _OURS, ~found.abstained),
        ("abstained", _OTHERS, found.abstained),
    ):
        axes.plot(
            found.truth[some], found.score[some], "o", color=color, alpha=0.4, markersize=4.0,
            markeredgewidth=0.0, label=f"{name}: {int(some.sum())}",
        )  # fmt: skip
    axes.set_xlim(0.9, 5.1)
    axes.set_ylim(0.9, 5.1)
    axes.set_xlabel(_RATED)
    axes.set_ylabel("networks' mean rating")
    axes.set_title(f"{len(found.truth)} nodules")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")


_DRAWN: dict[str, Callable[[Axes, CalibratedRatings], None]] = {
    "roc": draw_roc,
    "reliability": draw_reliability,
    "confusion": draw_confusion,
    "scatter": draw_scatter,
}
