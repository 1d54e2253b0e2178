"""The shape of a nodule: a star-shaped body of known volume.

A radius for every direction, made of an ellipsoid, broad bumps (lobulation) and narrow ones
(spiculation). The volume follows by quadrature over the sphere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from nodule.phantom.spec import NodulePlan
from nodule.phantom.tree import Points, Segments
from nodule.sphere import sphere_volume_mm3

DIRECTIONS = 3000
FULL_ANGLE = 4 * math.pi


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
    core_offset : where the solid part of a part-solid nodule sits, in radii from the centre.
    scale : makes the volume that of the sphere.
    """

    radius_mm: float
    half_axes: Points
    frame: Points
    bumps: Points
    heights: Points
    sharpness: Points
    core_offset: Points
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
        return float(self.reach_mm(sphere(DIRECTIONS)).max())


def make_shape(plan: NodulePlan, rng: np.random.Generator) -> Shape:
    """Draw a body with the volume of the sphere of ``plan.diameter_mm``."""
    lobes, spikes = 2 * (plan.lobulation - 1), 6 * (plan.spiculation - 1)
    frame, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    long, middle = plan.elongation, rng.uniform(1.0, plan.elongation)
    half_axes = np.array([long, middle, 1.0]) / (long * middle) ** (1 / 3)
    bumps = unit(rng.standard_normal((lobes + spikes, 3)))
    shape = Shape(
        radius_mm=plan.diameter_mm / 2,
        half_axes=half_axes,
        frame=frame,
        bumps=bumps,
        heights=np.concatenate(
            [
                rng.uniform(0.15, 0.10 + 0.08 * plan.lobulation, lobes),
                rng.uniform(0.08, 0.08 + 0.08 * plan.spiculation, spikes),
            ]
        ),
        sharpness=np.concatenate([np.full(lobes, 7.0), np.full(spikes, 45.0)]),
        core_offset=0.22 * unit(rng.standard_normal(3)),
    )
    volume = FULL_ANGLE / DIRECTIONS * (shape.reach_mm(sphere(DIRECTIONS)) ** 3).sum() / 3
    target = sphere_volume_mm3(plan.diameter_mm)
    return replace(shape, scale=float((target / volume) ** (1 / 3)))


def strands(plan: NodulePlan, shape: Shape, center_lps_mm: Points) -> Segments:
    """Thin strands that radiate from the sharp bumps into the lung, ``spiculation`` permitting."""
    sharp = shape.bumps[shape.sharpness > 20.0]
    surface = shape.reach_mm(sharp) if len(sharp) else np.zeros(0)
    length = surface * (0.3 + 0.2 * plan.spiculation)
    width = 0.4 + 0.08 * plan.spiculation
    return Segments(
        start_lps_mm=center_lps_mm + sharp * (surface * 0.9)[:, None],
        end_lps_mm=center_lps_mm + sharp * (surface + length)[:, None],
        start_radius_mm=np.full(len(sharp), width),
        end_radius_mm=np.full(len(sharp), 0.25),
    )


def sphere(count: int) -> Points:
    """Spread unit vectors evenly (Fibonacci lattice), shape (count, 3)."""
    k = np.arange(count) + 0.5
    z, turn = 1 - 2 * k / count, k * math.pi * (1 + math.sqrt(5))
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def unit(vectors: ArrayLike) -> Points:
    """Scale vectors, shape (..., 3), to length 1."""
    v = np.asarray(vectors, float)
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9))
