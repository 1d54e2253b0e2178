"""The figures of the malignancy networks as they stand in their model card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nodule.weights.card_text import Figure

_TWO_CLASSES = ("auc", "sensitivity", "specificity", "brier", "ece")
_ALL_VOTES = ("ece_votes", "ece_votes_before")
_NAMES = {
    "auc": "AUC, benign against malignant",
    "sensitivity_at_80_specificity": "sensitivity at 80 % specificity",
    "sensitivity": "sensitivity at the threshold",
    "specificity": "specificity at the threshold",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
    "ece_votes": "calibration error of single readers' votes",
    "quadratic_weighted_kappa": "quadratic weighted kappa with the readers' rounded mean",
    "mae": "mean absolute error of the mean rating",
    "exact": "rounded rating exact",
    "within_one": "rounded rating within one",
}
_BEFORE = "_before"
_GROUPS = ("by_size", "by_texture", "by_source")


def card_rows(summary: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield a row for each figure that has an interval, then AUC and kappa by kind of nodule.

    Parameters
    ----------
    summary : of :func:`nodule.evaluate.malignancy_summary.summarise`.
    """
    for key in summary:
        if f"{key}_interval" in summary:
            yield _row(_named(key), key, summary)
    for group in _GROUPS:
        for kind, measured in summary.get(group, {}).items():
            for key in ("auc", "quadratic_weighted_kappa"):
                if f"{key}_interval" in measured:
                    yield _row(f"{kind}: {_named(key)}", key, measured)


def _row(name: str, key: str, figures: Mapping[str, Any]) -> Figure:
    low, high = figures[f"{key}_interval"]
    two_classes = key.startswith(_TWO_CLASSES) and key not in _ALL_VOTES
    n = figures["n_benign"] + figures["n_malignant"] if two_classes else figures["n"]
    return Figure(name=name, value=figures[key], interval=(low, high), n=n)


def _named(key: str) -> str:
    if key.endswith(_BEFORE):
        return f"{_named(key.removesuffix(_BEFORE))}, before calibration"
    return _NAMES.get(key, key.replace("_", " "))
