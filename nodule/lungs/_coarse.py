"""The coarse grid on which the lung network sees the chest, and the way back from it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodule.hu import HuArray

COARSENING = 3
"""Fine voxels along each edge of a coarse one: 1 mm becomes 3 mm."""

SLAB = 16 * COARSENING
"""Fine slices that are converted to floats at a time, which bounds the memory."""

CHANNELS = (16, 32, 64, 128)
"""Widths of the network's levels unless its weights say otherwise; each after the first halves the
grid."""

Shares: TypeAlias = NDArray[np.float32]
"""Of each coarse voxel, what the lungs fill: float32 [2, z, y, x], right and left."""

_NEAR, _FAR = np.float32(2 / 3), np.float32(1 / 3)  # a fine voxel lies a third off the middle


def coarsen(array_zyx: HuArray) -> NDArray[np.float32]:
    """Average cubes of ``COARSENING`` voxels, those at the far border as far as they reach.

    Parameters
    ----------
    array_zyx : any quantity on the fine grid, at least ``COARSENING`` voxels along each axis.

    Returns
    -------
    NDArray : float32; coarse voxel i is centred on fine voxel 3 i + 1.
    """
    slabs = (array_zyx[z : z + SLAB] for z in range(0, len(array_zyx), SLAB))
    return np.concatenate([_coarsen_slab(slab) for slab in slabs])


def _coarsen_slab(slab_zyx: HuArray) -> NDArray[np.float32]:
    total: HuArray = slab_zyx
    counts = []
    for axis, length in enumerate(slab_zyx.shape):
        starts = np.arange(0, length, COARSENING)
        total = np.add.reduceat(total, starts, axis=axis, dtype=np.float32)
        counts.append(np.diff(starts, append=length).astype(np.float32))
    depth, rows, columns = counts
    return np.asarray(total / (depth[:, None, None] * rows[:, None] * columns), np.float32)


def interpolate(coarse: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a coarse field on the fine grid, linear between voxels, even beyond the outermost.

    Parameters
    ----------
    coarse : float32 [z, y, x].
    """
    fine = coarse
    for axis in range(coarse.ndim):
        fine = _interpolate_axis(fine, axis)
    return fine


def _interpolate_axis(field: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    here = np.moveaxis(field, axis, 0)
    before = np.concatenate([here[:1], here[:-1]])
    after = np.concatenate([here[1:], here[-1:]])
    shape = list(field.shape)
    shape[axis] *= COARSENING
    fine = np.empty(shape, np.float32)
    out = np.moveaxis(fine, axis, 0)
    near = here * _NEAR
    out[0::COARSENING] = near + before * _FAR
    out[1::COARSENING] = here
    out[2::COARSENING] = near + after * _FAR
    return fine
