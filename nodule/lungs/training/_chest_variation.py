"""Chests as they might be: disease, short and narrow fields of view, other scanners.

Every draw takes its random generator by name.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from nodule.hu import NETWORK_WINDOW
from nodule.lungs._coarse import COARSENING
from nodule.lungs.training._chests import TrainingChest
from nodule.training import ScannerRanges, draw_scanner

_SHORTENED_AXIS = (0.5, 0.1, 0.4)  # odds of z, y, x
_MASS_RADIUS = (1.3, 8.5)  # coarse voxels
_SOFT_TISSUE = (0.70, 0.78)  # -20 to 90 HU, normalised
_DENSITY_SD_HU = 60.0  # of aerated lung, from breath to breath and patient to patient
_SCANNERS = ScannerRanges(
    thick_share=0.0,  # a coarse voxel is as thick as most slices
    blur_share=0.2,
    blur_sigma_mm=(2.0, 3.0),
    sharpen_share=0.0,
    noise_share=1.0,
    noise_hu=(0.0, 40.0),
    correlated_share=0.0,
    shift_hu=26.0,
)


def shorten(chest: TrainingChest, rng: np.random.Generator) -> TrainingChest:
    """Leave air beyond two random planes, as where a short or a narrow field of view ends."""
    axis = int(rng.choice(3, p=_SHORTENED_AXIS))
    size = chest.image.shape[axis]
    first, last = int(rng.integers(0, size // 2)), int(rng.integers(size // 2, size))
    seen = torch.zeros(size)
    seen[first:last] = 1.0
    seen = seen.reshape([-1 if k == axis else 1 for k in range(3)])
    return TrainingChest(image=chest.image * seen, lungs=chest.lungs * seen)


def consolidate(chest: TrainingChest, rng: np.random.Generator) -> TrainingChest:
    """Fill clouds of lung, or a share of one side from the back, with denser tissue.

    Pneumonia, atelectasis, masses, fluid: the lungs' label stays.
    """
    depth, rows, columns = chest.image.shape
    cells = int(rng.integers(3, 9))
    coarse = torch.from_numpy(rng.normal(size=(1, 1, cells, cells, cells))).float()
    cloud = functional.interpolate(coarse, chest.image.shape, mode="trilinear")[0, 0]
    level = float(rng.uniform(0.4, 1.6))
    if rng.random() < 0.4:  # fluid gathers at the back, its level nearly horizontal
        back = torch.linspace(-1, 1, rows)[None, :, None].expand(depth, rows, columns)
        cloud, level = 3 * back + 0.3 * cloud, float(rng.uniform(0.3, 2.0))
    share = torch.sigmoid((cloud - level) * float(rng.uniform(4, 20)))
    chosen = rng.random(2) < 0.6
    sides = chest.lungs * torch.tensor([float(c) for c in chosen])[:, None, None, None]
    weight = share * sides.sum(0) * float(rng.choice([0.4, 0.8, 1.0, 1.0]))
    tissue = float(rng.uniform(*_SOFT_TISSUE))
    return TrainingChest(
        image=torch.lerp(chest.image, torch.tensor(tissue), weight), lungs=chest.lungs
    )


def add_masses(chest: TrainingChest, rng: np.random.Generator) -> TrainingChest:
    """Put round lesions of 8 to 50 mm into the lungs, half of them on the border.

    What lies outside the lung is left as it is, and the lungs' label stays.
    """
    lung = chest.lungs.sum(0)
    inside = torch.nonzero(lung > 0.5)
    border = torch.nonzero((lung > 0.2) & (lung < 0.8))
    image = chest.image
    axes = torch.meshgrid(*(torch.arange(float(n)) for n in lung.shape), indexing="ij")
    for _ in range(int(rng.integers(1, 6))):
        places = border if rng.random() < 0.5 else inside
        if not len(places):
            continue
        centre = places[int(rng.integers(len(places)))].tolist()
        stretch = rng.uniform(0.8, 1.25, 3)
        squared = sum(
            ((axis - c) * float(k)) ** 2 for axis, c, k in zip(axes, centre, stretch, strict=True)
        )
        radius = float(rng.uniform(*_MASS_RADIUS))
        share = (radius + 0.5 - torch.as_tensor(squared).sqrt()).clamp(0.0, 1.0)
        tissue = torch.tensor(float(rng.uniform(*_SOFT_TISSUE)))
        image = torch.lerp(image, tissue, share * lung)
    return TrainingChest(image=image, lungs=chest.lungs)


def rescan(chest: TrainingChest, rng: np.random.Generator) -> TrainingChest:
    """Change the lungs' density, and show the chest as another scanner might."""
    low, width = NETWORK_WINDOW.low_hu, NETWORK_WINDOW.high_hu - NETWORK_WINDOW.low_hu
    image_hu = chest.image * width + low + chest.lungs.sum(0) * float(rng.normal(0, _DENSITY_SD_HU))
    shown = draw_scanner(rng, _SCANNERS).show(image_hu.numpy(), rng, voxel_mm=float(COARSENING))
    return TrainingChest(image=torch.from_numpy(NETWORK_WINDOW.normalise(shown)), lungs=chest.lungs)
