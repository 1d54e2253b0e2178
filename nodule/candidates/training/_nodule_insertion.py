"""Inserting real nodules into real lung.

The nodule's own edge is kept: the two images are blended over the two millimetres around it. Of
several places the one is taken whose surroundings look most like the nodule's own, so that a nodule
that sat on the pleura finds a pleura, and one that hung on a vessel a vessel. Where both are
aerated, the nodule's partly filled voxels are shifted to the lung's density.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nodule.candidates._heatmap import STRIDE
from nodule.candidates.training._heatmap_targets import Target
from nodule.geometry import as_vector
from nodule.patch_pose import Box
from nodule.training import (
    AERATED_BELOW_HU,
    PoseRanges,
    draw_pose,
    feathered_blend,
    match_air,
    mismatch_hu,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from nodule.candidates.training._crop_regions import NoduleSource

_POSES = PoseRanges(scale=(0.75, 1.25))
_MARGIN_MM = 5  # of the cut-out around a nodule
_RIM_MM = 1.5  # from its outermost voxels, at which the nodule is half shown
_FEATHER_MM = 2.0
_RING_MM = 3.0  # around the nodule, where its surroundings are compared
_LARGEST_MISMATCH_HU = 400.0
_PLACES = (4, 30)  # few: into whatever is there; many: into surroundings like its own
_LEAST_AIR = 0.4  # share of the nodule's voxels that replace aerated lung
_APART_MM = 3.0

Slices = tuple[slice, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleCutout:
    """A nodule cut out on a 1 mm grid, ready to be inserted.

    Parameters
    ----------
    image_hu : float32, a cube.
    distance_mm : float32, of each voxel from the nodule.
    ring : bool, known voxels just outside the nodule.
    diameter_mm : of the sphere with the nodule's volume.
    """

    image_hu: NDArray[np.float32]
    distance_mm: NDArray[np.float32]
    ring: NDArray[np.bool_]
    diameter_mm: float


def draw_cutout(source: NoduleSource, rng: Generator) -> NoduleCutout:
    """Cut a nodule out, turned, mirrored and scaled at random."""
    drawn = draw_pose(rng, _POSES)
    size = 2 * int(np.ceil(_reach_mm(source) * drawn.scale + _MARGIN_MM)) + 1
    spacing = np.asarray(source.spacing_zyx_mm)
    pose = drawn.at(
        np.asarray(source.lesion.center_mm) / spacing,
        source.spacing_zyx_mm,
        shape_zyx=(size, size, size),
    )
    distance_mm = source.distance.at(pose) * np.float32(drawn.scale)
    known = pose.depth_mm(Box.whole(source.array_hu.shape, source.spacing_zyx_mm)) > 0
    return NoduleCutout(
        image_hu=pose.cut(source.array_hu, outside=None),
        distance_mm=distance_mm,
        ring=known & (distance_mm > _RIM_MM) & (distance_mm <= _RING_MM),
        diameter_mm=source.lesion.diameter_mm * drawn.scale,
    )


def insert(
    image_hu: NDArray[np.float32],
    cutout: NoduleCutout,
    rng: Generator,
    *,
    taken: Sequence[Target],
    free: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float32], Target] | None:
    """Insert a nodule at the best of some random places.

    Parameters
    ----------
    image_hu : float32 HU [z, y, x], 1 mm; left as it is.
    cutout : what to insert.
    taken : nodules and ignored places to keep off.
    free : bool on the grid of cells, where a centre may lie; None is everywhere.

    Returns
    -------
    tuple : the new image and the nodule's place in it, or None if no place was fit.
    """
    places = _draw_places(image_hu, cutout, rng, free=free)
    fits = [(_mismatch_at(image_hu, cutout, place), place) for place in places]
    for mismatch, place in sorted(fits, key=lambda fit: fit[0]):
        target = Target(center_zyx=as_vector(place), diameter_mm=cutout.diameter_mm)
        if mismatch <= _LARGEST_MISMATCH_HU and _is_apart(target, taken):
            return _inserted_at(image_hu, cutout, place), target
    return None


def _reach_mm(source: NoduleSource) -> float:
    inside = np.argwhere(source.distance.stored == 0) * np.asarray(source.spacing_zyx_mm)
    return float(np.abs(inside - source.lesion.center_mm).max())


def _draw_places(
    image_hu: NDArray[np.float32],
    cutout: NoduleCutout,
    rng: Generator,
    *,
    free: NDArray[np.bool_] | None,
) -> list[NDArray[np.int64]]:
    """Return centres around which the nodule fits whole."""
    room = int(np.ceil(cutout.diameter_mm / 2)) + 2
    high = np.asarray(image_hu.shape) - room
    if (high <= room).any():
        return []
    drawn = rng.integers(room, high, size=(int(rng.integers(*_PLACES)), 3))
    return [place for place in drawn if free is None or free[tuple(place // STRIDE)]]


def _overlap(
    shape: tuple[int, ...], cutout: NoduleCutout, place: NDArray[np.int64]
) -> tuple[Slices, Slices]:
    """Return where image and cut-out meet, as slices of each."""
    half = cutout.image_hu.shape[0] // 2
    low = np.maximum(place - half, 0)
    high = np.minimum(place + half + 1, shape)
    inner = low - (place - half)
    return (
        tuple(slice(a, b) for a, b in zip(low, high, strict=True)),
        tuple(slice(a, a + n) for a, n in zip(inner, high - low, strict=True)),
    )


def _mismatch_at(
    image_hu: NDArray[np.float32], cutout: NoduleCutout, place: NDArray[np.int64]
) -> float:
    """Return how far apart the surroundings are, mean HU; infinite outside the lung."""
    here, there = _overlap(image_hu.shape, cutout, place)
    inside = cutout.distance_mm[there] <= _RIM_MM
    if (image_hu[here][inside] < AERATED_BELOW_HU).mean() < _LEAST_AIR:
        return float("inf")
    return mismatch_hu(cutout.image_hu[there], image_hu[here], cutout.ring[there])


def _is_apart(target: Target, others: Sequence[Target]) -> bool:
    return all(
        np.linalg.norm(np.subtract(target.center_zyx, other.center_zyx))
        >= (target.diameter_mm + other.diameter_mm) / 2 + _APART_MM
        for other in others
    )


def _inserted_at(
    image_hu: NDArray[np.float32], cutout: NoduleCutout, place: NDArray[np.int64]
) -> NDArray[np.float32]:
    here, there = _overlap(image_hu.shape, cutout, place)
    under = image_hu[here]
    inserted = image_hu.copy()
    inserted[here] = feathered_blend(
        match_air(cutout.image_hu[there], under, cutout.ring[there]),
        under,
        depth_mm=np.float32(_RIM_MM) - cutout.distance_mm[there],
        width_mm=_FEATHER_MM,
    )
    return inserted
