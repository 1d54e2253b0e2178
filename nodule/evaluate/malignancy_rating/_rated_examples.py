"""The nodules of a crop set that networks and readers can be compared on."""

from __future__ import annotations

from collections.abc import Sequence

from nodule.errors import InputError
from nodule.malignancy.training import NoduleExample, load_examples
from nodule.training import CropSet, distinct


def rated_examples(
    crops: CropSet, *, folds: Sequence[int], min_readers: int
) -> tuple[NoduleExample, ...]:
    """Return the nodules of some folds, all if none is named, that enough readers rated.

    Raises
    ------
    InputError : ``NO_NODULES``.
    """
    wanted = [record for record in crops.records if not folds or record.fold in folds]
    rated = {
        record.nodule_key
        for record in distinct(wanted)
        if record.n_readers >= min_readers and record.malignancy
    }
    kept = {id(record) for record in wanted if record.nodule_key in rated}
    examples = load_examples(crops, keep=lambda record: id(record) in kept)
    if not examples:
        raise InputError(
            "no nodule is left to evaluate",
            code="NO_NODULES",
            expected=f"rated nodules of {min_readers} readers",
            hint="Name other folds with --fold, or fewer readers with --min-readers",
        )
    return examples
