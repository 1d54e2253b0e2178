"""Smooth scalar fields: computed on a coarse grid, read at any resolution.

Organs are described by signed distances in mm (negative inside). Distances are smooth, so 3 mm
sampling loses nothing that the eye sees, and a plane of any pixel size follows from two sparse
matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.sparse import csr_array

Array = NDArray[np.float32]

STEP_MM = 3.0
_MARGIN_MM = 4 * STEP_MM


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """A coarse axis-aligned grid.

    Parameters
    ----------
    x_mm, y_mm, z_mm : ascending LPS coordinates of its samples, ``STEP_MM`` apart.
    """

    x_mm: Array
    y_mm: Array
    z_mm: Array

    @classmethod
    def around(cls, low_lps_mm: ArrayLike, high_lps_mm: ArrayLike) -> Grid:
        """Cover a box of LPS mm and a margin."""
        axes = [
            np.arange(low - _MARGIN_MM, high + _MARGIN_MM + STEP_MM, STEP_MM, dtype=np.float32)
            for low, high in zip(np.asarray(low_lps_mm), np.asarray(high_lps_mm), strict=True)
        ]
        return cls(x_mm=axes[0], y_mm=axes[1], z_mm=axes[2])

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Number of samples per axis."""
        return self.z_mm.size, self.y_mm.size, self.x_mm.size

    def mesh(self) -> tuple[Array, Array, Array]:
        """Coordinates x, y, z in mm that broadcast to ``shape_zyx``."""
        return (
            self.x_mm[None, None, :],
            self.y_mm[None, :, None],
            self.z_mm[:, None, None],
        )

    def index_of(self, points_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Fractional indices, shape (3, n) zyx, of points, shape (n, 3) xyz in mm."""
        points = np.asarray(points_lps_mm, float).reshape(-1, 3)
        low = np.array([self.x_mm[0], self.y_mm[0], self.z_mm[0]])
        return np.asarray(((points - low) / STEP_MM).T[::-1])


@dataclass(frozen=True, kw_only=True, eq=False)
class Fields:
    """Named fields on one grid, each float32 of the grid's shape."""

    grid: Grid
    arrays: dict[str, Array]

    def at(self, name: str, points_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Linear interpolation at points, shape (n, 3) xyz in mm."""
        values = map_coordinates(
            self.arrays[name], self.grid.index_of(points_lps_mm), order=1, mode="nearest"
        )
        return np.asarray(values, dtype=np.float64)


class PlaneReader:
    """Reads axial planes of fields on a pixel grid.

    Parameters
    ----------
    fields : what to read.
    x_mm, y_mm : pixel centres, LPS.
    """

    def __init__(self, fields: Fields, *, x_mm: Array, y_mm: Array) -> None:
        self._fields = fields
        self._across = _cubic_weights(fields.grid.x_mm, x_mm)
        self._down = _cubic_weights(fields.grid.y_mm, y_mm)

    def read(self, name: str, z_mm: float) -> Array:
        """Return a field at a height, shape (rows, columns), float32."""
        z_axis = self._fields.grid.z_mm
        position = float(np.clip((z_mm - z_axis[0]) / STEP_MM, 0, z_axis.size - 1.001))
        k, share = int(position), np.float32(position % 1.0)
        array = self._fields.arrays[name]
        plane = array[k] + share * (array[k + 1] - array[k])
        rows = np.ascontiguousarray((self._across @ plane.T).T)
        return np.asarray(self._down @ rows, dtype=np.float32)


def _cubic_weights(samples_mm: Array, wanted_mm: Array) -> csr_array:
    """Catmull-Rom weights, four to a row, shape (wanted, samples)."""
    position = np.clip((wanted_mm - samples_mm[0]) / STEP_MM, 1, samples_mm.size - 2.001)
    k = position.astype(int)
    t = (position - k).astype(np.float64)
    taps = (
        0.5 * (-t + 2 * t**2 - t**3),
        0.5 * (2 - 5 * t**2 + 3 * t**3),
        0.5 * (t + 4 * t**2 - 3 * t**3),
        0.5 * (-(t**2) + t**3),
    )
    columns = k[:, None] + np.arange(-1, 3)
    return csr_array(
        (
            np.stack(taps, axis=1).astype(np.float32).ravel(),
            columns.ravel(),
            np.arange(0, 4 * wanted_mm.size + 1, 4),
        ),
        shape=(wanted_mm.size, samples_mm.size),
    )


def smooth_min(first: Array, second: Array, *, radius_mm: float) -> Array:
    """Union of two signed distances with the groove between them filled."""
    overlap = np.clip(0.5 + 0.5 * (second - first) / radius_mm, 0, 1)
    blend = second + overlap * (first - second)
    return np.asarray(blend - radius_mm * overlap * (1 - overlap), dtype=np.float32)


def smooth_max(first: Array, second: Array, *, radius_mm: float) -> Array:
    """Intersection of two signed distances with its edge rounded."""
    return -smooth_min(-first, -second, radius_mm=radius_mm)


def as_distance(level: Array) -> Array:
    """Scale a level-set function so that it is a distance in mm close to its zero."""
    gradient = np.gradient(level, STEP_MM)
    slope = np.sqrt(sum(g * g for g in gradient))
    return np.asarray(level / np.maximum(slope, 1e-3), dtype=np.float32)


def random_field(grid: Grid, rng: np.random.Generator, *, correlation_mm: float) -> Array:
    """Gaussian noise of unit variance with a correlation length."""
    white = rng.standard_normal(grid.shape_zyx, dtype=np.float32)
    smooth = gaussian_filter(white, correlation_mm / STEP_MM, truncate=2.5)
    return np.asarray(smooth / smooth.std(), dtype=np.float32)
