"""The trained network's answers, in the terms of radiology."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nodule.inference import (
    Device,
    Engine,
    NetworkSource,
    Precision,
    Runner,
    fold_normalisation,
    open_network,
    prepare,
)
from nodule.malignancy._answers import CubeSizes, Prediction, finds_only
from nodule.weights import Weights, load_state

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nodule.malignancy.network import C3DMultitask

Flip = tuple[int, ...]
"""Axes of [item, magnification, z, y, x] that are reversed."""

TTA_FLIPS: tuple[Flip, ...] = tuple(
    axes for count in range(4) for axes in itertools.combinations((2, 3, 4), count)
)
"""All eight, the place as it is first: training shows every one, and no answer should differ."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictor:
    """A network ready to answer.

    Parameters
    ----------
    network : from cubes [item, magnification, z, y, x] of HU mapped to [0, 1] to logits
        [item, output] in the order of the tasks.
    sees : the cubes that it takes.
    batch : places at once.
    flips : whose mean answer is taken.
    finds_only : whether it answers for the nodule alone in an ensemble.
    """

    network: Runner
    sees: CubeSizes
    finds_only: bool = False
    batch: int = 16
    flips: tuple[Flip, ...] = TTA_FLIPS

    @classmethod
    def load(
        cls,
        weights: Weights,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        engine: Engine = "auto",
        flips: tuple[Flip, ...] = TTA_FLIPS,
    ) -> Predictor:
        """Open the network that a weights file names.

        Raises
        ------
        WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
        NoduleError : as :func:`nodule.inference.open_network`.
        """
        weights.check_stage("malignancy")
        sees = CubeSizes.of(weights.architecture)
        source = NetworkSource(
            name="malignancy",
            weights_sha256=weights.sha256,
            code=("nodule.malignancy.network", "nodule.malignancy._backbones", __name__),
            build=partial(_logits_only, weights),
            example_shape=(2, len(sees.magnifications_mm), *(sees.cube,) * 3),
            free_axes=(0,),
        )
        network = open_network(source, engine=engine, device=device, precision=precision)
        return cls(
            network=network, sees=sees, flips=flips, finds_only=finds_only(weights.architecture)
        )

    def predict(self, cubes: NDArray[np.float32]) -> Prediction:
        """Predict for cubes [item, magnification, z, y, x], each in every mirror."""
        logits = [
            np.concatenate([self.network(part) for part in _batches(mirrored, self.batch)])
            for mirrored in (np.flip(cubes, axes) for axes in self.flips)
        ]
        return Prediction.of(np.stack(logits))


def load_classifier(weights: Weights) -> C3DMultitask:
    """Return the network that a weights file names, as it was trained, in evaluation mode.

    Raises
    ------
    WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
    """
    from nodule.malignancy.network import build

    weights.check_stage("malignancy")
    network = build(weights.architecture)
    network.load_state_dict(load_state(weights))
    return network.eval()


def explained_network(weights: Weights, device: torch.device) -> C3DMultitask:
    """Return a network on a device, in which gradients can be followed; errors as above."""
    return prepare(fold_normalisation(load_classifier(weights)), device)


def _logits_only(weights: Weights) -> nn.Module:
    from nodule.malignancy.network import LogitsOnly

    return LogitsOnly(fold_normalisation(load_classifier(weights))).eval()


def _batches(cubes: NDArray[np.float32], size: int) -> Iterable[NDArray[np.float32]]:
    return (cubes[start : start + size] for start in range(0, len(cubes), size))
