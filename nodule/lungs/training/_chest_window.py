"""Windows into a chest, as its patient might have lain."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nodule.geometry import Vector
from nodule.lungs._coarse import COARSENING
from nodule.lungs.training._chests import TrainingChest
from nodule.patch_pose import PatchPose
from nodule.training import PoseRanges, SamplePose, draw_pose

_COARSE_MM = float(COARSENING)
_INSIDE = 0.5  # share of a coarse voxel
_POSES = PoseRanges(
    about_z_deg=15.0,
    tilt_deg=8.0,
    upright_share=0.25,  # as most patients lie
    scale=(0.8, 1.28),
    stretch=(0.9, 1.1),
    mirrored_axes=(2,),
    shift_mm=(90.0, 30.0, 66.0),
)


def draw_window_pose(rng: np.random.Generator) -> SamplePose:
    """Draw how a window near the lungs is looked at."""
    return draw_pose(rng, _POSES)


def cut_window(
    chest: TrainingChest, sample_pose: SamplePose, *, size_zyx: tuple[int, int, int]
) -> TrainingChest:
    """Interpolate a window about the middle of the lungs; air and no lung beyond the chest.

    In a window that is mirrored from right to left, the lungs exchange their names.
    """
    pose = sample_pose.at(
        _middle(chest.lungs.sum(0) > _INSIDE),
        (_COARSE_MM,) * 3,
        shape_zyx=size_zyx,
        voxel_mm=_COARSE_MM,
    )
    image, right, left = cut_fields(torch.cat([chest.image[None], chest.lungs]), pose)
    sides = (left, right) if sample_pose.mirrored[2] else (right, left)
    return TrainingChest(image=image, lungs=torch.stack(sides))


def cut_fields(fields: Tensor, pose: PatchPose) -> Tensor:
    """Interpolate several fields of one grid at once; 0 beyond them.

    As :meth:`PatchPose.cut` does one by one, in a fraction of the time.

    Parameters
    ----------
    fields : float32 [field, z, y, x].
    pose : in their grid.
    """
    spacing_mm = np.asarray(pose.spacing_zyx_mm)
    half = (np.asarray(pose.shape_zyx) - 1) / 2
    last = (np.asarray(fields.shape[1:]) - 1) / 2
    origin = pose.to_array_mm(np.zeros(3)) / spacing_mm
    steps = (pose.to_array_mm(np.eye(3)) / spacing_mm - origin).T
    # torch counts from -1 to 1 along each axis, x first
    linear = (steps * half / last[:, None])[::-1, ::-1]
    shift = ((origin + steps @ half) / last - 1)[::-1]
    theta = torch.from_numpy(np.column_stack([linear, shift]).astype(np.float32))
    grid = functional.affine_grid(theta[None], [1, 1, *pose.shape_zyx], align_corners=True)
    return functional.grid_sample(fields[None], grid, align_corners=True)[0]


def _middle(mask: Tensor) -> Vector:
    """Return the mean index of the voxels of a mask."""
    counts = [mask.sum(tuple(a for a in range(3) if a != axis)) for axis in range(3)]
    total = counts[0].sum()
    z, y, x = (float((each * torch.arange(len(each))).sum() / total) for each in counts)
    return z, y, x
