"""The mask of a nodule, grown from a point inside it.

After Kuhnigk et al. 2006 (IEEE TMI 25:417): a threshold half-way between the nodule and its
surroundings; the chest wall cut off by the convex hull of the aerated lung nearby; vessels cut
off by an opening whose strength follows the nodule's own size. Shape is judged on a fine
isotropic grid; voxels are taken or left by their own, unsmoothed value on the source grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from nodule.geometry import Geometry, Vector, as_vector
from nodule.hu import NETWORK_WINDOW
from nodule.volume import Volume

Mask = NDArray[np.bool_]
Index = tuple[int, int, int]
Image = NDArray[np.float32]

_AERATED_BELOW_HU = -750.0  # parenchyma, not partial volume with a nodule or a vessel
_CUSTOMARY_LUNG_HU = -850.0  # where too little parenchyma is in sight
_SOFT_TISSUE_HU = 60.0  # calcium must not lift the threshold beyond soft tissue's edge
_LEAST_CONTRAST_HU = 80.0  # fainter than this nothing is told from parenchyma
_THRESHOLD_RANGE_HU = (-780.0, -250.0)
_AIR_BELOW_HU = -400.0
_LEAST_SAMPLES = 50
_HU_PER_MM2 = 20.0  # how much brighter a place must be to seed from afar
_REACH, _REACH_MM = 1.6, 1.5  # how far from its inscribed sphere's centre a nodule may extend
_FLAT, _ON_HULL = 1e-6, 1e-4  # voxels
_LARGE_MM, _LARGE_STEP = 20.0, 1.4  # large nodules need no fine grid


@dataclass(frozen=True, kw_only=True)
class GrowthRules:
    """How a mask is grown.

    Parameters
    ----------
    edge_fraction : where between parenchyma (0) and the nodule's core (1) its edge lies.
    opening_fraction : of the nodule's inscribed radius; what is thinner is cut as a vessel.
    smoothing_mm : standard deviation of the Gaussian under which shape is judged.
    grid_mm : voxel size of the isotropic grid on which shape is judged.
    """

    edge_fraction: float = 0.47
    opening_fraction: float = 0.45
    smoothing_mm: float = 0.5
    grid_mm: float = 0.7


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleMask:
    """A nodule on a part of its source grid.

    Parameters
    ----------
    array_zyx : bool, at least one voxel set.
    start_zyx : index of voxel (0, 0, 0) in the source.
    geometry : of the part.
    """

    array_zyx: Mask
    start_zyx: Index
    geometry: Geometry

    @property
    def volume_mm3(self) -> float:
        """Voxels times voxel volume."""
        return float(self.array_zyx.sum()) * self.geometry.voxel_volume_mm3

    @property
    def center_lps_mm(self) -> Vector:
        """The centroid."""
        return as_vector(self.geometry.index_to_lps(np.argwhere(self.array_zyx).mean(axis=0)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Patch:
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


def segment_nodule(
    volume: Volume, *, center_lps_mm: Vector, diameter_mm: float, rules: GrowthRules
) -> NoduleMask | None:
    """Grow a nodule's mask on the source grid.

    Parameters
    ----------
    volume : HU on its source grid, any spacing and direction.
    center_lps_mm : a point in the nodule or within about a third of its diameter from it.
    diameter_mm : a rough estimate of its size, which bounds the search.
    rules : how the mask is grown.

    Returns
    -------
    NoduleMask : or None where nothing stands out from its surroundings, or the point lies
        outside the scan.
    """
    if not volume.geometry.contains(center_lps_mm):
        return None
    patch = _fine_patch(volume, center_lps_mm, diameter_mm, rules.grid_mm)
    smooth = patch.smooth(rules.smoothing_mm)
    within = patch.distance_mm(patch.center) <= patch.radius_mm
    room = within & _lung_hull(within & (smooth <= _AIR_BELOW_HU))
    seed = _seed(patch, room, diameter_mm)
    edge_hu = _edge_hu(patch, smooth, room, seed, diameter_mm, rules.edge_fraction)
    if edge_hu is None:
        return None
    body = _component((smooth > edge_hu) & room, seed)
    support = _opened(body, patch, seed, diameter_mm, rules.opening_fraction) & room
    return _voxels(volume, patch, support, seed, edge_hu)


def _fine_patch(
    volume: Volume, center_lps_mm: Vector, diameter_mm: float, grid_mm: float
) -> _Patch:
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
    return _Patch(
        hu=hu,
        index_zyx=tuple(axes),
        center=(middle[0], middle[1], middle[2]),
        step_mm=step_mm,
        radius_mm=radius_mm,
    )


def _seed(patch: _Patch, room: Mask, diameter_mm: float) -> Index:
    """Return the brightest place near the point at the nodule's scale; near beats bright.

    It lies in the lung's hull, lest a nodule on the pleura be taken for the wall beneath.
    """
    distance_mm = patch.distance_mm(patch.center)
    near = distance_mm <= min(max(2.0, 0.3 * diameter_mm), 5.0)
    bright = patch.smooth(max(1.0, 0.15 * diameter_mm)) - _HU_PER_MM2 * distance_mm**2
    return _argmax(np.where(near & room if (near & room).any() else near, bright, -np.inf))


def _edge_hu(
    patch: _Patch, smooth: Image, room: Mask, seed: Index, diameter_mm: float, fraction: float
) -> float | None:
    if not room[seed]:
        return None
    core = (patch.distance_mm(seed) <= max(1.5, 0.2 * diameter_mm)) & room
    core_hu = min(float(np.median(smooth[core])), _SOFT_TISSUE_HU)
    aerated = patch.hu[patch.hu < _AERATED_BELOW_HU]
    lung_hu = float(np.median(aerated)) if aerated.size > _LEAST_SAMPLES else _CUSTOMARY_LUNG_HU
    if core_hu - lung_hu < _LEAST_CONTRAST_HU:
        return None
    edge_hu = float(np.clip(lung_hu + fraction * (core_hu - lung_hu), *_THRESHOLD_RANGE_HU))
    return edge_hu if smooth[seed] > edge_hu else None


def _lung_hull(air: Mask) -> Mask:
    """Return the convex hull of the largest air space, or everything where there is none.

    The costal pleura is convex seen from within, so what bulges into the lung from it lies inside
    the hull, and the wall outside.
    """
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


def _opened(body: Mask, patch: _Patch, seed: Index, diameter_mm: float, fraction: float) -> Mask:
    """Return where the nodule may lie: the body's thick part about the seed, grown back."""
    depth_mm = ndimage.distance_transform_edt(body) * patch.step_mm
    near = patch.distance_mm(seed) <= max(2.0, 0.3 * diameter_mm)
    middle = _argmax(np.where(near, depth_mm, 0.0))
    inscribed_mm = float(depth_mm[middle])
    thin_mm = fraction * inscribed_mm
    thick = _component(depth_mm >= thin_mm, middle)
    thick &= patch.distance_mm(middle) <= _REACH * inscribed_mm + _REACH_MM
    back_mm = ndimage.distance_transform_edt(~thick) * patch.step_mm
    return cast("Mask", back_mm <= thin_mm + patch.step_mm)


def _voxels(
    volume: Volume, patch: _Patch, support: Mask, seed: Index, edge_hu: float
) -> NoduleMask | None:
    """Take the source voxels in the support that are brighter than the edge, in one piece."""
    sizes = volume.geometry.shape_zyx
    start = [max(int(np.ceil(a[0])), 0) for a in patch.index_zyx]
    stop = [min(int(np.floor(a[-1])) + 1, n) for a, n in zip(patch.index_zyx, sizes, strict=True)]
    part = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    samples = [
        (np.arange(a, b) - axis[0]) / (axis[1] - axis[0])
        for a, b, axis in zip(start, stop, patch.index_zyx, strict=True)
    ]
    grid = np.meshgrid(*samples, indexing="ij")
    inside = ndimage.map_coordinates(support.astype(np.float32), grid, order=1) >= 0.5
    bright = (volume.array_zyx[part] > edge_hu) & inside
    if not bright.any():
        return None
    wanted = [axis[s] - o for axis, s, o in zip(patch.index_zyx, seed, start, strict=True)]
    mask = ndimage.binary_fill_holes(_component(bright, _nearest_set(bright, wanted)))
    return _cropped(mask, start, volume.geometry)


def _cropped(mask: Mask, start: list[int], geometry: Geometry) -> NoduleMask:
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    z, y, x = (o + s.start for o, s in zip(start, box, strict=True))
    array = np.ascontiguousarray(mask[box])
    part = Geometry(
        shape_zyx=cast("Index", array.shape),
        spacing_zyx_mm=geometry.spacing_zyx_mm,
        origin_lps_mm=as_vector(geometry.index_to_lps((z, y, x))),
        direction=geometry.direction,
    )
    return NoduleMask(array_zyx=array, start_zyx=(z, y, x), geometry=part)


def _component(mask: Mask, point: Index) -> Mask:
    """Return the connected part (by faces) that holds a point."""
    labels, _ = ndimage.label(mask)
    return cast("Mask", (labels == labels[point]) & mask)


def _nearest_set(mask: Mask, point: list[float]) -> Index:
    places = np.argwhere(mask)
    z, y, x = places[((places - np.asarray(point)) ** 2).sum(axis=1).argmin()]
    return int(z), int(y), int(x)


def _argmax(array: NDArray[np.floating]) -> Index:
    z, y, x = np.unravel_index(int(array.argmax()), array.shape)
    return int(z), int(y), int(x)
