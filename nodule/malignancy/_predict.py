"""The trained network's answers, in the terms of radiology."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nodule.inference import Precision, autocast, fold_normalisation, prepare
from nodule.malignancy.network import LEVELS, REFERENCE_DIAMETER_MM, C3DMultitask, Outputs, build
from nodule.weights import Weights, load_state

Flip = tuple[int, ...]
"""Axes of [item, magnification, z, y, x] that are reversed."""

TTA_FLIPS: tuple[Flip, ...] = tuple(
    axes for count in range(4) for axes in itertools.combinations((2, 3, 4), count)
)
"""All eight, the place as it is first: training shows every one, and no answer should differ."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """What the network says of several places.

    Parameters
    ----------
    probability : that each is a nodule, float32 [item].
    ratings : per LIDC characteristic the distribution over its ratings, [item, level].
    diameter_mm : [item].
    """

    probability: NDArray[np.float32]
    ratings: Mapping[str, NDArray[np.float32]]
    diameter_mm: NDArray[np.float32]

    @property
    def malignancy(self) -> NDArray[np.float32]:
        """Distribution over the ratings 1 to 5, [item, 5]."""
        return self.ratings["malignancy"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictor:
    """A network ready to answer.

    Parameters
    ----------
    network : in evaluation mode on its device.
    device : where it lies.
    precision : how it computes.
    batch : places at once.
    flips : whose mean answer is taken.
    """

    network: C3DMultitask
    device: torch.device
    precision: Precision = "auto"
    batch: int = 16
    flips: tuple[Flip, ...] = TTA_FLIPS

    @classmethod
    def load(
        cls,
        weights: Weights,
        *,
        device: torch.device,
        precision: Precision = "auto",
        flips: tuple[Flip, ...] = TTA_FLIPS,
    ) -> Predictor:
        """Build the network that a weights file names, and fill it.

        Raises
        ------
        WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
        """
        weights.check_stage("malignancy")
        network = build(weights.architecture)
        network.load_state_dict(load_state(weights))
        return cls(
            network=prepare(fold_normalisation(network.eval()), device),
            device=device,
            precision=precision,
            flips=flips,
        )

    def predict(self, cubes: NDArray[np.float32]) -> Prediction:
        """Predict for cubes [item, magnification, z, y, x], each in every mirror."""
        parts = [self._predict(part) for part in _batches(cubes, self.batch)]
        return Prediction(
            probability=np.concatenate([part.probability for part in parts]),
            ratings={
                name: np.concatenate([part.ratings[name] for part in parts]) for name in LEVELS
            },
            diameter_mm=np.concatenate([part.diameter_mm for part in parts]),
        )

    def _predict(self, cubes: NDArray[np.float32]) -> Prediction:
        batch = torch.from_numpy(cubes).to(self.device)
        with torch.inference_mode(), autocast(self.device, self.precision):
            seen: list[Outputs] = [self.network(batch.flip(axes)) for axes in self.flips]
        nodule = torch.stack([o.nodule for o in seen]).sigmoid().mean(dim=0)
        log_diameter = torch.stack([o.log_diameter for o in seen]).mean(dim=0)
        ratings = {
            name: torch.stack([o.ratings[name] for o in seen]).softmax(dim=-1).mean(dim=0)
            for name in LEVELS
        }
        return Prediction(
            probability=nodule.cpu().numpy(),
            ratings={name: value.cpu().numpy() for name, value in ratings.items()},
            diameter_mm=(REFERENCE_DIAMETER_MM * log_diameter.exp()).cpu().numpy(),
        )


def _batches(cubes: NDArray[np.float32], size: int) -> Iterable[NDArray[np.float32]]:
    return (cubes[start : start + size] for start in range(0, len(cubes), size))
