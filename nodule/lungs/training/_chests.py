"""Chests to learn from: real scans with classical labels, and phantoms with their truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nodule.hu import NETWORK_WINDOW
from nodule.lidc import WholeScan
from nodule.lungs._coarse import coarsen
from nodule.lungs.training._threshold_labels import label_lungs
from nodule.phantom import make_phantom, random_spec
from nodule.resample import Resample, resample_mask
from nodule.training import read_study
from nodule.volume import LungMask, Volume


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingChest:
    """One chest on the coarse canonical grid.

    Parameters
    ----------
    image : float32 [z, y, x], the networks' window mapped to [0, 1].
    lungs : float32 [2, z, y, x]: which share of a voxel the right and the left lung fill.
    """

    image: Tensor
    lungs: Tensor

    @classmethod
    def from_volume(cls, volume: Volume, lungs: LungMask) -> TrainingChest:
        """Average a 1 mm volume and its lungs."""
        sides = [
            torch.from_numpy(coarsen((lungs.labels_zyx == side).astype(np.float32)))
            for side in (LungMask.RIGHT, LungMask.LEFT)
        ]
        image = torch.from_numpy(NETWORK_WINDOW.normalise(coarsen(volume.array_zyx)))
        return cls(image=image, lungs=torch.stack(sides))


def load_chest(scan: WholeScan) -> TrainingChest:
    """Read a scan and label its lungs.

    Raises
    ------
    InputError : from reading, or ``NO_LUNGS``.
    """
    volume = Resample().run(volume=read_study(scan).volume)
    return TrainingChest.from_volume(volume, label_lungs(volume))


def phantom_chest(seed: int) -> TrainingChest:
    """Make a random phantom; its lungs are known."""
    phantom = make_phantom(random_spec(seed, size="medium"))
    volume = Resample().run(volume=phantom.volume)
    return TrainingChest.from_volume(volume, resample_mask(phantom.lungs, geometry=volume.geometry))
