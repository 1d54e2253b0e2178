"""Fits calibrations of malignancy scores, on nodules of held-out patients only.

To measure a calibration it is fitted once per fold, on the other folds' nodules (cross-fitting):
no figure comes from what it was fitted on. What ships is fitted on all of them.

Tried on held-out folds and left out, being worse there: an offset per rating beside the
temperature, and isotonic regression instead of the logistic one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from nodule.errors import InputError
from nodule.evaluate.malignancy_rating._crop_predictions import NodulePrediction
from nodule.evaluate.malignancy_rating._rating_scale import readers_mean, suspicious
from nodule.lidc import fold_of
from nodule.malignancy import Calibration, mean_rating, temper, width
from nodule.training import HELD_OUT_PATIENTS

SPECIFICITY = 0.8
"""Share of the benign that the threshold leaves below it."""

ABSTAINED = 0.1
"""Share of the nodules where the networks abstain."""

_QUANTILES = np.linspace(0.0, 1.0, 21)
_LEAST_STEP = 1e-6
_LOG_TEMPERATURE = (-3.0, 3.0)  # networks that know nothing would have it grow without end
_NO_PENALTY = 1e6


def fit(predicted: Sequence[NodulePrediction], *, members: Sequence[str]) -> Calibration:
    """Fit a calibration to what readers said.

    The temperature is that of the votes' greatest likelihood, the suspicion a logistic regression
    of the two classes on the mean rating. The scale gives mean ratings the readers' distribution,
    quantile by quantile. Patients on whom nothing is chosen are left out.

    Parameters
    ----------
    predicted : rated nodules of both classes.
    members : digests of the weights that predicted them.

    Raises
    ------
    InputError : ``NO_CASES``, ``ONE_CLASS`` or ``UNRELATED_RATINGS``.
    """
    chosen = [each for each in predicted if each.record.patient_id not in HELD_OUT_PATIENTS]
    if not chosen:
        raise InputError("there are no nodules to calibrate with", code="NO_CASES")
    votes = np.array([each.votes["malignancy"] for each in chosen], float)
    truth = readers_mean(votes)
    temperature = _fit_temperature([each.distributions for each in chosen], votes)
    shared = np.array([temper(each.distributions, temperature).mean(axis=0) for each in chosen])
    slope, intercept = _fit_suspicion(mean_rating(shared), truth)
    fitted = Calibration(
        members=tuple(sorted(members)),
        temperature=temperature,
        slope=slope,
        intercept=intercept,
        threshold=0.5,
        width_limit=float(np.quantile(width(shared), 1.0 - ABSTAINED)),
        n_nodules=len(chosen),
        scale=_fit_scale(mean_rating(shared), truth),
    )
    benign = truth < 3.0
    return replace(
        fitted, threshold=float(np.quantile(fitted.suspicion(shared)[benign], SPECIFICITY))
    )


def cross_fit(
    predicted: Sequence[NodulePrediction], *, members: Sequence[str]
) -> Mapping[str, Calibration]:
    """Fit a calibration per patient, on the nodules of all other folds.

    Returns
    -------
    By patient; those of one fold, as :func:`split` has them, share theirs.

    Raises
    ------
    InputError : as :func:`fit`.
    """
    folds = split(predicted)
    by_fold = {
        fold: fit([e for e in predicted if folds[e.record.patient_id] != fold], members=members)
        for fold in sorted(set(folds.values()))
    }
    return {patient: by_fold[fold] for patient, fold in folds.items()}


def split(predicted: Sequence[NodulePrediction]) -> Mapping[str, int]:
    """Return each patient's fold; if that is one for all, one of five by the name's digest."""
    folds = {each.record.patient_id: each.record.fold for each in predicted}
    if len(set(folds.values())) > 1:
        return folds
    return {patient: fold_of(f"calibration{patient}") for patient in folds}


def _fit_temperature(said: Sequence[NDArray[np.float32]], votes: NDArray[np.float64]) -> float:
    """Return the temperature that makes the votes most likely, of all members' distributions."""
    member_votes = np.repeat(votes, [len(each) for each in said], axis=0)
    shares = np.concatenate(said)

    def unlikelihood(log_temperature: float) -> float:
        read = temper(shares, float(np.exp(log_temperature)))
        return -float((member_votes * np.log(read)).sum())

    best = minimize_scalar(unlikelihood, bounds=_LOG_TEMPERATURE, method="bounded")
    return float(np.exp(best.x))


def _fit_scale(
    score: NDArray[np.float64], truth: NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Return mean ratings and the readers' means of the same rank, at steps of 5 %."""
    given, meant = (np.quantile(values, _QUANTILES) for values in (score, truth))
    rises = np.diff(given, prepend=-np.inf) > _LEAST_STEP
    return tuple(zip(given[rises].tolist(), meant[rises].tolist(), strict=True))


def _fit_suspicion(score: NDArray[np.float64], truth: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and intercept of the log odds over the mean rating."""
    has_class, malignant = suspicious(truth)
    if len(set(malignant[has_class].tolist())) < 2:
        raise InputError("both classes are needed", code="ONE_CLASS")
    model = LogisticRegression(C=_NO_PENALTY).fit(score[has_class, None], malignant[has_class])
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope <= 0:
        raise InputError(
            "the networks' ratings do not rise with the readers', which no calibration can correct",
            code="UNRELATED_RATINGS",
            expected="a positive slope",
            got=slope,
        )
    return slope, intercept
