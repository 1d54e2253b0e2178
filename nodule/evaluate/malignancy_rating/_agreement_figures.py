"""Figures of agreement between networks and readers, as JSON holds them."""

from __future__ import annotations

from dataclasses import dataclass

from nodule.evaluate._estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class CoreAgreement:
    """The main figures of some nodules; None for what is undefined.

    Parameters
    ----------
    auc : area under the ROC curve of benign against malignant.
    quadratic_weighted_kappa : of the rounded ratings.
    mae : mean absolute error of the mean rating.
    """

    auc: Estimate | None = None
    quadratic_weighted_kappa: Estimate | None = None
    mae: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class ReaderAgreement(CoreAgreement):
    """Networks against readers; None for what is undefined.

    Parameters
    ----------
    sensitivity_at_80_specificity : of the two classes, as ``auc``.
    sensitivity, specificity : at the calibration's threshold.
    brier, ece : Brier score and calibration error of the two classes; ``_before`` calibration.
    exact, within_one : share of rounded ratings equal to, or at most one from, the readers'.
    ece_votes : calibration error of a single vote above 3; ``_before`` calibration.
    reader_quadratic_weighted_kappa : of single readers with the others' rounded mean.
    kappa_beyond_reader : the networks' kappa minus that, paired.
    abstained : share of nodules that the networks abstain from.
    of_rated, of_abstained : the main figures of the other nodules and of these.
    """

    sensitivity_at_80_specificity: Estimate | None = None
    sensitivity: Estimate | None = None
    specificity: Estimate | None = None
    brier: Estimate | None = None
    brier_before: Estimate | None = None
    ece: Estimate | None = None
    ece_before: Estimate | None = None
    exact: Estimate | None = None
    within_one: Estimate | None = None
    ece_votes: Estimate | None = None
    ece_votes_before: Estimate | None = None
    reader_quadratic_weighted_kappa: Estimate | None = None
    kappa_beyond_reader: Estimate | None = None
    abstained: Estimate | None = None
    of_rated: CoreAgreement
    of_abstained: CoreAgreement


@dataclass(frozen=True, kw_only=True)
class ContextShift:
    """What the readers' slices alone, filled up with lung, change in the networks' mean rating.

    Parameters
    ----------
    shift : mean rating of nodules in cubes with all their surroundings minus that in stacks of
        outlined slices.
    deviation : mean absolute difference.
    """

    shift: Estimate
    deviation: Estimate


@dataclass(frozen=True, kw_only=True)
class SurroundingsFigures:
    """How well nodules are distinguished from their surroundings.

    Parameters
    ----------
    n_deep_views, n_other_places : views that are deep enough, and dense places in them.
    nodule_auc : nodules against the other places; None without deep views.
    false_removed_at_98_kept : share of the other places below the probability that 98 % of the
        nodules reach.
    """

    n_deep_views: int
    n_other_places: int
    nodule_auc: Estimate | None = None
    false_removed_at_98_kept: Estimate | None = None
