"""Where voxels lie: index ``zyx`` to patient millimetres and back.

World coordinates are DICOM LPS (+x left, +y posterior, +z head) in millimetres. An index
addresses a voxel's centre. RAS is met only at the borders, through :func:`lps_to_ras`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodule.errors import GeometryError

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

AXIAL_DIRECTION: Matrix = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
_ORTHONORMAL_TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """A regular voxel grid in patient space.

    Parameters
    ----------
    shape_zyx : number of voxels along each index axis.
    spacing_zyx_mm : distance of neighbouring voxel centres along each index axis.
    origin_lps_mm : LPS position of the centre of voxel (0, 0, 0).
    direction : 3x3, row-major; column k is the LPS unit vector of index axis k (z, y, x).
        ``AXIAL_DIRECTION`` is z to the head, y to the back, x to the left.

    Raises
    ------
    GeometryError : ``BAD_SHAPE``, ``BAD_SPACING``, ``BAD_ORIGIN`` or ``BAD_DIRECTION``.
    """

    shape_zyx: tuple[int, int, int]
    spacing_zyx_mm: Vector
    origin_lps_mm: Vector = (0.0, 0.0, 0.0)
    direction: Matrix = AXIAL_DIRECTION

    def __post_init__(self) -> None:
        if len(self.shape_zyx) != 3 or min(self.shape_zyx) < 1:
            self._refuse("BAD_SHAPE", "three positive sizes", self.shape_zyx)
        spacing = np.asarray(self.spacing_zyx_mm, float)
        if spacing.shape != (3,) or not np.isfinite(spacing).all() or spacing.min() <= 0:
            self._refuse("BAD_SPACING", "three positive lengths", self.spacing_zyx_mm)
        if not np.isfinite(np.asarray(self.origin_lps_mm, float)).all():
            self._refuse("BAD_ORIGIN", "three finite coordinates", self.origin_lps_mm)
        d = np.asarray(self.direction, float)
        if d.shape != (3, 3) or not np.allclose(d.T @ d, np.eye(3), atol=_ORTHONORMAL_TOLERANCE):
            self._refuse("BAD_DIRECTION", "an orthonormal 3x3 matrix", self.direction)

    @staticmethod
    def _refuse(code: str, expected: str, got: object) -> None:
        raise GeometryError(
            "the geometry is not a valid voxel grid", code=code, expected=expected, got=got
        )

    @classmethod
    def from_affine(cls, affine: ArrayLike, *, shape_zyx: tuple[int, int, int]) -> Geometry:
        """Build from a 4x4 affine that maps a zyx index to LPS mm.

        Raises
        ------
        GeometryError : as the constructor; a sheared affine is ``BAD_DIRECTION``.
        """
        m = np.asarray(affine, float)
        spacing = np.linalg.norm(m[:3, :3], axis=0)
        if not np.isfinite(spacing).all() or spacing.min() <= 0:
            cls._refuse("BAD_SPACING", "three positive lengths", tuple(spacing.tolist()))
        return cls(
            shape_zyx=shape_zyx,
            spacing_zyx_mm=as_vector(spacing),
            origin_lps_mm=as_vector(m[:3, 3]),
            direction=as_matrix(m[:3, :3] / spacing),
        )

    @property
    def affine(self) -> NDArray[np.float64]:
        """4x4 matrix that maps homogeneous index zyx to LPS mm."""
        m = np.eye(4)
        m[:3, :3] = np.asarray(self.direction) * np.asarray(self.spacing_zyx_mm)
        m[:3, 3] = self.origin_lps_mm
        return m

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        return float(np.prod(self.spacing_zyx_mm))

    def index_to_lps(self, index_zyx: ArrayLike) -> NDArray[np.float64]:
        """Map (fractional) indices, shape (..., 3) zyx, to LPS mm, shape (..., 3) xyz."""
        m = self.affine
        lps_mm = np.asarray(index_zyx, float) @ m[:3, :3].T + m[:3, 3]
        return np.asarray(lps_mm, dtype=np.float64)

    def lps_to_index(self, lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Map LPS mm, shape (..., 3) xyz, to fractional indices, shape (..., 3) zyx."""
        offset = np.asarray(lps_mm, float) - np.asarray(self.origin_lps_mm)
        inverse = np.linalg.inv(self.affine[:3, :3])
        return np.asarray(offset @ inverse.T, dtype=np.float64)

    def contains(self, lps_mm: ArrayLike) -> bool:
        """Whether a point lies inside the grid, voxel borders (half a voxel) included."""
        index = self.lps_to_index(lps_mm)
        return bool(np.all(index >= -0.5) and np.all(index < np.asarray(self.shape_zyx) - 0.5))

    def corners_lps_mm(self) -> NDArray[np.float64]:
        """LPS positions of the eight corner voxels' centres, shape (8, 3)."""
        ends = [(0, n - 1) for n in self.shape_zyx]
        return self.index_to_lps(list(itertools.product(*ends)))

    def is_close(self, other: Geometry, *, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have one shape and place every voxel within the tolerance."""
        if self.shape_zyx != other.shape_zyx:
            return False
        gap = self.corners_lps_mm() - other.corners_lps_mm()
        return bool(np.abs(gap).max() <= tolerance_mm)


def lps_to_ras(points_mm: ArrayLike) -> NDArray[np.float64]:
    """Turn LPS into RAS or RAS into LPS (the map is its own inverse), shape (..., 3), mm."""
    flipped = np.asarray(points_mm, float) * np.array([-1.0, -1.0, 1.0])
    return np.asarray(flipped, dtype=np.float64)


def as_vector(values: ArrayLike) -> Vector:
    """Return three numbers as a tuple of Python floats."""
    x, y, z = (float(v) for v in np.asarray(values, float))
    return x, y, z


def as_matrix(values: ArrayLike) -> Matrix:
    """Return a 3x3 array as nested tuples, row-major."""
    a, b, c = (as_vector(row) for row in np.asarray(values, float))
    return a, b, c
