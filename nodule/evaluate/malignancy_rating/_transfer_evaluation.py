"""Whether pre-training helps a network: two groups of networks on the same nodules.

Each group holds one recipe, trained with several seeds. A figure of a group is the mean over its
networks, each assessed alone, so that no seed is picked and none gains by an ensemble.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.evaluate._bootstrap import BootstrapSettings, patient_bootstraps
from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import (
    EvaluationResult,
    EvaluationScope,
    FileWriter,
    write_csv,
)
from nodule.evaluate._leakage import seen_in_training
from nodule.evaluate.malignancy_rating._crop_predictions import NodulePrediction, predict_nodules
from nodule.evaluate.malignancy_rating._rated_examples import rated_examples
from nodule.evaluate.malignancy_rating._rating_scale import (
    ClassCounts,
    readers_mean,
    suspicion_of,
    suspicious,
)
from nodule.evaluate.malignancy_rating._reader_agreement import auc
from nodule.inference import Device, Precision
from nodule.malignancy import Ensemble, Predictor
from nodule.progress import Progress, silent
from nodule.training import CropSet
from nodule.weights import Weights


@dataclass(frozen=True, kw_only=True)
class TransferFigures:
    """Two groups of networks on the same nodules.

    Parameters
    ----------
    scope : what was evaluated; weights by group.
    counts : the nodules.
    auc_tuned, auc_scratch : the groups' mean area under the ROC curve of the readers' mean rating
        above against below 3.
    auc_difference : the first minus the second, paired. The intervals are over patients, not over
        seeds.
    auc_of_each_tuned, auc_of_each_scratch : each network's own; None where one class is missing.
    """

    scope: EvaluationScope
    counts: ClassCounts
    auc_tuned: Estimate | None
    auc_scratch: Estimate | None
    auc_difference: Estimate | None
    auc_of_each_tuned: tuple[float | None, ...]
    auc_of_each_scratch: tuple[float | None, ...]


def evaluate_transfer(
    crops: CropSet,
    *,
    tuned: Sequence[Weights],
    scratch: Sequence[Weights],
    folds: Sequence[int],
    min_readers: int,
    bootstrap: BootstrapSettings,
    device: Device = "auto",
    precision: Precision = "auto",
    progress: Progress = silent,
) -> EvaluationResult[TransferFigures]:
    """Let every network assess the nodules of some folds alone, and compare the two groups.

    Parameters
    ----------
    tuned, scratch : the two groups, one network for each seed.
    folds, min_readers : as :func:`rated_examples`.
    bootstrap : draws of the patients.

    Raises
    ------
    InputError : ``SEEN_IN_TRAINING``, and as :func:`rated_examples`.
    WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
    """
    members = (*tuned, *scratch)
    examples = rated_examples(crops, folds=folds, min_readers=min_readers)
    patients = [example.record.patient_id for example in examples]
    seen_in_training(members, patients, also_called=crops.series)
    # not Ensemble.load, which would divide the flips among them
    panel = tuple(Predictor.load(each, device=device, precision=precision) for each in members)
    predicted = predict_nodules(Ensemble(members=panel), examples, progress=progress)
    first, second = range(len(tuned)), range(len(tuned), len(members))
    compared = compare(predicted, tuned=first, scratch=second, bootstrap=bootstrap)
    aucs = member_aucs(predicted)
    figures = TransferFigures(
        scope=EvaluationScope(
            evaluation="transfer",
            patients=len(set(patients)),
            weights={
                "tuned": tuple(each.sha256 for each in tuned),
                "scratch": tuple(each.sha256 for each in scratch),
            },
            bootstrap=bootstrap,
        ),
        counts=ClassCounts.of([each.votes["malignancy"] for each in predicted], patients),
        auc_tuned=compared.get("auc_tuned"),
        auc_scratch=compared.get("auc_scratch"),
        auc_difference=compared.get("auc_difference"),
        auc_of_each_tuned=tuple(aucs[member] for member in first),
        auc_of_each_scratch=tuple(aucs[member] for member in second),
    )
    names = [each.sha256[:12] for each in members]
    return EvaluationResult(figures=figures, files={"nodules.csv": _table(predicted, names)})


def compare(
    predicted: Sequence[NodulePrediction],
    *,
    tuned: Sequence[int],
    scratch: Sequence[int],
    bootstrap: BootstrapSettings,
) -> dict[str, Estimate]:
    """Compare two groups of members, nodule by nodule.

    Parameters
    ----------
    predicted : by all members, rated nodules of both classes.
    tuned, scratch : the members' indices.
    bootstrap : draws of the patients. Both groups are measured on the same draws, so that what
        makes a patient easy or hard for both cancels out.

    Returns
    -------
    ``auc_tuned``, ``auc_scratch`` and ``auc_difference``, as far as they are defined.

    Raises
    ------
    InputError : ``NO_CASES``.
    """
    suspicion = member_suspicion(predicted)
    truth = truth_of(predicted)

    def measure(index: NDArray[np.int64]) -> Mapping[str, float]:
        each = [auc(member[index], truth[index]) for member in suspicion]
        first = float(np.mean([each[member] for member in tuned]))
        second = float(np.mean([each[member] for member in scratch]))
        return {"auc_tuned": first, "auc_scratch": second, "auc_difference": first - second}

    classed = int(suspicious(truth)[0].sum())
    return patient_bootstraps(
        measure,
        [each.record.patient_id for each in predicted],
        bootstrap=bootstrap,
        n=dict.fromkeys(("auc_tuned", "auc_scratch", "auc_difference"), classed),
    )


def member_aucs(predicted: Sequence[NodulePrediction]) -> list[float | None]:
    """Return each member's own area under the ROC curve; None where one class is missing."""
    truth = truth_of(predicted)
    areas = (auc(member, truth) for member in member_suspicion(predicted))
    return [None if math.isnan(area) else area for area in areas]


def member_suspicion(predicted: Sequence[NodulePrediction]) -> NDArray[np.float64]:
    """Return each member's probability of a vote above 3, if it is not 3, [member, item]."""
    return suspicion_of(np.stack([each.distributions for each in predicted], axis=1))


def truth_of(predicted: Sequence[NodulePrediction]) -> NDArray[np.float64]:
    """Return the readers' mean malignancy rating, [item]."""
    return readers_mean([each.votes["malignancy"] for each in predicted])


def _table(predicted: Sequence[NodulePrediction], names: Sequence[str]) -> FileWriter:
    def rows() -> Iterator[tuple[object, ...]]:
        truth, suspicion = truth_of(predicted), member_suspicion(predicted).T
        for each, mean, said in zip(predicted, truth, suspicion, strict=True):
            record = each.record
            yield (
                *(record.patient_id, record.fold, record.nodule_key, f"{mean:.2f}"),
                *(f"{value:.4f}" for value in said),
            )

    columns = ("patient_id", "fold", "nodule", "readers_mean", *names)
    return lambda path: write_csv(path, columns, rows())
