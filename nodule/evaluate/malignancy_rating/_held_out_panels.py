"""Which members assess which patients: a member never assesses a patient of its training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nodule.errors import InputError
from nodule.evaluate._leakage import NO_OTHERS, Names, all_names
from nodule.evaluate.malignancy_rating._crop_predictions import (
    NodulePrediction,
    SurroundingsPrediction,
    predict_nodules,
    predict_surroundings,
)
from nodule.inference import Device, Precision
from nodule.malignancy import Ensemble
from nodule.malignancy.training import NoduleExample
from nodule.progress import Progress, silent
from nodule.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Members, one at least, and the patients whom they may assess."""

    members: tuple[Weights, ...]
    patients: frozenset[str]


def panels(
    members: Sequence[Weights], patients: Iterable[str], *, also_called: Names = NO_OTHERS
) -> tuple[Panel, ...]:
    """Group patients by the members that held them out of training.

    What counts is the list of patients in each weights file, whatever fold it is named after: a
    patient of another collection may be assessed by all.

    Parameters
    ----------
    members : of an ensemble.
    patients : one name of each.
    also_called : more names of them.

    Raises
    ------
    InputError : ``NO_UNSEEN_MEMBER`` where every member saw a patient in training; it states how
        many patients.
    """
    trained = {member.sha256: frozenset(member.training_patients) for member in members}
    grouped: dict[tuple[str, ...], set[str]] = {}
    for patient in set(patients):
        names = all_names(patient, also_called)
        panel = tuple(sha256 for sha256, seen in trained.items() if names.isdisjoint(seen))
        grouped.setdefault(panel, set()).add(patient)
    if () in grouped:
        raise InputError(
            "some patients were seen in training by every member",
            code="NO_UNSEEN_MEMBER",
            expected="for every patient a member that held it out of training",
            got=f"{len(grouped[()])} of {sum(map(len, grouped.values()))} patients with none",
            hint="Choose only folds that have a member, with --fold, or train one more: nodule "
            "train malignancy with held_out_folds = [the fold] in its configuration",
        )
    by_digest = {member.sha256: member for member in members}
    return tuple(
        Panel(members=tuple(by_digest[sha256] for sha256 in panel), patients=frozenset(seen))
        for panel, seen in sorted(grouped.items())
    )


def predict_by_panels(
    chosen: Sequence[Panel],
    examples: Sequence[NoduleExample],
    *,
    device: Device,
    precision: Precision = "auto",
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[tuple[NodulePrediction, ...], SurroundingsPrediction]:
    """Let every nodule, and its surroundings, be assessed by its patient's panel.

    Parameters
    ----------
    chosen : panels of all the patients.
    examples : the nodules.
    device, precision : where and how the networks compute.
    seed : of the places in the surroundings.
    progress : called with the share of the nodules that is done.

    Returns
    -------
    The predictions in the order of the nodules, and the surroundings panel by panel.

    Raises
    ------
    WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
    """
    predicted: dict[str, NodulePrediction] = {}
    around = []
    for panel in chosen:
        own = [each for each in examples if each.record.patient_id in panel.patients]
        ensemble = Ensemble.load(panel.members, device=device, precision=precision)
        part = _part(progress, begin=len(predicted) / len(examples), share=len(own) / len(examples))
        said = predict_nodules(ensemble, own, progress=part)
        predicted.update((each.record.nodule_key, each) for each in said)
        around.append(predict_surroundings(ensemble, own, seed=seed))
    ordered = tuple(predicted[each.record.nodule_key] for each in examples)
    return ordered, join_surroundings(around)


def join_surroundings(parts: Sequence[SurroundingsPrediction]) -> SurroundingsPrediction:
    """Return several sets of places as one."""
    return SurroundingsPrediction(
        patients=tuple(patient for part in parts for patient in part.patients),
        is_nodule=np.concatenate([part.is_nodule for part in parts]),
        probability=np.concatenate([part.probability for part in parts]),
    )


def _part(progress: Progress, *, begin: float, share: float) -> Progress:
    return lambda done: progress(begin + share * done)
