"""The lung network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from monai.networks.nets.unet import UNet

from nodule.lungs._coarse import CHANNELS

if TYPE_CHECKING:
    from torch import nn

RESIDUAL_UNITS = 2
CLASSES = 3  # background, LungMask.RIGHT, LungMask.LEFT


def build_network(
    *, channels: Sequence[int] = CHANNELS, residual_units: int = RESIDUAL_UNITS
) -> nn.Module:
    """Build a 3D residual U-Net with fresh weights.

    It maps [batch, 1, z, y, x] in [0, 1] to logits [batch, 3, z, y, x]; every axis must be a
    multiple of what its deepest level sums up. Batch normalisation, because instance normalisation
    would take away the absolute HU that tells lung from soft tissue in a small field of view.

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
