"""The mask of a nodule, grown from a point inside it.

After Kuhnigk et al. 2006 (IEEE TMI 25:417): a threshold half-way between the nodule and its
surroundings; the chest wall cut off by the convex hull of the aerated lung nearby; vessels cut
off by an opening whose strength follows the nodule's own size. Shape is judged on a fine
isotropic grid; voxels are taken or left by their own, unsmoothed value on the source grid. A
second look corrects the threshold: down to the ground glass round a solid core, up where the
whole body is calcified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy import ndimage

from nodule.findings import Texture
from nodule.geometry import Geometry, Vector, as_vector
from nodule.measure.patch import Image, Index, Mask, Patch, argmax, component, fine_patch, lung_hull
from nodule.volume import Volume

_AERATED_BELOW_HU = -750.0  # parenchyma, not partial volume with a nodule or a vessel
_CUSTOMARY_LUNG_HU = -850.0  # where too little parenchyma is in sight
_SOFT_TISSUE_HU = 60.0  # a bright spot must not lift the edge; a bright body may
_LEAST_CONTRAST_HU = 80.0  # fainter than this nothing is told from parenchyma
_EDGE_RANGE_HU = (-780.0, -100.0)
_GROUND_GLASS_HU = -300.0  # fainter is not solid
_CALCIFIED_HU = 200.0  # Fleischner Society: denser than any soft tissue
_HALO_CONTRAST_HU = 170.0
_SHELL_MM = (1.2, 2.4)
_AIR_BELOW_HU = -400.0
_LEAST_SAMPLES = 50
_HU_PER_MM2 = 20.0  # how much brighter a place must be to seed from afar
_REACH, _REACH_MM = 1.6, 1.5  # how far from its inscribed sphere's centre a nodule may extend


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
    texture : what the nodule is made of.
    """

    array_zyx: Mask
    start_zyx: Index
    geometry: Geometry
    texture: Texture

    @property
    def volume_mm3(self) -> float:
        """Voxels times voxel volume."""
        return float(self.array_zyx.sum()) * self.geometry.voxel_volume_mm3

    @property
    def center_lps_mm(self) -> Vector:
        """The centroid."""
        return as_vector(self.geometry.index_to_lps(np.argwhere(self.array_zyx).mean(axis=0)))


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
    scene = _look(volume, center_lps_mm, diameter_mm, rules)
    edge_hu = scene.first_edge_hu()
    if edge_hu is None:
        return None
    body, support = scene.grow(edge_hu)
    core_hu, halo_hu = scene.core_hu(body), scene.halo_hu(body)
    texture: Texture = "solid" if core_hu > _GROUND_GLASS_HU else "ground-glass"
    if core_hu > _CALCIFIED_HU:
        texture, edge_hu = "calcified", scene.edge_hu(core_hu)
        _, support = scene.grow(edge_hu)
    elif halo_hu is not None and scene.edge_hu(halo_hu) < edge_hu:
        wider, wider_support = scene.grow(scene.edge_hu(halo_hu))
        # lung must return beyond the ground glass, and within sight
        if scene.halo_hu(wider) is None and not scene.at_rim(wider):
            texture, edge_hu, support = "part-solid", scene.edge_hu(halo_hu), wider_support
    return _voxels(volume, scene.patch, support, scene.seed, edge_hu, texture)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scene:
    """A patch and what has been made out in it.

    ``room`` is where a nodule may lie, ``lung_hu`` the parenchyma's level.
    """

    patch: Patch
    smooth: Image
    room: Mask
    seed: Index
    diameter_mm: float
    lung_hu: float
    rules: GrowthRules

    def first_edge_hu(self) -> float | None:
        """Return the edge's level by the HU about the seed, None where nothing stands out."""
        if not self.room[self.seed]:
            return None
        near_mm = max(1.5, 0.2 * self.diameter_mm)
        core = (self.patch.distance_mm(self.seed) <= near_mm) & self.room
        core_hu = min(float(np.median(self.smooth[core])), _SOFT_TISSUE_HU)
        if core_hu - self.lung_hu < _LEAST_CONTRAST_HU:
            return None
        edge_hu = self.edge_hu(core_hu)
        return edge_hu if self.smooth[self.seed] > edge_hu else None

    def edge_hu(self, inner_hu: float) -> float:
        """Return the level between parenchyma and what lies within the edge."""
        level_hu = self.lung_hu + self.rules.edge_fraction * (inner_hu - self.lung_hu)
        return float(np.clip(level_hu, *_EDGE_RANGE_HU))

    def grow(self, edge_hu: float) -> tuple[Mask, Mask]:
        """Return the nodule on the fine grid, and where its voxels may lie."""
        body = component((self.smooth > edge_hu) & self.room, self.seed)
        support = _opened(
            body, self.patch, self.seed, self.diameter_mm, self.rules.opening_fraction
        )
        support &= self.room
        return body & support, support

    def core_hu(self, body: Mask) -> float:
        """Return the median of a body's inner half, by depth."""
        depth = ndimage.distance_transform_edt(body)
        return float(np.median(self.patch.hu[depth >= 0.5 * depth.max()]))

    def halo_hu(self, body: Mask) -> float | None:
        """Return the level of ground glass all round a body, None where there is none.

        The shell begins beyond the blur of the body's own edge. Vessels and wall fill a part of
        it at most, so that the faint third of it tells.
        """
        away_mm = ndimage.distance_transform_edt(~body) * self.patch.step_mm
        shell = self.patch.hu[(away_mm > _SHELL_MM[0]) & (away_mm <= _SHELL_MM[1]) & self.room]
        if shell.size < _LEAST_SAMPLES:
            return None
        faint_hu, middle_hu = np.percentile(shell, [35.0, 50.0])
        found = faint_hu - self.lung_hu > _HALO_CONTRAST_HU and middle_hu < _GROUND_GLASS_HU
        return float(middle_hu) if found else None

    def at_rim(self, body: Mask) -> bool:
        """Whether a body reaches the end of what the patch shows."""
        rim = self.patch.distance_mm(self.patch.center) > self.patch.radius_mm - _SHELL_MM[1]
        return bool((body & rim).any())


def _look(volume: Volume, center_lps_mm: Vector, diameter_mm: float, rules: GrowthRules) -> _Scene:
    patch = fine_patch(volume, center_lps_mm, diameter_mm, rules.grid_mm)
    smooth = patch.smooth(rules.smoothing_mm)
    within = patch.distance_mm(patch.center) <= patch.radius_mm
    room = within & lung_hull(within & (smooth <= _AIR_BELOW_HU))
    aerated = patch.hu[patch.hu < _AERATED_BELOW_HU]
    enough = aerated.size > _LEAST_SAMPLES
    return _Scene(
        patch=patch,
        smooth=smooth,
        room=room,
        seed=_seed(patch, room, diameter_mm),
        diameter_mm=diameter_mm,
        lung_hu=float(np.median(aerated)) if enough else _CUSTOMARY_LUNG_HU,
        rules=rules,
    )


def _seed(patch: Patch, room: Mask, diameter_mm: float) -> Index:
    """Return the brightest place near the point at the nodule's scale; near beats bright.

    It lies in the lung's hull, lest a nodule on the pleura be taken for the wall beneath.
    """
    distance_mm = patch.distance_mm(patch.center)
    near = distance_mm <= min(max(2.0, 0.3 * diameter_mm), 5.0)
    bright = patch.smooth(max(1.0, 0.15 * diameter_mm)) - _HU_PER_MM2 * distance_mm**2
    return argmax(np.where(near & room if (near & room).any() else near, bright, -np.inf))


def _opened(body: Mask, patch: Patch, seed: Index, diameter_mm: float, fraction: float) -> Mask:
    """Return where the nodule may lie: the body's thick part about the seed, grown back."""
    depth_mm = ndimage.distance_transform_edt(body) * patch.step_mm
    near = patch.distance_mm(seed) <= max(2.0, 0.3 * diameter_mm)
    middle = argmax(np.where(near, depth_mm, 0.0))
    inscribed_mm = float(depth_mm[middle])
    thin_mm = fraction * inscribed_mm
    thick = component(depth_mm >= thin_mm, middle)
    thick &= patch.distance_mm(middle) <= _REACH * inscribed_mm + _REACH_MM
    back_mm = ndimage.distance_transform_edt(~thick) * patch.step_mm
    return cast("Mask", back_mm <= thin_mm + patch.step_mm)


def _voxels(
    volume: Volume, patch: Patch, support: Mask, seed: Index, edge_hu: float, texture: Texture
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
    mask = ndimage.binary_fill_holes(component(bright, _nearest_set(bright, wanted)))
    return _cropped(mask, start, volume.geometry, texture)


def _cropped(mask: Mask, start: list[int], geometry: Geometry, texture: Texture) -> NoduleMask:
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    z, y, x = (o + s.start for o, s in zip(start, box, strict=True))
    array = np.ascontiguousarray(mask[box])
    part = Geometry(
        shape_zyx=cast("Index", array.shape),
        spacing_zyx_mm=geometry.spacing_zyx_mm,
        origin_lps_mm=as_vector(geometry.index_to_lps((z, y, x))),
        direction=geometry.direction,
    )
    return NoduleMask(array_zyx=array, start_zyx=(z, y, x), geometry=part, texture=texture)


def _nearest_set(mask: Mask, point: list[float]) -> Index:
    places = np.argwhere(mask)
    z, y, x = places[((places - np.asarray(point)) ** 2).sum(axis=1).argmin()]
    return int(z), int(y), int(x)
