"""Ground for growing a nodule: a fine isotropic patch about it, and the lung's hull in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.geometry import Vector
from nodule.hu import NETWORK_WINDOW
from nodule.volume import Volume

Mask = NDArray[np.bool_]
Image = NDArray[np.float32]
Index = tuple[int, int, int]

_LARGE_MM, _LARGE_STEP = 20.0, 1.4  # large nodules need no fine grid
_FLAT, _ON_HULL = 1e-6, 1e-4  # voxels


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """An isotropic resampling about a point, along the source's own index axes.

    ``index_zyx`` holds, per axis, the source indices of the samples.
    """

    hu: Image
    index_zyx: tuple[NDArray[np.float64], ...]
    center: Index
    step_mm: float
    radius_mm: float

    def distance_mm(self, point: Index) -> NDArray[np.float64]:
        """Return each sample's distance from one of them."""
        axes = np.ogrid[tuple(slice(n) for n in self.hu.shape)]
        squares = sum(((a - p) * self.step_mm) ** 2 for a, p in zip(axes, point, strict=True))
        return cast("NDArray[np.float64]", np.sqrt(squares))

    def smooth(self, sigma_mm: float) -> Image:
        """Return the patch under a Gaussian."""
        return cast("Image", ndimage.gaussian_filter(self.hu, sigma_mm / self.step_mm))


def fine_patch(volume: Volume, center_lps_mm: Vector, diameter_mm: float, grid_mm: float) -> Patch:
    """Resample what lies about a point, LPS mm, linearly and clipped to the networks' window.

    ``diameter_mm`` is the nodule's likely size, which decides how far the patch reaches.
    """
    step_mm = grid_mm if diameter_mm < _LARGE_MM else grid_mm * _LARGE_STEP
    radius_mm = min(max(1.2 * diameter_mm, 8.0) + 4.0, 34.0)
    reach = int(np.ceil(radius_mm / step_mm))
    center = volume.geometry.lps_to_index(center_lps_mm)
    offsets_mm = np.arange(-reach, reach + 1) * step_mm
    axes, middle = [], []
    for c, spacing, size in zip(
        center, volume.geometry.spacing_zyx_mm, volume.geometry.shape_zyx, strict=True
    ):
        index = c + offsets_mm / spacing
        inside = (index >= -0.5) & (index <= size - 0.5)
        axes.append(index[inside])
        middle.append(int(reach - np.flatnonzero(inside)[0]))
    low = [max(int(np.floor(a[0])), 0) for a in axes]
    high = [int(np.ceil(a[-1])) + 1 for a in axes]
    part = volume.array_zyx[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    grid = np.meshgrid(*[a - o for a, o in zip(axes, low, strict=True)], indexing="ij")
    hu = ndimage.map_coordinates(NETWORK_WINDOW.clip(part), grid, order=1, mode="nearest")
    return Patch(
        hu=hu,
        index_zyx=tuple(axes),
        center=(middle[0], middle[1], middle[2]),
        step_mm=step_mm,
        radius_mm=radius_mm,
    )


def lung_hull(air: Mask) -> Mask:
    """Return the convex hull of the largest air space, or everything where there is none.

    The costal pleura is convex seen from within, so what bulges into the lung from it lies inside
    the hull, and the wall outside.
    """
    from scipy.spatial import ConvexHull, QhullError

    everything = np.ones_like(air)
    labels, count = ndimage.label(air)
    if count == 0:
        return everything
    lung = labels == 1 + np.bincount(labels.ravel())[1:].argmax()
    rim = np.argwhere(lung & ~ndimage.binary_erosion(lung))
    try:
        planes = np.unique(np.round(ConvexHull(rim).equations, 6), axis=0)
    except QhullError:  # a flat sheet of air has no hull
        return everything
    return _fill_hull(planes, air.shape)


def _fill_hull(planes: NDArray[np.float64], shape: tuple[int, ...]) -> Mask:
    """Return the voxels on the inner side of every plane ``a z + b y + c x + d <= 0``.

    Along x a convex body is one interval, whose ends follow from the planes that face either way.
    """
    columns = np.arange(shape[2])
    slope = planes[:, 2]
    rising, falling = slope > _FLAT, slope < -_FLAT
    hull = np.zeros(shape, dtype=np.bool_)
    for z in range(shape[0]):
        rest = planes[:, 0] * z + planes[:, 3] + np.outer(np.arange(shape[1]), planes[:, 1])
        flat = np.all(rest[:, ~(rising | falling)] <= _ON_HULL, axis=1, keepdims=True)
        last = (-rest[:, rising] / slope[rising]).min(axis=1) + _ON_HULL
        first = (-rest[:, falling] / slope[falling]).max(axis=1) - _ON_HULL
        hull[z] = flat & (columns >= first[:, None]) & (columns <= last[:, None])
    return hull


def component(mask: Mask, point: Index) -> Mask:
    """Return the connected part (by faces) that holds a point."""
    labels, _ = ndimage.label(mask)
    return cast("Mask", (labels == labels[point]) & mask)


def argmax(array: NDArray[np.floating]) -> Index:
    """Return where an array is greatest."""
    z, y, x = np.unravel_index(int(array.argmax()), array.shape)
    return int(z), int(y), int(x)
