"""Where in the lungs a nodule lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.geometry import Vector
from nodule.masks import NoduleMask
from nodule.nodules import Lung, LungZone
from nodule.volume import LungMask

_LABELS: dict[Lung, int] = {"right": LungMask.RIGHT, "left": LungMask.LEFT}
_DEEPEST_MM = 40.0  # lungs are hardly deeper
_BETWEEN_CENTRES = 0.5  # the surface runs half-way between a lung voxel and its neighbour


def nearest_lung(lungs: LungMask, point_lps_mm: Vector, *, margin_mm: float) -> Lung | None:
    """Return the lung nearest to a point, LPS mm, or None beyond the margin."""
    geometry = lungs.geometry
    center = geometry.lps_to_index(point_lps_mm)
    reach = margin_mm / np.asarray(geometry.spacing_zyx_mm) + 1
    low = np.clip(np.floor(center - reach), 0, geometry.shape_zyx).astype(int)
    high = np.clip(np.ceil(center + reach) + 1, 0, geometry.shape_zyx).astype(int)
    part = lungs.labels_zyx[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    places = np.argwhere(part)
    if not len(places):
        return None
    offsets_mm = (places + low - center) * np.asarray(geometry.spacing_zyx_mm)
    distances_mm = np.linalg.norm(offsets_mm, axis=1)
    nearest = int(distances_mm.argmin())
    if distances_mm[nearest] > margin_mm:
        return None
    return "right" if part[tuple(places[nearest])] == LungMask.RIGHT else "left"


def lung_zone(lungs: LungMask, side: Lung, point_lps_mm: Vector) -> LungZone | None:
    """Return the third of a lung's height in which a point lies, None where there is no lung.

    Parameters
    ----------
    lungs : on a grid whose index z runs along the body (see :mod:`nodule.resample`).
    """
    filled = np.flatnonzero((lungs.labels_zyx == _LABELS[side]).any(axis=(1, 2)))
    if not len(filled):
        return None
    ends = lungs.geometry.index_to_lps([(filled[0], 0, 0), (filled[-1], 0, 0)])[:, 2]
    height = (point_lps_mm[2] - ends.min()) / max(float(np.ptp(ends)), 1.0)
    if height < 1 / 3:
        return "lower"
    return "middle" if height < 2 / 3 else "upper"


def pleura_distance_mm(lungs: LungMask, side: Lung, mask: NoduleMask) -> float:
    """Return the distance from a nodule to the surface of its lung, 0 where they touch.

    The nodule counts as lung, and so do holes that the lung mask leaves at vessels. Distances
    above some 40 mm are lower bounds.
    """
    geometry = lungs.geometry
    spacing_mm = np.asarray(geometry.spacing_zyx_mm)
    inside = mask.geometry.index_to_lps(np.argwhere(mask.array_zyx))
    places = geometry.lps_to_index(inside)
    reach = _DEEPEST_MM / spacing_mm
    low = np.clip(np.floor(places.min(axis=0) - reach), 0, geometry.shape_zyx).astype(int)
    high = np.clip(np.ceil(places.max(axis=0) + reach) + 1, 0, geometry.shape_zyx).astype(int)
    part = lungs.labels_zyx[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    lung = ndimage.binary_fill_holes(part == _LABELS[side])
    depth_mm = ndimage.distance_transform_edt(lung, sampling=spacing_mm)
    nearest_mm = float(_at(depth_mm, places - low).min())
    return max(0.0, nearest_mm - _BETWEEN_CENTRES * float(spacing_mm.min()))


def _at(array: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read an array at fractional indices, 0 outside."""
    values = ndimage.map_coordinates(array, places.T, order=1, mode="constant", cval=0.0)
    return np.asarray(values, dtype=np.float64)
