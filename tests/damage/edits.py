"""Single changes of a series of slices, each of which some export has made."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import numpy as np
import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

Slices = list[Dataset]
Mutation = Callable[[Slices], None]


def drop(*places: int) -> Mutation:
    def mutate(slices: Slices) -> None:
        for k in sorted(places, reverse=True):
            del slices[k]

    return mutate


def chosen(slices: Slices, k: int | Iterable[int] | None) -> Slices:
    """Return the slices of a place, of several, or all for None."""
    if k is None:
        return slices
    return [slices[i] for i in ([k] if isinstance(k, int) else k)]


def put(k: int | Iterable[int] | None, keyword: str, value: Any) -> Mutation:
    """Set an attribute of some slices, whatever the standard says about the value."""

    def mutate(slices: Slices) -> None:
        for ds in chosen(slices, k):
            vr = pydicom.datadict.dictionary_VR(keyword)
            ds[keyword] = DataElement(keyword, vr, value, validation_mode=pydicom.config.IGNORE)

    return mutate


def remove(k: int | Iterable[int] | None, keyword: str) -> Mutation:
    def mutate(slices: Slices) -> None:
        for ds in chosen(slices, k):
            if keyword in ds:
                del ds[keyword]

    return mutate


def shift(k: int, axis: int, amount_mm: float) -> Mutation:
    def mutate(slices: Slices) -> None:
        position = [float(v) for v in slices[k].ImagePositionPatient]
        position[axis] += amount_mm
        slices[k].ImagePositionPatient = [f"{v:.9f}" for v in position]

    return mutate


def swap_positions(j: int, k: int) -> Mutation:
    def mutate(slices: Slices) -> None:
        first, second = slices[j].ImagePositionPatient, slices[k].ImagePositionPatient
        slices[j].ImagePositionPatient, slices[k].ImagePositionPatient = second, first

    return mutate


def double(k: int, *, new_uid: bool) -> Mutation:
    def mutate(slices: Slices) -> None:
        copy = deepcopy(slices[k])
        if new_uid:
            copy.SOPInstanceUID = copy.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
        slices.append(copy)

    return mutate


def flip(k: int, signs: tuple[int, int]) -> Mutation:
    def mutate(slices: Slices) -> None:
        turned = np.asarray(slices[k].ImageOrientationPatient, float).reshape(2, 3)
        turned *= np.asarray(signs)[:, None]
        slices[k].ImageOrientationPatient = [f"{v:.9f}" for v in turned.ravel()]

    return mutate


def turn(k: int | Iterable[int] | None, change: np.ndarray) -> Mutation:
    """Multiply row and column direction, stacked in shape (2, 3), by a matrix from the left."""

    def mutate(slices: Slices) -> None:
        for ds in chosen(slices, k):
            axes = change @ np.asarray(ds.ImageOrientationPatient, float).reshape(2, 3)
            ds.ImageOrientationPatient = [f"{v:.9f}" for v in axes.ravel()]

    return mutate


def slide_all(amount_mm: float) -> Mutation:
    """Shear the stack as a tilted gantry does."""

    def mutate(slices: Slices) -> None:
        for z in range(len(slices)):
            shift(z, 1, z * amount_mm)(slices)

    return mutate
