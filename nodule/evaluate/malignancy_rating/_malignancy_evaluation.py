"""The evaluation of the malignancy networks on a crop set: who assesses whom, read by what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.evaluate._evaluation_result import EvaluationScope
from nodule.evaluate._leakage import seen_in_training
from nodule.evaluate.malignancy_rating._calibrated_ratings import (
    CalibratedRatings,
    Choose,
    calibrated_ratings,
)
from nodule.evaluate.malignancy_rating._calibration_fit import cross_fit, fit
from nodule.evaluate.malignancy_rating._crop_predictions import (
    NodulePrediction,
    SurroundingsPrediction,
)
from nodule.evaluate.malignancy_rating._held_out_panels import Panel, panels, predict_by_panels
from nodule.evaluate.malignancy_rating._rated_examples import rated_examples
from nodule.evaluate.malignancy_rating._rating_baselines import outlined
from nodule.inference import Device, Precision
from nodule.malignancy import Calibration, calibration_path
from nodule.progress import Progress, silent
from nodule.training import CropSet
from nodule.weights import Weights

_ASSESSING = 0.9  # share of the time; the rest goes to the readers' outlines


@dataclass(frozen=True, kw_only=True, eq=False)
class MalignancyRun:
    """Nodules of a crop set as their readers and the networks rate them.

    Parameters
    ----------
    scope : what was run, on whom; without draws.
    folds : the folds that were asked for, none for all.
    found : the nodules, read through a calibration.
    choose : which calibration reads a nodule.
    calibration : where that comes from, in words.
    rated_by : which members assessed a nodule, in words.
    features : of the readers' outlines, [item, feature].
    around : the nodules' surroundings.
    """

    scope: EvaluationScope
    folds: tuple[int, ...]
    found: CalibratedRatings
    choose: Choose
    calibration: str
    rated_by: str
    features: NDArray[np.float64]
    around: SurroundingsPrediction

    def fit(self) -> Calibration:
        """Return a calibration fitted on all nodules of the run.

        Raises
        ------
        InputError : as :func:`fit`.
        """
        return fit(self.found.predicted, members=self.scope.weights["malignancy"])


def run_malignancy(
    crops: CropSet,
    *,
    members: Sequence[Weights],
    held_out: bool,
    folds: Sequence[int] = (),
    min_readers: int = 3,
    allow_seen: bool = False,
    seed: int = 0,
    device: Device = "auto",
    precision: Precision = "auto",
    progress: Progress = silent,
) -> MalignancyRun:
    """Let the networks assess a crop set's nodules.

    Parameters
    ----------
    members : of the ensemble.
    held_out : whether each nodule is assessed by those members alone that held its patient out of
        training, and read by a calibration of the other folds; else by all members together, and
        read by the calibration beside them, or without one as if held out.
    folds : all if empty.
    min_readers : who marked and rated a nodule.
    allow_seen : whether all members together may assess patients of their training.
    seed : of the places in the surroundings.

    Raises
    ------
    InputError : ``SEEN_IN_TRAINING``, ``NO_UNSEEN_MEMBER``, ``NO_NODULES``, and as
        :func:`cross_fit`.
    WeightsError : as :meth:`Calibration.check` and :func:`predict_by_panels`.
    """
    chosen, seen = _panels(crops, members, held_out=held_out, folds=folds, allow_seen=allow_seen)
    examples = rated_examples(crops, folds=folds, min_readers=min_readers)
    predicted, around = predict_by_panels(
        chosen, examples, device=device, precision=precision, seed=seed,
        progress=lambda done: progress(_ASSESSING * done),
    )  # fmt: skip
    choose, calibration = _calibration(predicted, members, cross=held_out)
    return MalignancyRun(
        scope=EvaluationScope(
            evaluation="malignancy",
            patients=len({each.record.patient_id for each in predicted}),
            weights={"malignancy": tuple(each.sha256 for each in members)},
            seen_patients=seen,
        ),
        folds=tuple(sorted(folds)),
        found=calibrated_ratings(predicted, choose),
        choose=choose,
        calibration=calibration,
        rated_by=(
            "the members that held its patient out of training" if held_out else "all members"
        ),
        features=outlined(
            examples, progress=lambda done: progress(_ASSESSING + (1.0 - _ASSESSING) * done)
        ),
        around=around,
    )


def _panels(
    crops: CropSet,
    members: Sequence[Weights],
    *,
    held_out: bool,
    folds: Sequence[int],
    allow_seen: bool,
) -> tuple[tuple[Panel, ...], int]:
    """Return which members assess which patients, and how many of these training saw."""
    patients = {r.patient_id for r in crops.records if not folds or r.fold in folds}
    if held_out:
        return panels(members, patients, also_called=crops.series), 0
    seen = seen_in_training(members, patients, also_called=crops.series, allow_seen=allow_seen)
    return (Panel(members=tuple(members), patients=frozenset(patients)),), len(seen)


def _calibration(
    predicted: Sequence[NodulePrediction], members: Sequence[Weights], *, cross: bool
) -> tuple[Choose, str]:
    """Return what reads a nodule's ratings, and in words where it comes from."""
    path = calibration_path(members[0].path)
    if cross or not path.is_file():
        by_patient = cross_fit(predicted, members=[each.sha256 for each in members])
        return lambda each: by_patient[each.record.patient_id], "cross-fitted on other folds"
    calibration = Calibration.open(path)
    calibration.check(members)
    return lambda each: calibration, path.name
