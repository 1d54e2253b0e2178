"""Nodules: their shapes, where they sit, and how they are drawn.

A nodule is a star-shaped body: a radius for every direction, made of an ellipsoid, broad bumps
(lobulation) and narrow ones (spiculation). Its volume is exact by quadrature over the sphere.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodule.errors import InputError
from nodule.findings import Lung
from nodule.geometry import Geometry, as_vector
from nodule.phantom.fields import Fields
from nodule.phantom.spec import NodulePlan, PhantomNodule
from nodule.phantom.tree import Points, Segments

SOLID_HU, GROUND_GLASS_HU, CALCIFIED_HU = 38.0, -620.0, 620.0
_CORE_SHARE = 0.52  # of a part-solid nodule's radius
_DIRECTIONS = 3000
_RAY_STEPS = 40
_APART_MM = 6.0
_TRIALS = 4000


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """A star-shaped body about a centre.

    Parameters
    ----------
    radius_mm : of the sphere with the same volume.
    half_axes : of the ellipsoid below the bumps, relative, product 1.
    frame : 3x3 rotation, rows are its axes in LPS.
    bumps : unit vectors, shape (n, 3).
    heights, sharpness : of the bumps, relative to the radius, shape (n,).
    scale : makes the volume that of the sphere.
    """

    radius_mm: float
    half_axes: Points
    frame: Points
    bumps: Points
    heights: Points
    sharpness: Points
    scale: float = 1.0

    def reach_mm(self, directions: Points) -> Points:
        """Radius along unit vectors, shape (n, 3) to (n,), mm."""
        relative = 1.0 / np.linalg.norm(directions @ self.frame.T / self.half_axes, axis=1)
        if len(self.bumps):
            closeness = directions @ self.bumps.T - 1.0
            relative = relative + (self.heights * np.exp(self.sharpness * closeness)).sum(axis=1)
        return np.asarray(self.radius_mm * self.scale * relative)

    @cached_property
    def farthest_mm(self) -> float:
        """The greatest radius."""
        return float(self.reach_mm(_sphere(_DIRECTIONS)).max())


def make_shape(plan: NodulePlan, rng: np.random.Generator) -> Shape:
    """Draw a body with the volume of the sphere of ``plan.diameter_mm``."""
    lobes, spikes = 2 * (plan.lobulation - 1), 6 * (plan.spiculation - 1)
    frame, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    long, middle = plan.elongation, rng.uniform(1.0, plan.elongation)
    half_axes = np.array([long, middle, 1.0]) / (long * middle) ** (1 / 3)
    bumps = _unit(rng.standard_normal((lobes + spikes, 3)))
    shape = Shape(
        radius_mm=plan.diameter_mm / 2,
        half_axes=half_axes,
        frame=frame,
        bumps=bumps,
        heights=np.concatenate(
            [
                rng.uniform(0.15, 0.10 + 0.08 * plan.lobulation, lobes),
                rng.uniform(0.08, 0.08 + 0.06 * plan.spiculation, spikes),
            ]
        ),
        sharpness=np.concatenate([np.full(lobes, 7.0), np.full(spikes, 45.0)]),
    )
    volume = _FULL_ANGLE / _DIRECTIONS * (shape.reach_mm(_sphere(_DIRECTIONS)) ** 3).sum() / 3
    target = math.pi / 6 * plan.diameter_mm**3
    return replace(shape, scale=float((target / volume) ** (1 / 3)))


def strands(plan: NodulePlan, shape: Shape, center_lps_mm: Points) -> Segments:
    """Thin strands that radiate from the sharp bumps into the lung, ``spiculation`` permitting."""
    sharp = shape.bumps[shape.sharpness > 20.0]
    surface = shape.reach_mm(sharp) if len(sharp) else np.zeros(0)
    length = surface * (0.25 + 0.12 * plan.spiculation)
    width = 0.25 + 0.05 * plan.spiculation
    return Segments(
        start_lps_mm=center_lps_mm + sharp * (surface * 0.9)[:, None],
        end_lps_mm=center_lps_mm + sharp * (surface + length)[:, None],
        start_radius_mm=np.full(len(sharp), width),
        end_radius_mm=np.full(len(sharp), 0.2),
    )


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
    points = _spots(plan, fields, vessels, geometry, rng)
    for point in points:
        apart = all(
            math.dist(point, n.center_lps_mm) > 0.5 * (n.diameter_mm + plan.diameter_mm) + _APART_MM
            for n in taken
        )
        if apart:
            return measured(plan, shape, point, fields)
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
        gap = radius * 0.9 + vessels.end_radius_mm[fit]
        aside = _unit(np.cross((vessels.end_lps_mm - vessels.start_lps_mm)[fit], [0.3, 0.5, 0.8]))
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
    directions = _sphere(_DIRECTIONS)
    reach = shape.reach_mm(directions)
    edges = (np.arange(_RAY_STEPS) + 0.5) / _RAY_STEPS
    r = reach[:, None] * edges
    weight = _FULL_ANGLE / _DIRECTIONS * r**2 * (reach / _RAY_STEPS)[:, None]
    points = center + directions[:, None, :] * r[..., None]
    if float(fields.at("lung", center)[0]) > -reach.max() - 2:
        inside = fields.at("lung", points.reshape(-1, 3)) < 0
        weight = weight * inside.reshape(weight.shape)
    volume = float(weight.sum())
    centroid = (points * weight[..., None]).sum(axis=(0, 1)) / volume
    lung: Lung = "right" if center[0] < 0 else "left"
    return PhantomNodule(
        center_lps_mm=as_vector(centroid),
        diameter_mm=(6 * volume / math.pi) ** (1 / 3),
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
    core : of each voxel that is the solid core of a part-solid nodule.
    """

    box: tuple[slice, slice, slice]
    share: NDArray[np.float32]
    core: NDArray[np.float32]


def draw(nodule: PhantomNodule, shape: Shape, *, geometry: Geometry, fields: Fields) -> Drawing:
    """Sample a body finely and average over voxels."""
    assert nodule.plan.center_lps_mm is not None
    center = np.array(nodule.plan.center_lps_mm)
    spacing = np.array(geometry.spacing_zyx_mm)
    index = geometry.lps_to_index(center)
    extent = (shape.farthest_mm + 1.0) / spacing
    first = np.maximum(np.floor(index - extent).astype(int), 0)
    last = np.minimum(np.ceil(index + extent).astype(int) + 1, geometry.shape_zyx)
    fine = np.maximum(np.ceil(spacing / 0.5).astype(int), 3)
    fine += 1 - fine % 2  # an odd count has no ties at one half
    share = np.zeros(last - first, np.float32)
    core = np.zeros_like(share)
    for shift in itertools.product(*[(np.arange(n) + 0.5) / n - 0.5 for n in fine]):
        axes = [np.arange(a, b) + s for a, b, s in zip(first, last, shift, strict=True)]
        points = geometry.index_to_lps(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
        relative = _relative_radius(shape, points.reshape(-1, 3) - center)
        inside = (relative < 1) & (fields.at("lung", points.reshape(-1, 3)) < 0.0)
        share += inside.reshape(share.shape)
        core += (inside & (relative < _CORE_SHARE)).reshape(share.shape)
    share /= np.float32(fine.prod())
    core /= np.float32(fine.prod())
    z, y, x = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    return Drawing(box=(z, y, x), share=share, core=core)


def fill(below: NDArray[np.float32], nodule: PhantomNodule, drawing: Drawing) -> None:
    """Lay a drawn nodule over an image, HU, in place."""
    view = below[drawing.box]
    if nodule.texture in ("solid", "calcified"):
        value = SOLID_HU if nodule.texture == "solid" else CALCIFIED_HU
        view += drawing.share * (np.float32(value) - view)
        return
    # ground glass veils the lung and leaves its vessels visible
    view += drawing.share * np.maximum(np.float32(GROUND_GLASS_HU) - view, 0)
    if nodule.texture == "part-solid":
        view += drawing.core * (np.float32(SOLID_HU) - view)


def _relative_radius(shape: Shape, offsets: Points) -> Points:
    length = np.linalg.norm(offsets, axis=1)
    out = np.full(len(offsets), 9.0)
    near = length < shape.farthest_mm + 0.5
    unit = offsets[near] / np.maximum(length[near], 1e-9)[:, None]
    out[near] = length[near] / shape.reach_mm(unit)
    return out


_FULL_ANGLE = 4 * math.pi


def _sphere(count: int) -> Points:
    """Spread unit vectors evenly (Fibonacci lattice), shape (count, 3)."""
    k = np.arange(count) + 0.5
    z, turn = 1 - 2 * k / count, k * math.pi * (1 + math.sqrt(5))
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def _unit(vectors: ArrayLike) -> Points:
    v = np.asarray(vectors, float)
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9))
