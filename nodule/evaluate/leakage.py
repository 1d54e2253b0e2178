"""Evaluation patients must not be training patients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from nodule.ct.inventory import inventory
from nodule.errors import InputError
from nodule.lidc.scans import patient_of
from nodule.weights import Weights


def patients_of(path: Path) -> frozenset[str]:
    """Return what a scan's patient may be called, without reading its pixels."""
    return patient_names(path, inventory(path).choose(None).patient.patient_id)


def patient_names(path: Path, patient_id: str | None) -> frozenset[str]:
    """Return what a scan's patient may be called: by its folder, and by DICOM's PatientID."""
    return frozenset({patient_of(path)} | ({patient_id} if patient_id else set()))


def seen_in_training(
    networks: Iterable[Weights], patients: Iterable[str], *, allow_seen: bool = False
) -> frozenset[str]:
    """Return those of the patients whom any network saw in training, none unless allowed.

    Raises
    ------
    InputError : ``SEEN_IN_TRAINING`` for any, unless ``allow_seen``; it tells their number.
    """
    evaluated = frozenset(patients)
    seen = evaluated & frozenset[str]().union(*(each.training_patients for each in networks))
    if seen and not allow_seen:
        raise InputError(
            "the weights saw patients of this evaluation in training",
            code="SEEN_IN_TRAINING",
            expected="patients that they never saw",
            got=f"{len(seen)} of {len(evaluated)} patients",
            hint="Evaluate a held-out fold and other scans, or say --allow-seen and publish no "
            "such figure as performance",
        )
    return seen


def unseen_members(members: Sequence[Weights], patients: Iterable[str]) -> tuple[Weights, ...]:
    """Return the members of an ensemble that saw none of the patients, or all where none is left.

    Whether that is allowed is for :func:`seen_in_training` to say.
    """
    evaluated = frozenset(patients)
    unseen = tuple(each for each in members if not evaluated & frozenset(each.training_patients))
    return unseen or tuple(members)
