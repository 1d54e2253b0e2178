"""What the network sees of a place: cubes around it, one per magnification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from nodule.geometry import Vector
from nodule.hu import AIR_HU, NETWORK_WINDOW

UNTURNED: NDArray[np.float64] = np.eye(3)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pose:
    """Where and how a cube is taken.

    Parameters
    ----------
    center_zyx : (fractional) index of its centre in the array.
    spacing_zyx_mm : of the array's voxels.
    pitch_mm : edge of the cube's own voxels.
    cube : voxels along an edge.
    turn : orthonormal 3x3 that maps the cube's axes to the array's, zyx; a mirror is allowed.
    """

    center_zyx: Vector
    spacing_zyx_mm: Vector
    pitch_mm: float
    cube: int
    turn: NDArray[np.float64] = field(default_factory=lambda: UNTURNED)

    def map(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return matrix and offset that take a cube's index to the array's."""
        matrix = self.turn * self.pitch_mm / np.asarray(self.spacing_zyx_mm)[:, None]
        middle = np.full(3, (self.cube - 1) / 2)
        return matrix, np.asarray(self.center_zyx) - matrix @ middle


def take_cube(
    array_zyx: NDArray[np.float32], pose: Pose, *, outside: float | None = AIR_HU
) -> NDArray[np.float32]:
    """Interpolate a cube [z, y, x] linearly.

    Parameters
    ----------
    array_zyx : any quantity.
    pose : the cube.
    outside : the value beyond the array; None goes on with the nearest voxel's.
    """
    matrix, offset = pose.map()
    taken: NDArray[np.float32] = ndimage.affine_transform(
        array_zyx,
        matrix,
        offset=offset,
        output_shape=(pose.cube,) * 3,
        output=np.float32,
        order=1,
        mode="nearest" if outside is None else "grid-constant",
        cval=0.0 if outside is None else outside,
        prefilter=False,
    )
    return taken


def depth_inside_mm(shape_zyx: Sequence[int], pose: Pose) -> NDArray[np.float32]:
    """Return how far each of a cube's voxels lies inside the array, mm, negative outside.

    The border is half a voxel beyond the outermost voxels' centres.
    """
    matrix, offset = pose.map()
    index = np.indices((pose.cube,) * 3, dtype=np.float32).reshape(3, -1)
    place = (matrix @ index + offset[:, None]).astype(np.float32)
    last = np.asarray(shape_zyx, np.float32)[:, None]
    inner = np.minimum(place + 0.5, last - 0.5 - place)
    inner *= np.asarray(pose.spacing_zyx_mm, np.float32)[:, None]
    depth: NDArray[np.float32] = inner.min(axis=0).reshape((pose.cube,) * 3)
    return depth


def candidate_cubes(
    array_zyx: NDArray[np.float32],
    *,
    center_zyx: ArrayLike,
    spacing_zyx_mm: Vector,
    magnifications_mm: Sequence[float],
    cube: int,
) -> NDArray[np.float32]:
    """Return the network's input [magnification, z, y, x] for one place, HU mapped to [0, 1].

    What lies beyond the array is air.
    """
    z, y, x = (float(v) for v in np.asarray(center_zyx, float))
    poses = (
        Pose(center_zyx=(z, y, x), spacing_zyx_mm=spacing_zyx_mm, pitch_mm=pitch, cube=cube)
        for pitch in magnifications_mm
    )
    return NETWORK_WINDOW.normalise(np.stack([take_cube(array_zyx, pose) for pose in poses]))
