"""Where and how a patch lies in an array: the one way in which any network's patch is cut.

Points are in the array's *index millimetres*: voxel index times spacing, axes zyx. Where the array
lies in the patient does not matter here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from nodule.geometry import Matrix, Vector


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box from ``low_mm`` to ``high_mm``, index mm zyx."""

    low_mm: Vector
    high_mm: Vector

    @classmethod
    def whole(cls, shape_zyx: tuple[int, ...], spacing_zyx_mm: Vector) -> Box:
        """Return all of a grid; slices and pixels are as thick as they are apart."""
        (depth, rows, columns), (dz, dy, dx) = shape_zyx, spacing_zyx_mm
        return cls(
            low_mm=(-dz / 2, -dy / 2, -dx / 2),
            high_mm=((depth - 0.5) * dz, (rows - 0.5) * dy, (columns - 0.5) * dx),
        )

    def depth_mm(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Return how far points [..., zyx] lie inside, along each axis, negative outside."""
        points = np.asarray(points_mm)
        depth = np.minimum(points - np.asarray(self.low_mm), np.asarray(self.high_mm) - points)
        return np.asarray(depth, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class PatchPose:
    """A patch of some voxels in an array, turned, scaled and mirrored as may be.

    Parameters
    ----------
    shape_zyx : voxels of the patch.
    center_zyx : (fractional) index of its centre in the array.
    spacing_zyx_mm : of the array's voxels.
    turn : 3x3; its product with a step in patch voxels is the step in the array, mm zyx.
    """

    shape_zyx: tuple[int, int, int]
    center_zyx: Vector
    spacing_zyx_mm: Vector
    turn: Matrix

    @property
    def voxel_mm(self) -> float:
        """Edge of a patch's voxel in the array, mm: the geometric mean over its axes."""
        return float(abs(np.linalg.det(np.asarray(self.turn))) ** (1 / 3))

    def to_array_mm(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map patch voxels, shape (..., 3) zyx, to index mm."""
        steps = np.asarray(points, float) - self._middle
        return np.asarray(steps @ np.asarray(self.turn).T + self._center_mm, dtype=np.float64)

    def to_patch(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Map index mm, shape (..., 3) zyx, to fractional patch voxels."""
        steps = np.asarray(points_mm, float) - self._center_mm
        inverse = np.linalg.inv(np.asarray(self.turn))
        return np.asarray(steps @ inverse.T + self._middle, dtype=np.float64)

    def cut(self, array_zyx: NDArray[Any], *, outside: float | None) -> NDArray[np.float32]:
        """Interpolate the patch linearly.

        Parameters
        ----------
        array_zyx : any real quantity.
        outside : the value beyond the array; None goes on with the nearest voxel's.

        Returns
        -------
        NDArray : float32, shape ``shape_zyx``.
        """
        matrix, offset = self._map()
        patch: NDArray[np.float32] = ndimage.affine_transform(
            array_zyx,
            matrix,
            offset=offset,
            output_shape=self.shape_zyx,
            output=np.float32,
            order=1,
            mode="nearest" if outside is None else "grid-constant",
            cval=0.0 if outside is None else outside,
            prefilter=False,
        )
        return patch

    def depth_mm(self, box: Box) -> NDArray[np.float32]:
        """Return how far each voxel of the patch lies inside a box, mm, negative outside."""
        index = np.indices(self.shape_zyx, dtype=np.float32).reshape(3, -1)
        turn = np.asarray(self.turn, np.float32)
        first_mm = self.to_array_mm((0.0, 0.0, 0.0)).astype(np.float32)
        place = turn @ index + first_mm[:, None]
        low, high = (np.asarray(c, np.float32)[:, None] for c in (box.low_mm, box.high_mm))
        depth: NDArray[np.float32] = np.minimum(place - low, high - place).min(axis=0)
        return depth.reshape(self.shape_zyx)

    def _map(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return matrix and offset that take a patch's index to the array's."""
        matrix = np.asarray(self.turn) / np.asarray(self.spacing_zyx_mm)[:, None]
        return matrix, np.asarray(self.center_zyx) - matrix @ self._middle

    @property
    def _middle(self) -> NDArray[np.float64]:
        return (np.asarray(self.shape_zyx, np.float64) - 1) / 2

    @property
    def _center_mm(self) -> NDArray[np.float64]:
        return np.multiply(self.center_zyx, self.spacing_zyx_mm, dtype=np.float64)
