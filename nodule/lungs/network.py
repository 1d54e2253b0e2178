"""The lung network and the coarse grid on which it sees the chest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from monai.networks.nets.unet import UNet
from torch.nn import functional

from nodule.hu import NETWORK_WINDOW, HuArray

if TYPE_CHECKING:
    from torch import Tensor, nn

COARSENING = 3
"""Fine voxels along each edge of a coarse one: 1 mm becomes 3 mm."""

CHANNELS = (16, 32, 64, 128)
RESIDUAL_UNITS = 2
_SLAB = 16 * COARSENING  # fine slices that are converted to floats at a time: bounds the memory
CLASSES = 3  # background, LungMask.RIGHT, LungMask.LEFT


def build_network(
    *, channels: Sequence[int] = CHANNELS, residual_units: int = RESIDUAL_UNITS
) -> nn.Module:
    """Build a 3D residual U-Net with fresh weights.

    It maps [batch, 1, z, y, x] in [0, 1] to logits [batch, 3, z, y, x]; every axis must be a
    multiple of :func:`stride`. Batch normalisation, because instance normalisation would take
    away the absolute HU that tells lung from soft tissue in a small field of view.

    References
    ----------
    Kerfoot et al. 2018 (residual U-Net), as in MONAI.
    """
    return UNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=CLASSES,
        channels=tuple(channels),
        strides=(2,) * (len(channels) - 1),
        num_res_units=residual_units,
        norm="BATCH",
    )


def stride(channels: Sequence[int]) -> int:
    """Return the voxels that the deepest level sums up along each axis."""
    return int(2 ** (len(channels) - 1))


def coarsen(array_zyx: HuArray) -> Tensor:
    """Average cubes of ``COARSENING`` voxels, those at the far border as far as they reach.

    Parameters
    ----------
    array_zyx : any quantity on the fine grid, at least ``COARSENING`` voxels along each axis.

    Returns
    -------
    Tensor : float32; coarse voxel i is centred on fine voxel 3 i + 1.
    """
    depth = array_zyx.shape[0]
    slabs = max(depth // _SLAB, 1)  # the last one is the longest
    ends = [*(_SLAB * n for n in range(slabs)), depth]
    return torch.cat([_coarsen_slab(array_zyx[low:high]) for low, high in pairwise(ends)])


def _coarsen_slab(slab_zyx: HuArray) -> Tensor:
    fine = torch.from_numpy(np.ascontiguousarray(slab_zyx, dtype=np.float32))
    # slices as channels: pooled in plane by both cores, then along z
    plane = functional.avg_pool2d(fine[None], COARSENING, ceil_mode=True, count_include_pad=False)
    columns = plane[0].permute(1, 2, 0)
    pooled = functional.avg_pool1d(columns, COARSENING, ceil_mode=True, count_include_pad=False)
    return pooled.permute(2, 0, 1).contiguous()


def normalise(hu: Tensor) -> Tensor:
    """Map the networks' HU window to [0, 1]; air, and so any padding, is 0."""
    low, high = NETWORK_WINDOW.low_hu, NETWORK_WINDOW.high_hu
    return ((hu - low) / (high - low)).clamp(0.0, 1.0)
