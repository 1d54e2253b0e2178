"""What plain models reach on the same folds: a network must be better than these to be of use.

Both are logistic regressions of benign against malignant on what the readers' own outlines say, an
advantage that the networks do not have: on the diameter alone, and on :mod:`radiomics
<nodule.evaluate.malignancy_rating._radiomics>`. Each fold is scored by a model of the other folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

from nodule.evaluate._bootstrap import BootstrapSettings, patient_bootstraps
from nodule.evaluate._estimate import Estimate
from nodule.evaluate.malignancy_rating._calibrated_ratings import CalibratedRatings
from nodule.evaluate.malignancy_rating._radiomics import features_of
from nodule.evaluate.malignancy_rating._rating_scale import (
    suspicious,
)
from nodule.evaluate.malignancy_rating._reader_agreement import auc
from nodule.malignancy.training import NoduleExample
from nodule.progress import Progress, silent


def outlined(
    examples: Sequence[NoduleExample], *, progress: Progress = silent
) -> NDArray[np.float64]:
    """Return the features of each nodule's first view, [item, feature]."""
    rows = []
    for example in examples:
        rows.append(features_of(example.views[0]).row())
        progress(len(rows) / len(examples))
    return np.array(rows)


def cross_validated(
    features: ArrayLike, truth: NDArray[np.float64], folds: ArrayLike
) -> NDArray[np.float64]:
    """Score each fold by a regression on the others.

    Parameters
    ----------
    features : [item, feature], or [item] for a single one.
    truth : the readers' mean rating, [item]; those at 3 are scored, but not trained on.
    folds : [item].

    Returns
    -------
    Log odds of being malignant, [item]; NaN in a fold whose others hold one class alone.
    """
    table = np.asarray(features, float).reshape(len(truth), -1)
    fold = np.asarray(folds)
    has_class, malignant = suspicious(truth)
    log_odds = np.full(len(truth), np.nan)
    for held_out in np.unique(fold):
        fitted = has_class & (fold != held_out)
        if len(np.unique(malignant[fitted])) < 2:
            continue
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(table[fitted], malignant[fitted])
        log_odds[fold == held_out] = model.decision_function(table[fold == held_out])
    return log_odds


@dataclass(frozen=True, kw_only=True)
class BaselineComparison:
    """A baseline's area under the ROC curve, and the networks' minus that, paired."""

    auc: Estimate | None
    auc_beyond: Estimate | None


def against_baselines(
    found: CalibratedRatings,
    baselines: Mapping[str, NDArray[np.float64]],
    *,
    bootstrap: BootstrapSettings,
) -> dict[str, BaselineComparison]:
    """Compare the networks with baselines' scores [item] by name, on the same draws of patients.

    Returns
    -------
    By baseline. One that could not score every nodule is left out.
    """
    whole = {name: scores for name, scores in baselines.items() if not np.isnan(scores).any()}

    def measure(index: NDArray[np.int64]) -> Mapping[str, float]:
        truth = found.truth[index]
        own = auc(found.suspicion[index], truth)
        figures = {}
        for name, scores in whole.items():
            figures[f"auc_{name}"] = auc(scores[index], truth)
            figures[f"auc_beyond_{name}"] = own - figures[f"auc_{name}"]
        return figures

    classed = int(suspicious(found.truth)[0].sum())
    n = {f"{figure}_{name}": classed for name in whole for figure in ("auc", "auc_beyond")}
    figures = patient_bootstraps(measure, found.patients, bootstrap=bootstrap, n=n)
    return {
        name: BaselineComparison(
            auc=figures.get(f"auc_{name}"), auc_beyond=figures.get(f"auc_beyond_{name}")
        )
        for name in whole
    }
