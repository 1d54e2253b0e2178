"""Distances in voxels, and what is built on them: closing by a ball."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def distance_to(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return each voxel's Euclidean distance to the mask, in voxels, 0 inside."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    signed = sitk.SignedMaurerDistanceMap(  # type: ignore[no-untyped-call]
        image, squaredDistance=False
    )
    distance = np.asarray(sitk.GetArrayFromImage(signed), dtype=np.float32)
    return np.maximum(distance, np.float32(0.0))


def depth_in(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return each voxel's Euclidean distance to the mask's outside, in voxels, 0 outside."""
    return distance_to(~mask)


def close_by_ball(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Fill what a ball of the radius, in voxels, cannot reach from outside.

    The image's border closes nothing: beyond it there is none of the mask.
    """
    closed = np.zeros_like(mask)
    boxes = ndimage.find_objects(mask.astype(np.uint8))
    if not boxes:
        return closed
    margin = int(np.ceil(radius)) + 1
    widened = distance_to(np.pad(mask[boxes[0]], margin)) > radius
    inner = (slice(margin, -margin),) * mask.ndim
    closed[boxes[0]] = (distance_to(widened) > radius)[inner]
    return closed
