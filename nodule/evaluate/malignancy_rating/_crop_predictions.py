"""What the networks predict of a crop set, to be compared with its readers."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nodule.malignancy import Ensemble
from nodule.malignancy.training import (
    DEEP_MM,
    NoduleCropView,
    NoduleExample,
    crop_cubes,
    elsewhere,
    views_deeper_than,
)
from nodule.progress import Progress, silent
from nodule.training import NoduleRecord

_OTHERS = 3  # places per view


@dataclass(frozen=True, kw_only=True, eq=False)
class NodulePrediction:
    """One nodule, by its readers and by the networks, whose answers are as they gave them.

    Parameters
    ----------
    record : the nodule.
    votes : readers per characteristic and rating from 1 up.
    probability : that it is a nodule.
    distributions : each member's over the malignancy ratings 1 to 5, [member, 5], sum 1.
    diameter_mm : as the networks see it.
    characteristics : distributions over the ratings of the other characteristics, [level] by name.
    by_kind : the same distributions by the kind of view; see :mod:`nodule.training._crop_set`.
    """

    record: NoduleRecord
    votes: Mapping[str, tuple[int, ...]]
    probability: float
    distributions: NDArray[np.float32]
    diameter_mm: float
    characteristics: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    by_kind: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


def predict_nodules(
    ensemble: Ensemble, examples: Sequence[NoduleExample], *, progress: Progress = silent
) -> tuple[NodulePrediction, ...]:
    """Assess every nodule; one with several views gets the mean over them."""
    predicted: list[NodulePrediction] = []
    for example in examples:
        said = ensemble.predict(functools.partial(crop_cubes, example.views))
        kinds = [view.packed.record.kind for view in example.views]
        predicted.append(
            NodulePrediction(
                record=example.record,
                votes=example.votes,
                probability=float(said.probability.mean()),
                distributions=said.distributions.mean(axis=1),
                diameter_mm=float(said.diameter_mm.mean()),
                characteristics={
                    name: shares.mean(axis=0) for name, shares in said.ratings.items()
                },
                by_kind={kind: said.distributions[:, i] for i, kind in enumerate(kinds)},
            )
        )
        progress(len(predicted) / len(examples))
    return tuple(predicted)


@dataclass(frozen=True, kw_only=True, eq=False)
class SurroundingsPrediction:
    """Nodules against their surroundings, in views deep enough to distinguish them.

    Parameters
    ----------
    patients : whose view it is, one per place.
    is_nodule : whether the place is the nodule's centre, bool [place].
    probability : what the networks say, [place].
    """

    patients: tuple[str, ...]
    is_nodule: NDArray[np.bool_]
    probability: NDArray[np.float32]


def predict_surroundings(
    ensemble: Ensemble, examples: Sequence[NoduleExample], *, seed: int = 0
) -> SurroundingsPrediction:
    """Assess nodules in deep views, and for each three dense places that no reader marked."""
    rng = np.random.default_rng(seed)
    deep = views_deeper_than(examples, DEEP_MM)
    said = [
        ensemble.predict(functools.partial(crop_cubes, tuple(_places(view, rng)))) for view in deep
    ]
    return SurroundingsPrediction(
        patients=tuple(np.repeat([v.packed.record.patient_id for v in deep], 1 + _OTHERS).tolist()),
        is_nodule=np.tile([True] + [False] * _OTHERS, len(deep)),
        probability=np.array([p for each in said for p in each.probability], np.float32),
    )


def _places(view: NoduleCropView, rng: np.random.Generator) -> Iterator[NoduleCropView]:
    yield view
    for _ in range(_OTHERS):
        yield NoduleCropView(packed=view.packed, center_zyx=elsewhere(rng, [view]).center_zyx)
