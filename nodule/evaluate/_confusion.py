"""How often two raters give which classes. Loads scikit-learn."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (  # type: ignore[import-untyped]
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    precision_recall_fscore_support,
)


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """How well a class is recognised, or the mean over classes.

    Parameters
    ----------
    precision, recall, f1 : 0 where undefined.
    support : cases of the class.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, kw_only=True)
class ClassificationReport:
    """Scores of each class and over all classes.

    Parameters
    ----------
    by_label : by the class, as text.
    accuracy : share of cases whose class is right.
    macro_average, weighted_average : over classes, each counting alike or by its cases.
    """

    by_label: Mapping[str, ClassScores]
    accuracy: float
    macro_average: ClassScores
    weighted_average: ClassScores


@dataclass(frozen=True, kw_only=True)
class ConfusionMatrix:
    """Cases by the class they have and the class they were given.

    Parameters
    ----------
    labels : the classes, in order.
    counts : cases, a row for each true class and a column for each class given.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(
        cls,
        truth: Sequence[Hashable] | NDArray[Any],
        given: Sequence[Hashable] | NDArray[Any],
        *,
        labels: Sequence[Hashable],
    ) -> ConfusionMatrix:
        """Count cases; both raters' classes are among the labels."""
        counts = (
            confusion_matrix(truth, given, labels=labels)
            if len(truth)
            else np.zeros((len(labels), len(labels)), int)
        )
        return cls(
            labels=tuple(str(label) for label in labels),
            counts=tuple(tuple(row) for row in counts.tolist()),
        )

    @property
    def n(self) -> int:
        """Cases in all."""
        return sum(map(sum, self.counts))


def report(
    truth: NDArray[np.int64], given: NDArray[np.int64], *, labels: Sequence[int]
) -> ClassificationReport:
    """Return precision, recall and F1 of one case or more, whose classes are among the labels."""
    scored = precision_recall_fscore_support(truth, given, labels=labels, zero_division=0.0)
    return ClassificationReport(
        by_label={
            str(label): ClassScores(
                precision=float(precision), recall=float(recall), f1=float(f1), support=int(support)
            )
            for label, precision, recall, f1, support in zip(labels, *scored, strict=True)
        },
        accuracy=float(accuracy_score(truth, given)),
        macro_average=_averaged(truth, given, labels, "macro"),
        weighted_average=_averaged(truth, given, labels, "weighted"),
    )


def kappas(
    first: Sequence[Hashable], second: Sequence[Hashable], *, labels: Sequence[Hashable]
) -> tuple[float, float] | None:
    """Return Cohen's kappa, plain and with quadratic weights; None where all give one class."""
    if len({*first, *second}) < 2:
        return None
    plain = cohen_kappa_score(first, second, labels=labels)
    weighted = cohen_kappa_score(first, second, labels=labels, weights="quadratic")
    return float(plain), float(weighted)


def _averaged(
    truth: NDArray[np.int64], given: NDArray[np.int64], labels: Sequence[int], average: str
) -> ClassScores:
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, given, labels=labels, average=average, zero_division=0.0
    )
    return ClassScores(
        precision=float(precision), recall=float(recall), f1=float(f1), support=len(truth)
    )
