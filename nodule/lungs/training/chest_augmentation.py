"""Chests as they might be: other poses, other fields of view, disease, noise.

Every draw is apart from its application and takes its random generator by name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch.nn import functional

from nodule.lungs.training.chests import TrainingChest

_TURN_DEGREES = (8.0, 8.0, 15.0)  # standard deviations about x, y and z
_UNTURNED = 0.25  # of the samples are left unturned, as most patients lie
_WANDER = (30.0, 10.0, 22.0)  # of the window's centre, coarse voxels zyx
_HU_RANGE = 1400.0  # of the normalised image
_SHORTENED_AXIS = (0.5, 0.1, 0.4)  # odds of z, y, x
_MASS_RADIUS = (1.3, 8.5)  # coarse voxels
_SOFT_TISSUE = (0.70, 0.78)  # -20 to 90 HU, normalised


@dataclass(frozen=True, kw_only=True)
class View:
    """How a window lies in a chest.

    Parameters
    ----------
    matrix_xyz : 3x3, from window offsets to chest offsets, coarse voxels, xyz as torch wants it.
    centre_zyx : of the window in the chest, coarse voxels.
    mirrored : whether right and left are exchanged.
    """

    matrix_xyz: tuple[tuple[float, ...], ...]
    centre_zyx: tuple[float, float, float]
    mirrored: bool


def draw_view(case: TrainingChest, rng: np.random.Generator) -> View:
    """Draw a window near the lungs, turned, scaled, sheared a little by unequal scales."""
    inside = torch.nonzero(case.lungs.sum(0) > 0.5).float()
    centre = inside.mean(0).numpy() + rng.uniform(-1, 1, 3) * _WANDER
    matrix = np.diag(rng.uniform(0.78, 1.25) * rng.uniform(0.9, 1.1, 3))
    if rng.random() > _UNTURNED:
        turn = Rotation.from_euler("xyz", rng.normal(0, _TURN_DEGREES), degrees=True)
        matrix = turn.as_matrix() @ matrix
    mirrored = bool(rng.random() < 0.5)
    if mirrored:
        matrix = matrix @ np.diag([-1.0, 1.0, 1.0])
    z, y, x = (float(c) for c in centre)
    return View(
        matrix_xyz=tuple(map(tuple, matrix.tolist())), centre_zyx=(z, y, x), mirrored=mirrored
    )


def cut(case: TrainingChest, view: View, *, size_zyx: tuple[int, int, int]) -> TrainingChest:
    """Interpolate a window; air and no lung beyond the chest."""
    shape_xyz = np.asarray(case.image.shape[::-1], float)
    centre = (2 * np.asarray(view.centre_zyx[::-1]) + 1) / shape_xyz - 1
    linear = np.asarray(view.matrix_xyz) * np.asarray(size_zyx[::-1]) / shape_xyz[:, None]
    theta = torch.from_numpy(np.column_stack([linear, centre])).float()[None]
    grid = functional.affine_grid(theta, [1, 1, *size_zyx], align_corners=False)
    stack = torch.cat([case.image[None], case.lungs])[None]
    cut_stack = functional.grid_sample(stack, grid, align_corners=False)[0]
    lungs = cut_stack[1:].flip(0) if view.mirrored else cut_stack[1:]
    return TrainingChest(image=cut_stack[0], lungs=lungs)


def shorten(case: TrainingChest, rng: np.random.Generator) -> TrainingChest:
    """Leave air beyond two random planes, as where a short or a narrow field of view ends."""
    axis = int(rng.choice(3, p=_SHORTENED_AXIS))
    size = case.image.shape[axis]
    first, last = int(rng.integers(0, size // 2)), int(rng.integers(size // 2, size))
    seen = torch.zeros(size)
    seen[first:last] = 1.0
    seen = seen.reshape([-1 if k == axis else 1 for k in range(3)])
    return TrainingChest(image=case.image * seen, lungs=case.lungs * seen)


def consolidate(case: TrainingChest, rng: np.random.Generator) -> TrainingChest:
    """Fill clouds of lung, or a share of one side from the back, with denser tissue.

    Pneumonia, atelectasis, masses, fluid: the lungs' label stays.
    """
    depth, rows, columns = case.image.shape
    cells = int(rng.integers(3, 9))
    coarse = torch.from_numpy(rng.normal(size=(1, 1, cells, cells, cells))).float()
    cloud = functional.interpolate(coarse, case.image.shape, mode="trilinear")[0, 0]
    level = float(rng.uniform(0.4, 1.6))
    if rng.random() < 0.4:  # fluid gathers at the back, its level nearly horizontal
        back = torch.linspace(-1, 1, rows)[None, :, None].expand(depth, rows, columns)
        cloud, level = 3 * back + 0.3 * cloud, float(rng.uniform(0.3, 2.0))
    share = torch.sigmoid((cloud - level) * float(rng.uniform(4, 20)))
    chosen = rng.random(2) < 0.6
    sides = case.lungs * torch.tensor([float(c) for c in chosen])[:, None, None, None]
    weight = share * sides.sum(0) * float(rng.choice([0.4, 0.8, 1.0, 1.0]))
    tissue = float(rng.uniform(*_SOFT_TISSUE))
    return TrainingChest(
        image=torch.lerp(case.image, torch.tensor(tissue), weight), lungs=case.lungs
    )


def add_masses(case: TrainingChest, rng: np.random.Generator) -> TrainingChest:
    """Put round lesions of 8 to 50 mm into the lungs, half of them on the border.

    What lies outside the lung is left as it is, and the lungs' label stays.
    """
    lung = case.lungs.sum(0)
    inside = torch.nonzero(lung > 0.5)
    border = torch.nonzero((lung > 0.2) & (lung < 0.8))
    image = case.image
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
    return TrainingChest(image=image, lungs=case.lungs)


def degrade(case: TrainingChest, rng: np.random.Generator) -> TrainingChest:
    """Change the lungs' density, the scanner's calibration, sharpness and noise."""
    image = case.image + case.lungs.sum(0) * float(rng.normal(0, 60.0)) / _HU_RANGE
    image = image * float(rng.uniform(0.94, 1.06)) + float(rng.normal(0, 15.0)) / _HU_RANGE
    if rng.random() < 0.2:
        image = functional.avg_pool3d(image[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
    noise = torch.from_numpy(rng.standard_normal(image.shape, dtype=np.float32))
    image = image + noise * float(rng.uniform(0, 40.0)) / _HU_RANGE
    return TrainingChest(image=image.clamp(0.0, 1.0), lungs=case.lungs)
