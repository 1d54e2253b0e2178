"""Laying what a crop shows into other lung, so that nothing ends where the crop does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


def feathered_blend(top: Image, under: Image, *, depth_mm: Image, seam_mm: float) -> Image:
    """Lay one image on another, half and half where the depth is 0, smoothly over ``seam_mm``.

    Parameters
    ----------
    top, under : HU, one shape.
    depth_mm : how far each voxel lies inside what ``top`` shows, negative outside.
    seam_mm : width of the seam.
    """
    share = np.clip(depth_mm / np.float32(seam_mm) + np.float32(0.5), 0.0, 1.0)
    share = share * share * (np.float32(3.0) - np.float32(2.0) * share)
    return np.asarray(under + share * (top - under), dtype=np.float32)
