"""A crop set judged by the network, to be compared with its readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nodule.lidc.crops import NoduleRecord
from nodule.malignancy.draws import DEEP_MM, elsewhere
from nodule.malignancy.examples import NoduleExample, View, views_deeper_than
from nodule.malignancy.predict import Predictor
from nodule.malignancy.views import view_cubes
from nodule.progress import Progress, silent

_RATINGS = np.arange(1, 6)
_PLACES_PER_VIEW = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Judgement:
    """One nodule, by its readers and by the network.

    Parameters
    ----------
    record : the nodule.
    votes : readers per malignancy rating 1 to 5.
    probability : that it is a nodule.
    distribution : over the malignancy ratings 1 to 5, shape (5,), sum 1.
    diameter_mm : as the network sees it.
    score_by_kind : the network's mean rating by the kind of view; see :mod:`nodule.lidc.crops`.
    """

    record: NoduleRecord
    votes: tuple[int, ...]
    probability: float
    distribution: NDArray[np.float32]
    diameter_mm: float
    score_by_kind: Mapping[str, float] = field(default_factory=dict)

    @property
    def readers_mean(self) -> float:
        """The readers' mean rating."""
        return float(np.dot(self.votes, _RATINGS) / sum(self.votes))

    @property
    def score(self) -> float:
        """The network's mean rating."""
        return float(np.clip(np.dot(self.distribution, _RATINGS), 1.0, 5.0))

    @property
    def suspicion(self) -> float:
        """The network's probability of a rating above 3, given that it is not 3."""
        above, below = self.distribution[3:].sum(), self.distribution[:2].sum()
        return float(above / (above + below))


def judge(
    predictor: Predictor, examples: Sequence[NoduleExample], *, progress: Progress = silent
) -> tuple[Judgement, ...]:
    """Judge every nodule; one with several views gets the mean of what each view says."""
    judged: list[Judgement] = []
    for example in examples:
        cubes = [view_cubes(view, network=predictor.network) for view in example.views]
        said = predictor.predict(np.stack(cubes))
        judged.append(
            Judgement(
                record=example.record,
                votes=example.votes["malignancy"],
                probability=float(said.probability.mean()),
                distribution=said.malignancy.mean(axis=0),
                diameter_mm=float(said.diameter_mm.mean()),
                score_by_kind={
                    view.packed.record.kind: float(np.dot(distribution, _RATINGS))
                    for view, distribution in zip(example.views, said.malignancy, strict=True)
                },
            )
        )
        progress(len(judged) / len(examples))
    return tuple(judged)


@dataclass(frozen=True, kw_only=True, eq=False)
class Discernment:
    """Nodules against their surroundings, in views deep enough to tell them apart.

    Parameters
    ----------
    patients : whose view it is, one per place.
    is_nodule : whether the place is the nodule's centre, bool [place].
    probability : what the network says, [place].
    """

    patients: tuple[str, ...]
    is_nodule: NDArray[np.bool_]
    probability: NDArray[np.float32]


def discern(
    predictor: Predictor, examples: Sequence[NoduleExample], *, seed: int = 0
) -> Discernment:
    """Judge nodules in deep views, and for each three dense places that no reader marked."""
    rng = np.random.default_rng(seed)
    deep = views_deeper_than(examples, DEEP_MM)
    places = [place for view in deep for place in _places(view, rng)]
    cubes = [view_cubes(view, network=predictor.network) for view in places]
    return Discernment(
        patients=tuple(view.packed.record.patient_id for view in places),
        is_nodule=np.tile([True] + [False] * _PLACES_PER_VIEW, len(deep)),
        probability=predictor.predict(np.stack(cubes)).probability,
    )


def _places(view: View, rng: np.random.Generator) -> Iterator[View]:
    yield view
    for _ in range(_PLACES_PER_VIEW):
        yield View(packed=view.packed, center_zyx=elsewhere(rng, [view]).center_zyx)
