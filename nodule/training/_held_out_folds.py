"""What training may see: nobody of a held-out fold, and none of the patients kept for testing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

from annotated_types import Interval

from nodule.errors import ConfigError
from nodule.lidc import WholeScan, find_scans, training_scans
from nodule.training._crop_set import CropSet

Fold = Annotated[int, Interval(ge=0, le=999)]
"""The number of a part of the patients; of LUNA16, of a subset."""


HELD_OUT_PATIENTS = frozenset(
    f"LIDC-IDRI-{number}" for number in ("0003", "0004", "0021", "0063", "0314", "0476")
)
"""Patients whom nothing is trained on or chosen by, in any stage: their scans test what is made."""


def scans_of_other_folds(
    paths: Sequence[Path], *, crops: CropSet, held_out_folds: Collection[int]
) -> tuple[WholeScan, ...]:
    """Return the scans that are neither of a held-out fold nor of a held-out patient.

    Parameters
    ----------
    paths : scans, or folders of scans.
    crops : the crop set that is trained on beside them, whose patients have folds.
    held_out_folds : each must be in the crop set or among the scans.

    Raises
    ------
    ConfigError : ``NO_SUCH_FOLD``, and as :func:`nodule.lidc.training_scans`.
    InputError : as :func:`nodule.lidc.find_scans`.
    """
    _check_folds(paths, crops=crops, held_out_folds=held_out_folds)
    unseen = crops.names(held_out_folds) | crops.names_of(HELD_OUT_PATIENTS)
    return training_scans(paths, unseen=unseen, held_out_folds=held_out_folds)


def _check_folds(paths: Sequence[Path], *, crops: CropSet, held_out_folds: Collection[int]) -> None:
    if crops.folds.issuperset(held_out_folds):
        return  # looking through a folder of scans may take a while
    known = crops.folds | {scan.fold for path in paths for scan in find_scans(path)}
    unknown = sorted(set(held_out_folds) - known)
    if unknown:
        raise ConfigError(
            "a held-out fold is neither in the crop set nor among the scans",
            code="NO_SUCH_FOLD",
            expected=f"some of {sorted(known)}",
            got=unknown,
            hint="No patient would be held out; held_out_folds = [] in the training file "
            "states that this is intended",
        )
