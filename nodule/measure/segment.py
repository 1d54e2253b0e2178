"""The mask of a nodule, grown from a point inside it.

After Kuhnigk et al. 2006 (IEEE TMI 25:417): a threshold half-way between the nodule and its
surroundings; the chest wall cut off by the convex hull of the aerated lung nearby; vessels cut
off as :mod:`nodule.measure._vessels` says. Shape is judged on a fine isotropic grid; voxels are
taken or left by their own, unsmoothed value on the source grid. A second pass corrects the
threshold: down to the ground glass round a solid core, up where the whole body is calcified.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.geometry import Vector
from nodule.masks import NoduleMask
from nodule.measure._nodule_neighbourhood import (
    SOLID_HU,
    Extent,
    GrowthRules,
    NoduleNeighbourhood,
    nodule_neighbourhood,
)
from nodule.measure._patch import Index, Mask, component
from nodule.volume import Volume

__all__ = ["GrowthRules", "segment_nodule"]


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
    neighbourhood = nodule_neighbourhood(volume, center_lps_mm, diameter_mm, rules)
    edge_hu = neighbourhood.first_edge_hu()
    if edge_hu is None:
        return None
    return _voxels(volume, neighbourhood, neighbourhood.extent(edge_hu))


def _voxels(
    volume: Volume, neighbourhood: NoduleNeighbourhood, extent: Extent
) -> NoduleMask | None:
    """Take the source voxels in the support that are brighter than the edge, in one piece."""
    patch, sizes = neighbourhood.patch, volume.geometry.shape_zyx
    start = [max(int(np.ceil(a[0])), 0) for a in patch.index_zyx]
    stop = [min(int(np.floor(a[-1])) + 1, n) for a, n in zip(patch.index_zyx, sizes, strict=True)]
    hu = volume.array_zyx[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
    samples = [
        (np.arange(a, b) - axis[0]) / (axis[1] - axis[0])
        for a, b, axis in zip(start, stop, patch.index_zyx, strict=True)
    ]
    grid = list(np.meshgrid(*samples, indexing="ij"))
    bright = (hu > extent.edge_hu) & _on_grid(extent.support, grid)
    if not bright.any():
        return None
    wanted = [
        axis[s] - o for axis, s, o in zip(patch.index_zyx, neighbourhood.seed, start, strict=True)
    ]
    mask = ndimage.binary_fill_holes(component(bright, _nearest_set(bright, wanted)))
    core = None
    if extent.core_support is not None:
        core = _largest(mask & (hu > SOLID_HU) & _on_grid(extent.core_support, grid))
    return NoduleMask.cropped(
        mask,
        start_zyx=(start[0], start[1], start[2]),
        source=volume.geometry,
        texture=extent.texture,
        core_zyx=core,
    )


def _on_grid(support: Mask, grid: list[NDArray[np.float64]]) -> Mask:
    values = ndimage.map_coordinates(support.astype(np.float32), grid, order=1)
    return cast("Mask", values >= 0.5)


def _largest(mask: Mask) -> Mask | None:
    """Return the largest connected part of a mask, None where it is empty."""
    labels, count = ndimage.label(mask)
    if count == 0:
        return None
    return cast("Mask", labels == 1 + np.bincount(labels.ravel())[1:].argmax())


def _nearest_set(mask: Mask, point: list[float]) -> Index:
    places = np.argwhere(mask)
    z, y, x = places[((places - np.asarray(point)) ** 2).sum(axis=1).argmin()]
    return int(z), int(y), int(x)
