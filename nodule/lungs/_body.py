"""The outline of the body on the coarse grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from nodule.lungs._distance import depth_in, distance_to

_TISSUE_ABOVE_HU = -500.0
_SHEET = 2.0  # coarse voxels: what is no thicker than twice that is a table's shell or a tube
_EDGE = 0.5  # coarse voxels from a voxel's centre to its face


def body(coarse_hu: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the largest connected tissue, without sheets of 12 mm and less.

    A table and its foam are sheets; they neither are the body nor connect anything to it.
    """
    tissue = coarse_hu > _TISSUE_ABOVE_HU
    labels, count = ndimage.label(depth_in(tissue) > _SHEET)
    if not count:
        return np.zeros_like(tissue)
    largest = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    thick: NDArray[np.bool_] = tissue & (distance_to(labels == largest) <= _SHEET)
    return thick


def within_body(coarse_hu: NDArray[np.float32], asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which of the voxels asked for lie within the convex outline of the body's slice.

    Convex, so that a thin chest wall, or one beyond the field of view, opens no way out.
    """
    solid = body(coarse_hu)
    found = np.zeros_like(asked)
    for k in np.flatnonzero(asked.any((1, 2)) & solid.any((1, 2))):
        try:
            planes = ConvexHull(np.argwhere(solid[k])).equations
        except QhullError:  # fewer than three points, or all of them in one line
            continue
        places = np.argwhere(asked[k])
        beyond = places @ planes[:, :2].T + planes[:, 2]
        found[k][tuple(places[(beyond <= _EDGE).all(1)].T)] = True
    return found
