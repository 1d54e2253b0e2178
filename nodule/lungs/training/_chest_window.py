"""Windows into a chest, as its patient might have lain."""

from __future__ import annotations

import numpy as np
import torch

from nodule.lungs._coarse import COARSENING
from nodule.lungs.training._chests import TrainingChest
from nodule.patch_pose import PatchPose
from nodule.training import PoseRanges, SamplePose, draw_pose

_COARSE_MM = float(COARSENING)
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
    inside = torch.nonzero(chest.lungs.sum(0) > 0.5).float()
    pose = sample_pose.at(
        inside.mean(0).numpy(), (_COARSE_MM,) * 3, shape_zyx=size_zyx, voxel_mm=_COARSE_MM
    )
    right, left = (_cut(side, pose) for side in chest.lungs)
    sides = (left, right) if sample_pose.mirrored[2] else (right, left)
    return TrainingChest(image=_cut(chest.image, pose), lungs=torch.stack(sides))


def _cut(array: torch.Tensor, pose: PatchPose) -> torch.Tensor:
    return torch.from_numpy(pose.cut(array.numpy(), outside=0.0))
