"""What the network sees of a place: cubes around it, one per magnification."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodule.geometry import Vector, as_matrix, as_vector
from nodule.hu import AIR_HU, HuArray, normalise_in_two_windows
from nodule.patch_pose import PatchPose


def candidate_cubes(
    array_zyx: HuArray,
    *,
    center_zyx: ArrayLike,
    spacing_zyx_mm: Vector,
    magnifications_mm: Sequence[float],
    cube: int,
) -> NDArray[np.float32]:
    """Return the network's input [magnification, z, y, x] for one place, HU mapped to [0, 2].

    What lies beyond the array is air.
    """
    poses = (
        PatchPose(
            shape_zyx=(cube, cube, cube),
            center_zyx=as_vector(center_zyx),
            spacing_zyx_mm=spacing_zyx_mm,
            turn=as_matrix(np.eye(3) * pitch_mm),
        )
        for pitch_mm in magnifications_mm
    )
    cubes = [pose.cut(array_zyx, outside=AIR_HU) for pose in poses]
    return normalise_in_two_windows(np.stack(cubes))
