"""Evaluation patients must not be training patients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nodule.errors import InputError
from nodule.weights import Weights


def seen_in_training(
    weights: Weights, patients: Iterable[str], *, allow_seen: bool = False
) -> frozenset[str]:
    """Return those of the patients whom the weights saw in training, none unless allowed.

    Raises
    ------
    InputError : ``SEEN_IN_TRAINING`` for any, unless ``allow_seen``; it tells their number.
    """
    evaluated = frozenset(patients)
    seen = evaluated & frozenset(weights.training_patients)
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

    Whether that is allowed is for :func:`seen_in_training` to say, of each member.
    """
    evaluated = frozenset(patients)
    unseen = tuple(each for each in members if not evaluated & frozenset(each.training_patients))
    return unseen or tuple(members)
