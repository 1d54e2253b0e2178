"""Several networks, trained without one another's patients, that answer as one.

An evaluation asks only those members that never saw the patient, often a single one. So that it
sees a place as often as the whole ensemble does, the eight mirror images are assigned among
whoever is asked: five members see one or two each, one alone sees all.

Members may look at cubes of different sizes: networks that were trained apart, at 1 mm and at
0.7 mm, err apart. Where some members answer for the nodule alone, what tells nodules from the rest
comes from these, and the ratings and sizes come from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.errors import ConfigError
from nodule.inference import Device, Engine, Precision
from nodule.malignancy._answers import (
    LEVELS,
    CubeSizes,
    Prediction,
    SeesCubes,
    finds_only,
)
from nodule.malignancy._predict import TTA_FLIPS, Flip, Predictor
from nodule.weights import Weights

MakeCubes = Callable[[SeesCubes], NDArray[np.float32]]
"""Makes any network's input of the same places, [item, magnification, z, y, x]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EnsemblePrediction:
    """What the members predict for several places.

    Parameters
    ----------
    probability : mean over members that each is a nodule, float32 [item].
    distributions : over the malignancy ratings 1 to 5 of each member that rates, [member, item, 5].
    ratings : per LIDC characteristic the mean over members of the distributions over its ratings,
        [item, level].
    diameter_mm : mean over members, [item].
    """

    probability: NDArray[np.float32]
    distributions: NDArray[np.float32]
    ratings: Mapping[str, NDArray[np.float32]]
    diameter_mm: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ensemble:
    """Members ready to answer.

    Parameters
    ----------
    members : at least one.

    Raises
    ------
    ConfigError : ``NO_MEMBERS``.
    """

    members: tuple[Predictor, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise ConfigError("an ensemble without members", code="NO_MEMBERS")

    @classmethod
    def load(
        cls,
        weights: Sequence[Weights],
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        engine: Engine = "auto",
    ) -> Ensemble:
        """Open a network per weights file, and assign the flips.

        Raises
        ------
        NoduleError : as :meth:`Predictor.load`.
        """
        alike = [each for each in (raters(weights), finders(weights)) if each]
        shares = {
            each.sha256: share
            for group in alike
            for each, share in zip(group, assign_tta_flips(TTA_FLIPS, len(group)), strict=True)
        }
        return cls(
            members=tuple(
                Predictor.load(
                    each,
                    device=device,
                    precision=precision,
                    engine=engine,
                    flips=shares[each.sha256],
                )
                for each in weights
            )
        )

    def predict(self, make_cubes: MakeCubes) -> EnsemblePrediction:
        """Predict for places; members that take the same cubes are shown them once made."""
        shown: dict[CubeSizes, NDArray[np.float32]] = {}
        rated: list[Prediction] = []
        found: list[Prediction] = []
        for member in self.members:
            if member.sees not in shown:
                shown[member.sees] = make_cubes(member.sees)
            (found if member.finds_only else rated).append(member.predict(shown[member.sees]))
        rated, found = rated or found, found or rated
        return EnsemblePrediction(
            probability=np.mean([each.probability for each in found], axis=0),
            distributions=np.stack([each.malignancy for each in rated]),
            ratings={
                name: np.mean([each.ratings[name] for each in rated], axis=0) for name in LEVELS
            },
            diameter_mm=np.mean([each.diameter_mm for each in rated], axis=0),
        )


def finders(weights: Sequence[Weights]) -> tuple[Weights, ...]:
    """Return the members that tell nodules from the rest: those for it alone, else all."""
    alone = tuple(each for each in weights if finds_only(each.architecture))
    return alone or tuple(weights)


def raters(weights: Sequence[Weights]) -> tuple[Weights, ...]:
    """Return the members that rate: all but those for the nodule alone, if there are others."""
    others = tuple(each for each in weights if not finds_only(each.architecture))
    return others or tuple(weights)


def assign_tta_flips(flips: tuple[Flip, ...], members: int) -> tuple[tuple[Flip, ...], ...]:
    """Assign flips in turn, each once; members beyond their number get one again."""
    return tuple(flips[member % len(flips) :: max(members, 1)] for member in range(members))
