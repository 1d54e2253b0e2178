"""How the lung network learns: its task for the training loop, and its losses."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import torch
from annotated_types import Interval, Len
from monai.losses.dice import DiceLoss
from torch.nn import functional

from nodule.errors import ConfigError
from nodule.lidc import WholeScan, training_scans
from nodule.lungs._coarse import CHANNELS
from nodule.lungs.network import RESIDUAL_UNITS, build_network
from nodule.lungs.training._chest_variation import add_masses, consolidate, rescan, shorten
from nodule.lungs.training._chest_window import cut_window, draw_window_pose
from nodule.lungs.training._chests import TrainingChest, load_chest, phantom_chest
from nodule.ranges import LayerWidth, RandomSeed, check_fields
from nodule.training import HELD_OUT_PATIENTS

if TYPE_CHECKING:
    from torch import Tensor, nn

Edge = Annotated[int, Interval(ge=8, le=512)]

_REAL_SHARE = 0.75  # of the samples come from scans, the rest from phantoms
_WITH_MASSES, _CONSOLIDATED, _RESCANNED, _SHORTENED = 0.6, 0.35, 0.85, 0.4


@dataclass(frozen=True, kw_only=True)
class LungsTask:
    """The ``[task]`` section of ``configs/train/lungs.toml``.

    Parameters
    ----------
    scans : scans or folders of them, see :mod:`nodule.lidc._whole_scans`; their lungs are labelled
        by :func:`nodule.lungs.training._threshold_labels.label_lungs`.
    phantoms : how many random phantoms to make.
    unseen_patients : patients that training must not see.
    patch_zyx : coarse voxels of a training window, multiples of the network's stride.
    channels, residual_units : of the network.
    seed : of all randomness in the samples.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """

    stage: ClassVar[str] = "lungs"

    scans: tuple[Path, ...] = ()
    phantoms: Annotated[int, Interval(ge=0, le=10_000)] = 12
    unseen_patients: tuple[str, ...] = ()
    patch_zyx: tuple[Edge, Edge, Edge] = (80, 80, 96)
    channels: Annotated[tuple[LayerWidth, ...], Len(2, 8)] = CHANNELS
    residual_units: Annotated[int, Interval(ge=0, le=16)] = RESIDUAL_UNITS
    seed: RandomSeed = 0

    def __post_init__(self) -> None:
        check_fields(self)

    def network(self) -> nn.Module:
        """Build a network with fresh weights."""
        return build_network(channels=self.channels, residual_units=self.residual_units)

    def architecture(self) -> Mapping[str, object]:
        """Return the arguments that rebuild the network."""
        return {"channels": list(self.channels), "residual_units": self.residual_units}

    def training_samples(self) -> WindowSamples:
        """Read, label and average every chest; return the endless windows into them.

        Raises
        ------
        ConfigError : ``HELD_OUT_SCAN`` for a scan of a patient that training must not see.
        InputError : from reading or labelling a scan.
        """
        return WindowSamples(
            scans=[load_chest(scan) for scan in self._scans],
            phantoms=[phantom_chest(self.seed + k) for k in range(self.phantoms)],
            size_zyx=self.patch_zyx,
            seed=self.seed,
        )

    def validation_samples(self) -> Sequence[Mapping[str, Tensor]]:
        """Return nothing: so few patients are worth more in training."""
        return []

    def losses(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return ``loss``, the sum of soft ``dice`` of both lungs and ``cross_entropy``."""
        logits = network(batch["image"]).float()
        target = batch["target"]
        cross_entropy = functional.cross_entropy(logits, target)
        dice = DiceLoss(softmax=True, include_background=False, batch=True)(logits, target)
        return {"loss": dice + cross_entropy, "dice": dice, "cross_entropy": cross_entropy}

    def training_patients(self) -> tuple[str, ...]:
        """Return every patient whose data the training samples hold."""
        return tuple(sorted({scan.patient for scan in self._scans}))

    @functools.cached_property
    def _scans(self) -> tuple[WholeScan, ...]:
        return training_scans(self.scans, unseen={*self.unseen_patients, *HELD_OUT_PATIENTS})


class WindowSamples:
    """Endless windows; sample ``index`` depends on the seed and on ``index`` alone.

    Parameters
    ----------
    scans, phantoms : the chests; either may be empty, not both.
    size_zyx : coarse voxels of a window.
    seed : of all randomness.
    """

    def __init__(
        self,
        *,
        scans: Sequence[TrainingChest],
        phantoms: Sequence[TrainingChest],
        size_zyx: tuple[int, int, int],
        seed: int,
    ) -> None:
        if not scans and not phantoms:
            raise ConfigError("there is no scan of a chest to train on", code="NO_TRAINING_DATA")
        self._scans = scans
        self._phantoms = phantoms
        self._size_zyx = size_zyx
        self._seed = seed

    def __getitem__(self, index: int) -> Mapping[str, Tensor]:
        """Return ``image`` [1, z, y, x] in [0, 1] and ``target`` [3, z, y, x], class shares."""
        rng = np.random.default_rng([self._seed, index])
        chest = self._draw_chest(rng)
        window = cut_window(chest, draw_window_pose(rng), size_zyx=self._size_zyx)
        if rng.random() < _WITH_MASSES:
            window = add_masses(window, rng)
        if rng.random() < _CONSOLIDATED:
            window = consolidate(window, rng)
        if rng.random() < _RESCANNED:
            window = rescan(window, rng)
        if rng.random() < _SHORTENED:
            window = shorten(window, rng)
        return sample_of(window)

    def _draw_chest(self, rng: np.random.Generator) -> TrainingChest:
        real = bool(self._scans) and (not self._phantoms or rng.random() < _REAL_SHARE)
        chests = self._scans if real else self._phantoms
        return chests[int(rng.integers(len(chests)))]


def sample_of(window: TrainingChest) -> Mapping[str, Tensor]:
    """Turn a window into what the loop batches."""
    background = (1.0 - window.lungs.sum(0, keepdim=True)).clamp(min=0.0)
    return {"image": window.image[None], "target": torch.cat([background, window.lungs])}
