"""Nodules: where they sit, what they measure, and how they are drawn."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import Geometry, as_vector
from nodule.nodules import Lung
from nodule.phantom.fields import Fields
from nodule.phantom.shapes import DIRECTIONS, FULL_ANGLE, Shape, sphere, unit
from nodule.phantom.spec import NodulePlan, PhantomNodule
from nodule.phantom.tree import Points, Segments
from nodule.sphere import sphere_diameter_mm, sphere_volume_mm3

GROUND_GLASS_HU, CALCIFIED_HU = -620.0, 620.0
_CORE_SHARE = 0.52  # of a part-solid nodule's radius
_SOFT_EDGE = 0.18  # half-width of the edge of ground glass, in radii
_RAY_STEPS = 40
_APART_MM = 6.0
_CUT_LOW, _CUT_HIGH = 0.7, 0.99  # share of a juxtapleural nodule that the pleura leaves
_TRIALS = 4000


def place(
    plan: NodulePlan,
    shape: Shape,
    *,
    fields: Fields,
    vessels: Segments,
    geometry: Geometry,
    taken: tuple[PhantomNodule, ...],
    rng: np.random.Generator,
) -> PhantomNodule:
    """Find a place that fits the plan and measure what lies inside the lung.

    Raises
    ------
    InputError : ``NO_ROOM`` when the grid shows no such place.
    """
    if plan.center_lps_mm is not None:
        return measured(plan, shape, np.array(plan.center_lps_mm), fields)
    whole = sphere_volume_mm3(plan.diameter_mm)
    for point in _spots(plan, fields, vessels, geometry, rng):
        apart = all(
            math.dist(point, n.center_lps_mm) > 0.5 * (n.diameter_mm + plan.diameter_mm) + _APART_MM
            for n in taken
        )
        if not apart:
            continue
        nodule = measured(plan, shape, point, fields)
        if plan.location != "juxtapleural" or _CUT_LOW < nodule.volume_mm3 / whole < _CUT_HIGH:
            return nodule
    raise InputError(
        "no place in the lungs fits a nodule",
        code="NO_ROOM",
        expected=f"{plan.location}, {plan.diameter_mm} mm",
        hint="Ask for fewer or smaller nodules, or for a larger field of view.",
    )


def _spots(
    plan: NodulePlan,
    fields: Fields,
    vessels: Segments,
    geometry: Geometry,
    rng: np.random.Generator,
) -> Points:
    radius = plan.diameter_mm / 2
    if plan.location == "juxtavascular":
        fit = (vessels.end_radius_mm > 0.8) & (vessels.end_radius_mm < 2.5)
        middle = 0.5 * (vessels.start_lps_mm + vessels.end_lps_mm)[fit]
        gap = radius * 0.7 + vessels.end_radius_mm[fit]
        aside = unit(np.cross((vessels.end_lps_mm - vessels.start_lps_mm)[fit], [0.3, 0.5, 0.8]))
        points = rng.permutation(middle + aside * gap[:, None])
    else:
        corner = geometry.corners_lps_mm()
        points = rng.uniform(corner.min(axis=0), corner.max(axis=0), size=(8 * _TRIALS, 3))
    depth = -fields.at("lung", points)
    if plan.location == "juxtapleural":
        # on the costal pleura, not on the mediastinum; most of it inside
        costal = fields.at("cage", points) > -depth - 4.0
        good = (depth > 0.6 * radius) & (depth < 0.9 * radius) & costal
    else:
        good = depth > radius + 3.0
    if plan.lung is not None:
        good &= (points[:, 0] < 0) == (plan.lung == "right")
    margin = radius + np.array(geometry.spacing_zyx_mm)[::-1]
    corner = geometry.corners_lps_mm()
    good &= ((points > corner.min(axis=0) + margin) & (points < corner.max(axis=0) - margin)).all(1)
    points = points[good][:_TRIALS]
    if plan.location == "parenchymal" and len(points) and len(vessels):
        thick = vessels.end_radius_mm > 1.5
        ends = vessels.end_lps_mm[thick]
        clear = np.array([(np.linalg.norm(ends - p, axis=1) > radius + 3).all() for p in points])
        points = points[clear] if clear.any() else points
    return np.asarray(points)


def measured(plan: NodulePlan, shape: Shape, center: Points, fields: Fields) -> PhantomNodule:
    """Centroid, volume and diameter of a body where it lies inside the lung.

    Raises
    ------
    InputError : ``NO_ROOM`` when its centre is not in a lung.
    """
    if float(fields.at("lung", center)[0]) > 0:
        raise InputError(
            "a nodule's centre is not in a lung", code="NO_ROOM", got=as_vector(center)
        )
    directions = sphere(DIRECTIONS)
    reach = shape.reach_mm(directions)
    edges = (np.arange(_RAY_STEPS) + 0.5) / _RAY_STEPS
    r = reach[:, None] * edges
    weight = FULL_ANGLE / DIRECTIONS * r**2 * (reach / _RAY_STEPS)[:, None]
    points = center + directions[:, None, :] * r[..., None]
    if float(fields.at("lung", center)[0]) > -reach.max() - 2:
        inside = fields.at("lung", points.reshape(-1, 3)) < 0
        weight = weight * inside.reshape(weight.shape)
    volume = float(weight.sum())
    centroid = (points * weight[..., None]).sum(axis=(0, 1)) / volume
    lung: Lung = "right" if center[0] < 0 else "left"
    return PhantomNodule(
        center_lps_mm=as_vector(centroid),
        diameter_mm=sphere_diameter_mm(volume),
        volume_mm3=volume,
        plan=replace(plan, lung=lung, center_lps_mm=as_vector(center)),
        lung=lung,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """A nodule on a grid.

    Parameters
    ----------
    box : half-open slices zyx of the grid.
    share : of each voxel that is nodule, in [0, 1].
    density : the same with the soft edge of ground glass, one half at the boundary.
    core : of each voxel that is the solid core of a part-solid nodule.
    """

    box: tuple[slice, slice, slice]
    share: NDArray[np.float32]
    density: NDArray[np.float32]
    core: NDArray[np.float32]


def draw(nodule: PhantomNodule, shape: Shape, *, geometry: Geometry, fields: Fields) -> Drawing:
    """Sample a body finely and average over voxels."""
    assert nodule.plan.center_lps_mm is not None
    center = np.array(nodule.plan.center_lps_mm)
    spacing = np.array(geometry.spacing_zyx_mm)
    index = geometry.lps_to_index(center)
    extent = (shape.farthest_mm * (1 + _SOFT_EDGE) + 1.0) / spacing
    first = np.maximum(np.floor(index - extent).astype(int), 0)
    last = np.minimum(np.ceil(index + extent).astype(int) + 1, geometry.shape_zyx)
    fine = np.maximum(np.ceil(spacing / 0.5).astype(int), 3)
    fine += 1 - fine % 2  # an odd count has no ties at one half
    share, density, core = np.zeros((3, *(last - first)), np.float32)
    core_center = center + shape.radius_mm * shape.core_offset
    for shift in itertools.product(*[(np.arange(n) + 0.5) / n - 0.5 for n in fine]):
        axes = [np.arange(a, b) + s for a, b, s in zip(first, last, shift, strict=True)]
        mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        points = geometry.index_to_lps(mesh).reshape(-1, 3)
        lung = fields.at("lung", points) < 0.0
        relative = _relative_radius(shape, points - center)
        soft = np.clip(0.5 + (1 - relative) / (2 * _SOFT_EDGE), 0, 1)
        solid = _relative_radius(shape, points - core_center) < _CORE_SHARE
        share += (lung & (relative < 1)).reshape(share.shape)
        density += (lung * soft).reshape(share.shape)
        core += (lung & solid & (relative < 1)).reshape(share.shape)
    for total in (share, density, core):
        total /= np.float32(fine.prod())
    z, y, x = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    return Drawing(box=(z, y, x), share=share, density=density, core=core)


def fill(below: NDArray[np.float32], nodule: PhantomNodule, drawing: Drawing) -> None:
    """Insert a drawn nodule into an image, HU, in place."""
    view = below[drawing.box]
    if nodule.texture in ("solid", "calcified"):
        value = nodule.plan.solid_hu if nodule.texture == "solid" else CALCIFIED_HU
        view += drawing.share * (np.float32(value) - view)
        return
    # ground glass veils the lung and leaves its vessels visible
    view += drawing.density * np.maximum(np.float32(GROUND_GLASS_HU) - view, 0)
    if nodule.texture == "part-solid":
        view += drawing.core * (np.float32(nodule.plan.solid_hu) - view)


def _relative_radius(shape: Shape, offsets: Points) -> Points:
    length = np.linalg.norm(offsets, axis=1)
    out = np.full(len(offsets), 9.0)
    near = length < shape.farthest_mm * (1 + _SOFT_EDGE) + 0.5
    unit = offsets[near] / np.maximum(length[near], 1e-9)[:, None]
    out[near] = length[near] / shape.reach_mm(unit)
    return out
