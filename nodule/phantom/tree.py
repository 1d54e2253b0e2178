"""Vessels and airways: trees that fill the lobes, and how they are drawn.

A tree joins random points of a lobe to a root, each at the least cost of new length plus a share
of the way back to the root (Cuntz et al. 2010, doi:10.1371/journal.pcbi.1000877); radii follow
Murray's law from the tips inwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.geometry import Geometry

Points = NDArray[np.float64]

TIP_RADIUS_MM = 0.34
MURRAY_EXPONENT = 2.55  # between 2 and 3; pulmonary arteries measure about 2.3 to 2.7
WAY_BACK_SHARE = 0.6


@dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """Straight tapering pieces of tube.

    Parameters
    ----------
    start_lps_mm, end_lps_mm : shape (n, 3).
    start_radius_mm, end_radius_mm : shape (n,).
    """

    start_lps_mm: Points
    end_lps_mm: Points
    start_radius_mm: Points
    end_radius_mm: Points

    @classmethod
    def join(cls, parts: Iterable[Segments]) -> Segments:
        """Put several together."""
        p = list(parts)
        return cls(
            start_lps_mm=np.concatenate([s.start_lps_mm for s in p]),
            end_lps_mm=np.concatenate([s.end_lps_mm for s in p]),
            start_radius_mm=np.concatenate([s.start_radius_mm for s in p]),
            end_radius_mm=np.concatenate([s.end_radius_mm for s in p]),
        )

    @classmethod
    def along(cls, path: Points) -> Segments:
        """Turn a path of x, y, z, radius, shape (n, 4), into pieces."""
        return cls(
            start_lps_mm=path[:-1, :3],
            end_lps_mm=path[1:, :3],
            start_radius_mm=path[:-1, 3],
            end_radius_mm=path[1:, 3],
        )

    def __len__(self) -> int:
        return len(self.start_lps_mm)


def grow(root_lps_mm: Points, targets_lps_mm: Points, *, rng: np.random.Generator) -> Segments:
    """Grow a tree from a root, shape (3,), to every target, shape (n, 3)."""
    nodes = np.vstack([root_lps_mm, targets_lps_mm])
    parents, order = _connect(nodes)
    tips = np.ones(len(nodes))
    has_child = np.zeros(len(nodes), bool)
    has_child[parents[1:]] = True
    tips[has_child] = 0
    for node in order[::-1]:
        if node:
            tips[parents[node]] += tips[node]
    radius = TIP_RADIUS_MM * np.maximum(tips, 1) ** (1 / MURRAY_EXPONENT)
    child = np.arange(1, len(nodes))
    # a branch is as wide as its own share from where it leaves, not as wide as its parent
    start_radius = np.minimum(radius[parents[child]], 1.15 * radius[child])
    return _bend(nodes[parents[child]], nodes[child], start_radius, radius[child], rng)


def _connect(nodes: Points) -> tuple[NDArray[np.int64], list[int]]:
    count = len(nodes)
    parents = np.zeros(count, np.int64)
    way = np.zeros(count)
    cost = np.linalg.norm(nodes - nodes[0], axis=1)
    cost[0] = np.inf
    connected = np.zeros(count, bool)
    connected[0] = True
    order = [0]
    for _ in range(count - 1):
        new = int(np.argmin(cost))
        way[new] = way[parents[new]] + np.linalg.norm(nodes[new] - nodes[parents[new]])
        connected[new] = True
        order.append(new)
        through = np.linalg.norm(nodes - nodes[new], axis=1) + WAY_BACK_SHARE * way[new]
        better = (through < cost) & ~connected
        cost[better] = through[better]
        parents[better] = new
        cost[new] = np.inf
    return parents, order


def _bend(
    start: Points, end: Points, start_radius: Points, end_radius: Points, rng: np.random.Generator
) -> Segments:
    """Break each piece in two at a point a little aside."""
    length = np.linalg.norm(end - start, axis=1, keepdims=True)
    middle = 0.5 * (start + end) + 0.06 * length * rng.standard_normal(start.shape)
    between = 0.5 * (start_radius + end_radius)
    return Segments(
        start_lps_mm=np.concatenate([start, middle]),
        end_lps_mm=np.concatenate([middle, end]),
        start_radius_mm=np.concatenate([start_radius, between]),
        end_radius_mm=np.concatenate([between, end_radius]),
    )


def companions(arteries: Segments, *, narrowest_mm: float) -> Segments:
    """Lumina of the bronchi that run beside the wider arteries."""
    wide = arteries.end_radius_mm > narrowest_mm
    start, end = arteries.start_lps_mm[wide], arteries.end_lps_mm[wide]
    r0, r1 = arteries.start_radius_mm[wide], arteries.end_radius_mm[wide]
    across = np.cross(end - start, [0.25, -0.35, 0.9])
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    return Segments(
        start_lps_mm=start + across * (1.9 * r0 + 0.8)[:, None],
        end_lps_mm=end + across * (1.9 * r1 + 0.8)[:, None],
        start_radius_mm=0.8 * r0,
        end_radius_mm=0.8 * r1,
    )


def draw_tubes(
    segments: Segments, geometry: Geometry, *, widen_mm: float = 0.0
) -> NDArray[np.float32]:
    """Share of each voxel that lies in any tube, in [0, 1], shape ``geometry.shape_zyx``.

    Tubes thinner than a voxel keep their cross-section: they are drawn one pixel wide and paler.
    """
    share = np.zeros(geometry.shape_zyx, np.float32)
    pixel_mm = geometry.spacing_zyx_mm[2]
    layers = max(1, round(geometry.spacing_zyx_mm[0] / (1.2 * pixel_mm)))
    for k in range(len(segments)):
        _draw_tube(
            share,
            geometry,
            layers,
            segments.start_lps_mm[k],
            segments.end_lps_mm[k],
            float(segments.start_radius_mm[k]) + widen_mm,
            float(segments.end_radius_mm[k]) + widen_mm,
        )
    return share


def _draw_tube(
    share: NDArray[np.float32],
    geometry: Geometry,
    layers: int,
    start: Points,
    end: Points,
    start_radius: float,
    end_radius: float,
) -> None:
    spacing = np.array(geometry.spacing_zyx_mm)
    origin = np.array(geometry.origin_lps_mm)
    edge = spacing[2]
    reach = max(start_radius, end_radius) + edge
    low = (np.minimum(start, end) - reach - origin)[::-1] / spacing
    high = (np.maximum(start, end) + reach - origin)[::-1] / spacing
    first = np.maximum(np.floor(low + 0.5).astype(int), 0)
    last = np.minimum(np.floor(high + 0.5).astype(int) + 1, share.shape)
    if (last <= first).any():
        return
    z, y, x = (
        (o + s * np.arange(a, b)).astype(np.float32)
        for o, s, a, b in zip(origin[::-1], spacing, first, last, strict=True)
    )
    within = ((np.arange(layers) + 0.5) / layers - 0.5) * spacing[0]
    z = (z[:, None] + within.astype(np.float32)).ravel()
    axis = (end - start).astype(np.float32)
    dx, dy, dz = x - np.float32(start[0]), y - np.float32(start[1]), z - np.float32(start[2])
    dot = (dz * axis[2])[:, None, None] + (dy * axis[1])[None, :, None] + (dx * axis[0])
    t = np.clip(dot / max(float(axis @ axis), 1e-6), 0, 1)
    squared = (dz**2)[:, None, None] + (dy**2)[None, :, None] + dx**2
    distance = np.sqrt(np.maximum(squared - t * (2 * dot - t * float(axis @ axis)), 0))
    radius = start_radius + t * (end_radius - start_radius)
    local = np.clip((radius - distance) / edge + 0.5, 0, 1)
    local *= _fade(0.5 * (start_radius + end_radius), edge)
    local = local.reshape(-1, layers, y.size, x.size).mean(axis=1)
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    np.maximum(share[box], local, out=share[box])


def _fade(radius: float, edge: float) -> float:
    """Divide the true cross-section by the one that the soft edge draws."""
    if radius >= edge / 2:
        drawn = radius**2 + edge**2 / 12
    else:
        drawn = (radius + edge / 2) ** 3 / (3 * edge)
    return min(1.0, radius**2 / drawn)
