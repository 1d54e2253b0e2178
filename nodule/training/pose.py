"""Turned, scaled and shifted looks at a scan: how a training patch is cut in one interpolation.

Points are in the scan's own *index millimetres*: voxel index times spacing, axes zyx. Where the
scan lies in the patient does not matter to training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from nodule.geometry import Matrix, Vector, as_matrix, as_vector

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True)
class View:
    """A cubic patch with voxels of about 1 mm, laid into a scan.

    Parameters
    ----------
    size : voxels along each axis of the patch.
    center_mm : the point of the scan, index mm zyx, on which the patch is centred.
    turn : 3x3; its product with a step in patch voxels is the step in the scan, mm zyx.
    """

    size: int
    center_mm: Vector
    turn: Matrix

    @property
    def scale(self) -> float:
        """Millimetres of the scan that one voxel of the patch shows."""
        return float(abs(np.linalg.det(np.asarray(self.turn))) ** (1 / 3))

    def to_scan(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map patch voxels, shape (..., 3) zyx, to index mm."""
        steps = np.asarray(points, float) - self._middle
        return np.asarray(steps @ np.asarray(self.turn).T + self.center_mm, dtype=np.float64)

    def to_patch(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Map index mm, shape (..., 3) zyx, to fractional patch voxels."""
        steps = np.asarray(points_mm, float) - self.center_mm
        inverse = np.linalg.inv(np.asarray(self.turn))
        return np.asarray(steps @ inverse.T + self._middle, dtype=np.float64)

    def cut(
        self, array_zyx: NDArray[Any], *, spacing_zyx_mm: Vector, outside: float, mode: str
    ) -> NDArray[np.float32]:
        """Interpolate the patch linearly.

        Parameters
        ----------
        array_zyx : any real type.
        outside : value beyond the scan for the modes that are constant there.
        mode : of ``scipy.ndimage.affine_transform``.

        Returns
        -------
        NDArray : float32, shape (size, size, size).
        """
        spacing = np.asarray(spacing_zyx_mm)
        patch = ndimage.affine_transform(
            array_zyx,
            np.asarray(self.turn) / spacing[:, None],
            offset=self.to_scan((0.0, 0.0, 0.0)) / spacing,
            output_shape=(self.size,) * 3,
            output=np.float32,
            order=1,
            mode=mode,
            cval=outside,
        )
        return np.asarray(patch, dtype=np.float32)

    @property
    def _middle(self) -> float:
        return (self.size - 1) / 2


def draw_turn(rng: Generator, *, scale: tuple[float, float], tilt_deg: float = 0.0) -> Matrix:
    """Draw a rotation, flips of any axis and a scale, log-uniform in a range.

    Parameters
    ----------
    tilt_deg : standard deviation of the turns about x and y. They are kept small, since scans
        are coarser along z; the turn about z is free.
    """
    about_z = rng.uniform(0.0, 360.0)
    tilt_y, tilt_x = rng.normal(0.0, tilt_deg, size=2)
    # axes of a zyx index: its first coordinate is z
    rotation = Rotation.from_euler("xyz", [about_z, tilt_y, tilt_x], degrees=True).as_matrix()
    flips = rng.choice([-1.0, 1.0], size=3)
    size = np.exp(rng.uniform(*np.log(scale)))
    return as_matrix(rotation * flips * size)


def centered(center_mm: ArrayLike, *, size: int, turn: Matrix) -> View:
    """Return the view of a size that is centred on a point, index mm zyx."""
    return View(size=size, center_mm=as_vector(center_mm), turn=turn)
