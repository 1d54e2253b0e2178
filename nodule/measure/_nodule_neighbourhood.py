"""What is made out about a point: a nodule's body, its core, what it is made of.

The solid core of a part-solid nodule is what exceeds -300 HU in it, the level at which Scholten et
al. 2015 (Eur Radiol 25:488) separated it best from ground glass (sensitivity 90 %, specificity
88 %).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray
from scipy import ndimage

from nodule.geometry import Vector
from nodule.masks import Texture
from nodule.measure._patch import (
    Image,
    Index,
    Mask,
    Patch,
    argmax,
    component,
    fine_patch,
    lung_hull,
)
from nodule.measure._vessels import without_vessels
from nodule.ranges import Share, check_fields
from nodule.sphere import sphere_diameter_mm
from nodule.volume import Volume

_AERATED_BELOW_HU = -750.0  # parenchyma, not partial volume with a nodule or a vessel
_CUSTOMARY_LUNG_HU = -850.0  # where too little parenchyma is in sight
_SOFT_TISSUE_HU = 60.0  # a bright spot must not lift the edge; a bright body may
_LEAST_CONTRAST_HU = 80.0  # fainter than this nothing is separated from parenchyma
_EDGE_RANGE_HU = (-780.0, -100.0)
SOLID_HU = -300.0  # Scholten 2015; fainter is ground glass
_SMALL_SOLID_HU = -400.0  # the blurred middle of a solid nodule below 6 mm
_DENSE_SHARES = (0.2, 0.6)  # of a part-solid nodule's interior; chosen on folds 1 to 3
_INTERIOR_MM = 1.0  # from the surface, out of its blur
_LEAST_PART_SOLID_MM = 6.0  # MacMahon 2017 (Fleischner): smaller ones cannot be called part-solid
_CALCIFIED_HU = 200.0  # Fleischner Society: denser than any soft tissue
_HALO_CONTRAST_HU = 170.0
_SHELL_MM = (1.2, 2.4)
_AIR_BELOW_HU = -400.0
_LEAST_SAMPLES = 50
_HU_PER_MM2 = 20.0  # how much brighter a place must be to seed from afar
_THIN_SHELL_MM, _THIN_BELOW_MM = (1.2, 1.8), 11.0  # a small core's ground glass is a thin layer
_THIN_CONTRAST_HU, _THIN_CONTRAST_HU_PER_MM = 10.0, 7.0  # large solid nodules have more about them
_GROWTH, _OVERSIZE = 1.5, 1.35  # what the ground glass makes of a core
_COMPACT, _COMPACT_THIN = 0.6, 0.74  # inscribed over effective radius; what is thin must be a ball
_PLATEAU = 70.0  # percentile; the lower values lie in the blur of the outer edge


EdgeFraction = Annotated[float, Interval(gt=0, lt=1)]
Smoothing = Annotated[float, Interval(ge=0, le=10)]
FineGrid = Annotated[float, Interval(ge=0.1, le=5)]


@dataclass(frozen=True, kw_only=True)
class GrowthRules:
    """How a mask is grown.

    Parameters
    ----------
    edge_fraction : where between parenchyma (0) and the nodule's core (1) its edge lies.
    opening_fraction : of the nodule's inscribed radius; what is thinner is cut as a vessel.
    smoothing_mm : standard deviation of the Gaussian under which shape is judged.
    grid_mm : voxel size of the isotropic grid on which shape is judged.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """

    edge_fraction: EdgeFraction = 0.485
    opening_fraction: Share = 0.45
    smoothing_mm: Smoothing = 0.5
    grid_mm: FineGrid = 0.7

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class Extent:
    """Where a nodule's voxels may lie, and its core's, and how bright they must be."""

    texture: Texture
    edge_hu: float
    support: Mask
    core_support: Mask | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleNeighbourhood:
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
        support = self.room & without_vessels(
            body,
            self.patch,
            self.seed,
            diameter_mm=self.diameter_mm,
            fraction=self.rules.opening_fraction,
        )
        return body & support, support

    def extent(self, edge_hu: float) -> Extent:
        """Decide what the nodule is made of, and where it ends."""
        body, support = self.grow(edge_hu)
        core_hu = self.core_hu(body)
        if core_hu > _CALCIFIED_HU:
            edge_hu = self.edge_hu(core_hu)
            return Extent(texture="calcified", edge_hu=edge_hu, support=self.grow(edge_hu)[1])
        wider = self.ground_glass(body, edge_hu)
        if wider is not None:
            wider_hu, wider_support = wider
            return Extent(
                texture="part-solid",
                edge_hu=wider_hu,
                support=wider_support,
                core_support=support,
            )
        texture = self.texture(body, core_hu)
        core_support = support if texture == "part-solid" else None
        return Extent(texture=texture, edge_hu=edge_hu, support=support, core_support=core_support)

    def core_hu(self, body: Mask) -> float:
        """Return the median of a body's inner half, by depth."""
        depth = ndimage.distance_transform_edt(body)
        return float(np.median(self.patch.hu[depth >= 0.5 * depth.max()]))

    def texture(self, body: Mask, core_hu: float) -> Texture:
        """Judge a body without ground glass round it by how much of its interior is dense."""
        interior = self.patch.hu[self._depth_mm(body) > _INTERIOR_MM]
        if not interior.size or self._diameter_mm(body) < _LEAST_PART_SOLID_MM:
            return "solid" if core_hu > _SMALL_SOLID_HU else "ground-glass"
        dense = float(np.mean(interior > SOLID_HU))
        few, most = _DENSE_SHARES
        if dense > most:
            return "solid"
        return "part-solid" if dense >= few else "ground-glass"

    def ground_glass(self, body: Mask, edge_hu: float) -> tuple[float, Mask] | None:
        """Return the edge of the ground glass round a core, and where it may lie, or None.

        Lung must return beyond it, within sight, and what is found must be one compact body of
        about the size expected.
        """
        halo_hu, compact = self.thin_halo_hu(body), _COMPACT_THIN
        if halo_hu is None:
            halo_hu, compact = self.halo_hu(body), _COMPACT
        if halo_hu is None or self.edge_hu(halo_hu) >= edge_hu:
            return None
        wider, _ = self.grow(self.edge_hu(halo_hu))
        diameter_mm = self._diameter_mm(wider)
        plausible = (
            wider.sum() > _GROWTH * body.sum()
            and _LEAST_PART_SOLID_MM <= diameter_mm <= _OVERSIZE * self.diameter_mm
            and float(self._depth_mm(wider).max()) > compact * diameter_mm / 2
        )
        if not plausible or self.at_rim(wider) or self.halo_hu(wider) is not None:
            return None
        inside = (self._depth_mm(wider) > _INTERIOR_MM) & (self._depth_mm(~body) > _INTERIOR_MM)
        if inside.sum() >= _LEAST_SAMPLES:
            halo_hu = float(np.percentile(self.patch.hu[inside], _PLATEAU))
        return self.edge_hu(halo_hu), self.grow(self.edge_hu(halo_hu))[1]

    def halo_hu(self, body: Mask) -> float | None:
        """Return the level of ground glass all round a body, None where there is none.

        The shell begins beyond the blur of the body's own edge. Vessels and wall fill a part of
        it at most, so that the faint third of it decides.
        """
        shell = self._shell(body, _SHELL_MM)
        if shell.size < _LEAST_SAMPLES:
            return None
        faint_hu, middle_hu = np.percentile(shell, [35.0, 50.0])
        found = faint_hu - self.lung_hu > _HALO_CONTRAST_HU and middle_hu < SOLID_HU
        return float(middle_hu) if found else None

    def thin_halo_hu(self, body: Mask) -> float | None:
        """Return the level of a thin layer of ground glass all round a small body, or None."""
        shell, diameter_mm = self._shell(body, _THIN_SHELL_MM), self._diameter_mm(body)
        if shell.size < _LEAST_SAMPLES or diameter_mm >= _THIN_BELOW_MM:
            return None
        faint_hu, middle_hu, level_hu = np.percentile(shell, [20.0, 50.0, 80.0])
        least_hu = self.lung_hu + _THIN_CONTRAST_HU + _THIN_CONTRAST_HU_PER_MM * diameter_mm
        return float(level_hu) if faint_hu > least_hu and middle_hu < SOLID_HU else None

    def _shell(self, body: Mask, reach_mm: tuple[float, float]) -> Image:
        away_mm = self._depth_mm(~body)
        return self.patch.hu[(away_mm > reach_mm[0]) & (away_mm <= reach_mm[1]) & self.room]

    def _depth_mm(self, mask: Mask) -> NDArray[np.float64]:
        distance = ndimage.distance_transform_edt(mask) * self.patch.step_mm
        return cast("NDArray[np.float64]", distance)

    def _diameter_mm(self, mask: Mask) -> float:
        return sphere_diameter_mm(float(mask.sum()) * self.patch.step_mm**3)

    def at_rim(self, body: Mask) -> bool:
        """Whether a body reaches the end of what the patch shows."""
        rim = self.patch.distance_mm(self.patch.center) > self.patch.radius_mm - _SHELL_MM[1]
        return bool((body & rim).any())


def nodule_neighbourhood(
    volume: Volume, center_lps_mm: Vector, diameter_mm: float, rules: GrowthRules
) -> NoduleNeighbourhood:
    """Take in what lies about a point, LPS mm, of a nodule of about a size."""
    patch = fine_patch(volume, center_lps_mm, diameter_mm, rules.grid_mm)
    smooth = patch.smooth(rules.smoothing_mm)
    within = patch.distance_mm(patch.center) <= patch.radius_mm
    room = within & lung_hull(within & (smooth <= _AIR_BELOW_HU))
    aerated = patch.hu[patch.hu < _AERATED_BELOW_HU]
    enough = aerated.size > _LEAST_SAMPLES
    return NoduleNeighbourhood(
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

    It lies in the lung's hull, so that a nodule on the pleura is not taken for the wall beneath.
    """
    distance_mm = patch.distance_mm(patch.center)
    near = distance_mm <= min(max(2.0, 0.3 * diameter_mm), 5.0)
    bright = patch.smooth(max(1.0, 0.15 * diameter_mm)) - _HU_PER_MM2 * distance_mm**2
    return argmax(np.where(near & room if (near & room).any() else near, bright, -np.inf))
