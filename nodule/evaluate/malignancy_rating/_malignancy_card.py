"""The figures of the malignancy networks as they stand in their model card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nodule.evaluate._estimate import Estimate
from nodule.evaluate.malignancy_rating._agreement_figures import CoreAgreement
from nodule.evaluate.malignancy_rating._malignancy_figures import MalignancyFigures
from nodule.weights.model_card import CardFigure, CardRows

_AUC = "AUC, benign against malignant"
_KAPPA = "quadratic weighted kappa with the readers' rounded mean"
_BASELINES = {
    "diameter": ("the readers' diameter alone", "diameter"),
    "radiomics": ("shape and density in the readers' outlines", "shape and density"),
}

Row = tuple[str, Estimate | None]


def card_rows(figures: MalignancyFigures, *, folds: Sequence[int]) -> CardRows:
    """Return the rows of a model card: every figure, then AUC and kappa by group.

    Parameters
    ----------
    folds : the folds evaluated, none for all.
    """
    which = f"fold {', '.join(map(str, folds))}" if folds else "all patients"
    rows = (*_agreement(figures), *_others(figures), *_groups(figures))
    return CardRows(
        heading=f"Agreement with readers, {which}",
        measured_on=f"{figures.counts.n} nodules of {figures.counts.n_patients} patients, each "
        f"assessed by {figures.rated_by}; calibration: {figures.calibration}. Intervals are over "
        "patients.",
        figures=tuple(_shown(rows)),
        notes=tuple(_notes(figures)),
    )


def _shown(rows: Sequence[Row]) -> Iterator[CardFigure]:
    return (estimate.card_figure(name) for name, estimate in rows if estimate is not None)


def _agreement(figures: MalignancyFigures) -> Iterator[Row]:
    a, before = figures.agreement, "before calibration"
    yield _AUC, a.auc
    yield "sensitivity at 80 % specificity", a.sensitivity_at_80_specificity
    yield "sensitivity at the threshold", a.sensitivity
    yield "specificity at the threshold", a.specificity
    yield "Brier score", a.brier
    yield f"Brier score, {before}", a.brier_before
    yield "calibration error (ECE)", a.ece
    yield f"calibration error (ECE), {before}", a.ece_before
    yield _KAPPA, a.quadratic_weighted_kappa
    yield "mean absolute error of the mean rating", a.mae
    yield "rounded rating exact", a.exact
    yield "rounded rating within one", a.within_one
    yield "calibration error of single readers' votes", a.ece_votes
    yield f"calibration error of single readers' votes, {before}", a.ece_votes_before
    yield "single reader's kappa with the others' rounded mean", a.reader_quadratic_weighted_kappa
    yield "kappa, networks minus single reader, paired", a.kappa_beyond_reader
    yield "share abstained from", a.abstained
    yield from _core("the others", a.of_rated)
    yield from _core("those abstained from", a.of_abstained)


def _core(name: str, agreement: CoreAgreement) -> Iterator[Row]:
    yield f"AUC of {name}", agreement.auc
    yield f"kappa of {name}", agreement.quadratic_weighted_kappa
    yield f"mean absolute error of {name}", agreement.mae


def _others(figures: MalignancyFigures) -> Iterator[Row]:
    for name, compared in figures.baselines.items():
        title, short = _BASELINES[name]
        yield f"AUC of {title} (baseline)", compared.auc
        yield f"AUC, networks minus {short}, paired", compared.auc_beyond
    if figures.context is not None:
        title = "mean rating with all surroundings minus that from outlined slices"
        yield title, figures.context.shift
        yield "the same, mean absolute difference", figures.context.deviation
    yield from _ceiling(figures)
    around = figures.surroundings
    yield "AUC, nodule against its surroundings", around.nodule_auc
    yield "other places removed when 98 % of nodules are kept", around.false_removed_at_98_kept


def _ceiling(figures: MalignancyFigures) -> Iterator[Row]:
    ceiling, matched, ends = figures.ceiling, figures.size_matched, figures.ends
    if ceiling is not None:
        yield "two readers against the other two (ceiling): AUC", ceiling.reader_auc
        yield "networks against two readers: AUC", ceiling.network_auc
        yield "two readers against the other two (ceiling): kappa", ceiling.reader_kappa
        yield "networks against two readers: kappa", ceiling.network_kappa
    yield "AUC among pairs within 10 % of diameter", matched.auc
    yield "AUC of the diameter among these", matched.diameter_auc
    yield "mean rating where the readers' is 4.5 and more", ends.of_high
    yield "mean rating where the readers' is 1.5 and less", ends.of_low
    yield "share abstained from where readers rate below 3 and above 3", ends.split_abstained
    for name, agreement in figures.characteristics.items():
        yield f"{name}: kappa with the readers", agreement.kappa
        yield f"{name}: single reader's kappa with the others", agreement.reader_kappa


def _groups(figures: MalignancyFigures) -> Iterator[Row]:
    for groups in (figures.by_size, figures.by_texture, figures.by_source):
        for kind, group in groups.items():
            if group.agreement is not None:
                yield f"{kind}: {_AUC}", group.agreement.auc
                yield f"{kind}: {_KAPPA}", group.agreement.quadratic_weighted_kappa


def _notes(figures: MalignancyFigures) -> Iterator[str]:
    """Yield what the figures rest on, beside their numbers."""
    lowest, highest = min(figures.thresholds), max(figures.thresholds)
    between = f"{lowest:.2f}" if lowest == highest else f"{lowest:.2f} to {highest:.2f}, by fold"
    yield (
        f"{figures.counts.n_dropped_at_3} nodules with a readers' mean of exactly 3 are left out "
        f"of the two classes. The threshold is a suspicion of {between}."
    )
    around = figures.surroundings
    yield (
        f"Surroundings: {around.n_deep_views} views that show at least 14 mm of the body's "
        f"length, mostly of large nodules, and {around.n_other_places} dense places in them that "
        "no reader outlined."
    )
