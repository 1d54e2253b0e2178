"""Pasting real nodules into real lung.

The nodule's own edge is kept: the mask is softened outwards by about a millimetre and the two
images are blended there. Of several places the one is taken whose surroundings look most like
the nodule's own, so that a nodule that sat on the pleura finds a pleura, and one that hung on a
vessel a vessel. Where both are aerated, the nodule's partly filled voxels are shifted to the
lung's density.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from nodule.candidates.heatmap import STRIDE, Target
from nodule.geometry import as_vector
from nodule.training.pose import centered, draw_turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from nodule.candidates.training.crop_regions import NoduleSource

_MARGIN_MM = 5  # of the cut-out around a nodule
_EDGE_SIGMA_MM = 1.0
_RING_SIGMA_MM = 2.0
_RING_FROM = 0.05  # of the mask smoothed by that: about 3 mm outside
_MASK_EDGE = 0.5
_AERATED_HU = -600.0
_SOLID_HU = -100.0
_ENOUGH_VOXELS = 20
_LARGEST_SHIFT_HU = 120.0
_LARGEST_MISFIT_HU = 400.0
_PLACES = (4, 30)  # few: into whatever is there; many: into surroundings like its own
_LEAST_AIR = 0.4  # share of the nodule's voxels that replace aerated lung
_APART_MM = 3.0
_NODULE_SCALE = (0.75, 1.25)


@dataclass(frozen=True, kw_only=True, eq=False)
class Graft:
    """A nodule cut out on a 1 mm grid, ready to be pasted.

    Parameters
    ----------
    image_hu : float32, a cube.
    alpha : float32 in [0, 1], how much of it is pasted.
    ring : bool, known voxels just outside the nodule.
    diameter_mm : of the sphere with the nodule's volume.
    """

    image_hu: NDArray[np.float32]
    alpha: NDArray[np.float32]
    ring: NDArray[np.bool_]
    diameter_mm: float


def draw_graft(source: NoduleSource, rng: Generator) -> Graft:
    """Cut a nodule out, turned, flipped and scaled at random."""
    turn = draw_turn(rng, scale=(1 / _NODULE_SCALE[1], 1 / _NODULE_SCALE[0]))
    scale = centered(source.lesion.center_mm, size=1, turn=turn).scale
    diameter_mm = source.lesion.diameter_mm / scale
    reach_mm = _reach_mm(source) / scale
    size = 2 * int(np.ceil(reach_mm + _MARGIN_MM)) + 1
    view = centered(source.lesion.center_mm, size=size, turn=turn)
    spacing = source.spacing_zyx_mm
    image = view.cut(source.array_hu, spacing_zyx_mm=spacing, outside=0.0, mode="nearest")
    marks = view.cut(source.marks, spacing_zyx_mm=spacing, outside=0.0, mode="grid-constant")
    mask = np.clip(marks - 1.0, 0.0, 1.0)
    near = ndimage.gaussian_filter(mask, _RING_SIGMA_MM) > _RING_FROM
    # the mask's own edge gets 1, a millimetre outside about a third
    alpha = np.clip(2.0 * ndimage.gaussian_filter(mask, _EDGE_SIGMA_MM), 0.0, 1.0)
    return Graft(
        image_hu=image,
        alpha=alpha,
        ring=near & (mask < _MASK_EDGE) & (marks > _MASK_EDGE),
        diameter_mm=diameter_mm,
    )


def paste(
    image_hu: NDArray[np.float32],
    graft: Graft,
    rng: Generator,
    *,
    taken: Sequence[Target],
    free: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float32], Target] | None:
    """Paste a nodule at the best of some random places.

    Parameters
    ----------
    image_hu : float32 HU [z, y, x], 1 mm; left as it is.
    graft : what to paste.
    taken : nodules and ignored places to keep off.
    free : bool on the grid of cells, where a centre may lie; None is everywhere.

    Returns
    -------
    tuple : the new image and the nodule's place in it, or None if no place was fit.
    """
    places = _draw_places(image_hu, graft, rng, free=free)
    fits = [(_misfit(image_hu, graft, place), place) for place in places]
    for misfit, place in sorted(fits, key=lambda fit: fit[0]):
        target = Target(center_zyx=as_vector(place), diameter_mm=graft.diameter_mm)
        if misfit <= _LARGEST_MISFIT_HU and _is_apart(target, taken):
            return _blend(image_hu, graft, place), target
    return None


def _reach_mm(source: NoduleSource) -> float:
    offsets = np.argwhere(source.marks == 2) * np.asarray(source.spacing_zyx_mm)
    return float(np.abs(offsets - source.lesion.center_mm).max())


def _draw_places(
    image_hu: NDArray[np.float32],
    graft: Graft,
    rng: Generator,
    *,
    free: NDArray[np.bool_] | None,
) -> list[NDArray[np.int64]]:
    """Return centres around which the nodule fits whole."""
    room = int(np.ceil(graft.diameter_mm / 2)) + 2
    high = np.asarray(image_hu.shape) - room
    if (high <= room).any():
        return []
    drawn = rng.integers(room, high, size=(int(rng.integers(*_PLACES)), 3))
    return [place for place in drawn if free is None or free[tuple(place // STRIDE)]]


def _overlap(
    shape: tuple[int, ...], graft: Graft, place: NDArray[np.int64]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return where image and graft meet, as slices of each."""
    half = graft.alpha.shape[0] // 2
    low = np.maximum(place - half, 0)
    high = np.minimum(place + half + 1, shape)
    inner = low - (place - half)
    return (
        tuple(slice(a, b) for a, b in zip(low, high, strict=True)),
        tuple(slice(a, a + n) for a, n in zip(inner, high - low, strict=True)),
    )


def _misfit(image_hu: NDArray[np.float32], graft: Graft, place: NDArray[np.int64]) -> float:
    """Return how far apart the surroundings are, mean HU; infinite outside the lung."""
    here, there = _overlap(image_hu.shape, graft, place)
    inside = graft.alpha[there] > _MASK_EDGE
    if (image_hu[here][inside] < _AERATED_HU).mean() < _LEAST_AIR:
        return float("inf")
    ring = graft.ring[there]
    if not ring.any():
        return 0.0
    gap = np.abs(image_hu[here][ring] - graft.image_hu[there][ring])
    return float(gap.mean())


def _is_apart(target: Target, others: Sequence[Target]) -> bool:
    return all(
        np.linalg.norm(np.subtract(target.center_zyx, other.center_zyx))
        >= (target.diameter_mm + other.diameter_mm) / 2 + _APART_MM
        for other in others
    )


def _blend(
    image_hu: NDArray[np.float32], graft: Graft, place: NDArray[np.int64]
) -> NDArray[np.float32]:
    here, there = _overlap(image_hu.shape, graft, place)
    old, new = image_hu[here], graft.image_hu[there]
    shift = _air_level(old, graft.ring[there]) - _air_level(new, graft.ring[there])
    if np.isfinite(shift):
        airy = 1.0 - np.clip((new - _AERATED_HU) / (_SOLID_HU - _AERATED_HU), 0.0, 1.0)
        new = new + np.clip(shift, -_LARGEST_SHIFT_HU, _LARGEST_SHIFT_HU) * airy
    alpha = graft.alpha[there]
    pasted = image_hu.copy()
    pasted[here] = old * (1.0 - alpha) + new * alpha
    return pasted


def _air_level(image_hu: NDArray[np.float32], ring: NDArray[np.bool_]) -> float:
    aerated = image_hu[ring & (image_hu < _AERATED_HU)]
    return float(np.median(aerated)) if aerated.size >= _ENOUGH_VOXELS else float("nan")
