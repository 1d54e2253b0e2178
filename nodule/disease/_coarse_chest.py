"""A chest on a coarse grid: disease is wide, and needs no millimetre."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.geometry import Geometry
from nodule.masks import NoduleMask
from nodule.volume import LungMask, Volume

Mask = NDArray[np.bool_]
Image = NDArray[np.float32]

_STEP_MM = 3.0  # about the edge of a block
_HALF = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class CoarseChest:
    """What disease is measured on.

    Parameters
    ----------
    hu : mean of each block of voxels, [z, y, x]; what does not fill a block is left out.
    sides : 0 outside, else :class:`LungMask`'s labels, where at least half of a block is lung.
    geometry : of the fine grid.
    factor : its voxels along an edge of a block.
    """

    hu: Image
    sides: NDArray[np.uint8]
    geometry: Geometry
    factor: int

    @classmethod
    def of(cls, volume: Volume, lungs: LungMask) -> CoarseChest:
        """Average an image and its lungs, which lie on one grid."""
        factor = max(1, round(_STEP_MM / min(volume.geometry.spacing_zyx_mm)))
        right, left = (
            _blocks(lungs.labels_zyx == label, factor) for label in (LungMask.RIGHT, LungMask.LEFT)
        )
        lung = right + left > _HALF
        side = np.where(right > left, LungMask.RIGHT, LungMask.LEFT)
        return cls(
            hu=_blocks(volume.array_zyx, factor),
            sides=(side * lung).astype(np.uint8),
            geometry=volume.geometry,
            factor=factor,
        )

    @property
    def voxel_ml(self) -> float:
        """Volume of a block."""
        return self.factor**3 * self.geometry.voxel_volume_mm3 / 1000.0

    @property
    def step_mm(self) -> float:
        """Edge of a block."""
        return self.factor * self.geometry.spacing_zyx_mm[0]

    def places(self, points_lps_mm: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the blocks of points [n, 3] that lie in the image, each once."""
        index = np.rint(self.geometry.lps_to_index(points_lps_mm)).astype(np.int64) // self.factor
        inside = ((index >= 0) & (index < self.hu.shape)).all(axis=1)
        return np.unique(index[inside], axis=0)

    def covered(self, masks: Iterable[NoduleMask]) -> Mask:
        """Return the blocks that hold a voxel of a mask."""
        found = np.zeros(self.hu.shape, np.bool_)
        for mask in masks:
            points = mask.geometry.index_to_lps(np.argwhere(mask.array_zyx))
            found[tuple(self.places(points).T)] = True
        return found


def _blocks(array_zyx: NDArray[np.generic], factor: int) -> Image:
    """Average cubes of voxels, slab by slab, so that no second volume is held."""
    depth, height, width = (n // factor for n in array_zyx.shape)
    out = np.empty((depth, height, width), np.float32)
    for k in range(depth):
        slab = array_zyx[k * factor : (k + 1) * factor, : height * factor, : width * factor]
        blocks = slab.astype(np.float32).reshape(factor, height, factor, width, factor)
        out[k] = blocks.mean(axis=(0, 2, 4))
    return out
