"""Evaluation patients must not be training patients.

One patient may go by several names: LIDC-IDRI's number, the scan's folder, DICOM's PatientID, and
the series, which is all that LUNA16 knows. Whoever is in a list of training patients by any of them
was seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from nodule.ct import inventory
from nodule.errors import InputError
from nodule.lidc import WholeScan
from nodule.weights import Weights

Names = Mapping[str, Collection[str]]
"""Patients, each with every name they are known by."""

NO_OTHERS: Names = MappingProxyType({})
# how LIDC-IDRI and LUNA16, which have their patients in common, call them
_SCHEMES = {
    "number": re.compile(r"LIDC-IDRI-\d{4}"),
    "series": re.compile(r"1\.3\.6\.1\.4\.1\.14519\.5\.2\.1\.6279\.6001\.\d+"),
}


def names_of(scan: WholeScan) -> frozenset[str]:
    """Return what a scan's patient may be called, without reading pixels.

    Raises
    ------
    InputError : why the scan cannot be read.
    """
    found = inventory(scan.path)
    series = {record.uid for record in found.series if record.uid}
    patient_id = found.choose(None).patient.patient_id
    return scan.names.union(series, {patient_id} if patient_id else ())


def patients_of(
    scans: Iterable[WholeScan], *, known: Names = NO_OTHERS
) -> dict[str, frozenset[str]]:
    """Return whose the scans are, each patient once, with all names.

    Parameters
    ----------
    scans : the scans; errors as :func:`names_of`.
    known : patients and what else they are called, such as :attr:`CropSet.series`; who is among
        them goes by the name there.
    """
    representative = {name: patient for patient in known for name in all_names(patient, known)}
    people: dict[str, frozenset[str]] = {}
    for scan in scans:
        names = names_of(scan)
        patient = min(
            (representative[name] for name in names & representative.keys()), default=scan.patient
        )
        people[patient] = all_names(patient, known).union(names, people.get(patient, ()))
    return people


def seen_in_training(
    networks: Iterable[Weights],
    patients: Iterable[str],
    *,
    also_called: Names = NO_OTHERS,
    allow_seen: bool = False,
) -> frozenset[str]:
    """Return those of the patients whom any network saw in training, none unless allowed.

    Parameters
    ----------
    networks : whose lists of training patients are looked through.
    patients : one name of each.
    also_called : more names of them.
    allow_seen : whether training patients may be evaluated.

    Raises
    ------
    InputError : ``SEEN_IN_TRAINING`` for any, unless ``allow_seen``; it states their number.
    """
    evaluated = frozenset(patients)
    trained = frozenset[str]().union(*(each.training_patients for each in networks))
    seen = frozenset(each for each in evaluated if all_names(each, also_called) & trained)
    if seen and not allow_seen:
        raise InputError(
            "patients of this evaluation were seen in training by the weights",
            code="SEEN_IN_TRAINING",
            expected="patients held out of training",
            got=f"{len(seen)} of {len(evaluated)} patients",
            hint="Evaluate a held-out fold and other scans; with --allow-seen the figures do not "
            "measure performance",
        )
    return seen


def unseen_members(
    members: Sequence[Weights], patients: Iterable[str], *, also_called: Names = NO_OTHERS
) -> tuple[Weights, ...]:
    """Return the members of an ensemble that saw none of the patients, or all where none is left.

    Whether that is allowed is for :func:`seen_in_training` to say; so are the parameters.
    """
    names = frozenset[str]().union(*(all_names(each, also_called) for each in patients))
    unseen = tuple(each for each in members if names.isdisjoint(each.training_patients))
    return unseen or tuple(members)


def cannot_be_told(networks: Iterable[Weights], patients: Names) -> frozenset[str]:
    """Return the patients of whom it is unknown whether a network saw them in training.

    LIDC-IDRI numbers its patients and LUNA16 does not say whose series is whose: a list that
    speaks of one says nothing on patients known by the other only.
    """
    listed = [_schemes(each.training_patients) for each in networks]
    return frozenset(
        patient
        for patient, names in patients.items()
        if (own := _schemes((patient, *names))) and any(each - own for each in listed)
    )


def all_names(patient: str, also_called: Names) -> frozenset[str]:
    """Return what a patient is called, and also called."""
    return frozenset({patient, *also_called.get(patient, ())})


def _schemes(names: Iterable[str]) -> frozenset[str]:
    known = tuple(names)
    return frozenset(
        scheme
        for scheme, pattern in _SCHEMES.items()
        if any(pattern.fullmatch(name) for name in known)
    )
