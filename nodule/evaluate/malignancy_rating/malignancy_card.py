"""The figures of the malignancy networks as they stand in their model card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nodule.weights.model_card import CardFigure

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
    "reader_quadratic_weighted_kappa": "single reader's kappa with the others' rounded mean",
    "kappa_beyond_reader": "kappa, networks less single reader, paired",
    "abstained": "share abstained from",
    "auc_of_judged": "AUC of the others",
    "kappa_of_judged": "kappa of the others",
    "mae_of_judged": "mean absolute error of the others",
    "auc_of_abstained": "AUC of those abstained from",
    "kappa_of_abstained": "kappa of those abstained from",
    "mae_of_abstained": "mean absolute error of those abstained from",
    "auc_diameter": "AUC of the readers' diameter alone (baseline)",
    "auc_beyond_diameter": "AUC, networks less diameter, paired",
    "auc_radiomics": "AUC of shape and density in the readers' outlines (baseline)",
    "auc_beyond_radiomics": "AUC, networks less shape and density, paired",
    "context_shift": "mean rating with all surroundings less that from outlined slices",
    "context_deviation": "the same, mean absolute difference",
    "nodule_auc": "AUC, nodule against its surroundings",
    "false_removed_at_98_kept": "other places removed when 98 % of nodules are kept",
}
_OF_DEEP_VIEWS = ("nodule_auc", "false_removed_at_98_kept")
_OF_SOME = ("_of_judged", "_of_abstained", "context_shift", "context_deviation")
_BEFORE = "_before"
_GROUPS = ("by_size", "by_texture", "by_source")


def card_rows(summary: Mapping[str, Any]) -> Iterator[CardFigure]:
    """Yield a row for each figure that has an interval, then AUC and kappa by kind of nodule.

    Parameters
    ----------
    summary : of :func:`nodule.evaluate.malignancy_rating.malignancy_evaluation.summarise`.
    """
    for key in summary:
        if f"{key}_interval" in summary:
            yield _row(_named(key), key, summary)
    for group in _GROUPS:
        for kind, measured in summary.get(group, {}).items():
            for key in ("auc", "quadratic_weighted_kappa"):
                if f"{key}_interval" in measured:
                    yield _row(f"{kind}: {_named(key)}", key, measured)


def card_notes(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the figures rest on, beside their numbers."""
    lowest, highest = min(summary["thresholds"]), max(summary["thresholds"])
    between = f"{lowest:.2f}" if lowest == highest else f"{lowest:.2f} to {highest:.2f}, by fold"
    yield (
        f"{summary['n_dropped_at_3']} nodules with a readers' mean of exactly 3 are left out of "
        f"the two classes. The threshold is a suspicion of {between}."
    )
    yield (
        f"Surroundings: {summary['n_deep_views']} views that show at least 14 mm of the body's "
        f"length, mostly of large nodules, and {summary['n_other_places']} dense places in them "
        "that no reader outlined."
    )


def _row(name: str, key: str, figures: Mapping[str, Any]) -> CardFigure:
    low, high = figures[f"{key}_interval"]
    two_classes = key.startswith(_TWO_CLASSES) and key not in _ALL_VOTES
    n = figures["n_benign"] + figures["n_malignant"] if two_classes else figures["n"]
    if key in _OF_DEEP_VIEWS:
        n = figures["n_deep_views"]
    some = key.endswith(_OF_SOME)
    return CardFigure(name=name, value=figures[key], interval=(low, high), n=None if some else n)


def _named(key: str) -> str:
    if key.endswith(_BEFORE):
        return f"{_named(key.removesuffix(_BEFORE))}, before calibration"
    return _NAMES.get(key, key.replace("_", " "))
