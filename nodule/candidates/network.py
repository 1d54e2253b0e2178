"""The heat-map network: a small residual feature pyramid that answers every 4 mm.

A stride-2 stem keeps the full-resolution grid out of the memory; two further halvings and one
more for context see enough of the lung to tell a nodule from a vessel; lateral joins bring the
context back to the grid on which the answers are given. Before inference batch normalisation is
folded into the convolutions, and the stem reads columns in pairs (:func:`pair_columns`). The form
follows CenterNet (Zhou et al. 2019, *Objects as Points*) and CPM-Net (Song et al. 2020) in three
dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from monai.networks.blocks.convolutions import Convolution, ResidualUnit
from torch import nn
from torch.nn import functional

from nodule.candidates._heatmap import OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_RARE = -4.6  # logit of 1 %: what most cells are when training starts (Lin et al. 2017)


class HeatmapNetwork(nn.Module):
    """Image to heat map.

    Parameters
    ----------
    channels : widths at 1/2, 1/4, 1/8 and 1/16 of the resolution.
    depths : residual units at each of them.
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 48, 64, 64),
        depths: Sequence[int] = (1, 2, 2, 1),
    ) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth = channels
        self.stem = Convolution(3, 1, half, strides=2, kernel_size=5, norm="batch", act="relu")
        self.halved = _level(half, half, depth=depths[0], stride=1)
        self.quarter = _level(half, quarter, depth=depths[1], stride=2)
        self.eighth = _level(quarter, eighth, depth=depths[2], stride=2)
        self.sixteenth = _level(eighth, sixteenth, depth=depths[3], stride=2)
        self.join_eighth = _lateral(sixteenth, eighth)
        self.refine_eighth = _unit(eighth, eighth)
        self.join_quarter = _lateral(eighth, quarter)
        self.refine_quarter = _unit(quarter, quarter)
        self.head = nn.Conv3d(quarter, OUTPUTS, kernel_size=1)
        with torch.no_grad():
            assert self.head.bias is not None
            self.head.bias.zero_()
            self.head.bias[0] = _RARE

    def forward(self, image: Tensor) -> Tensor:
        """Return the raw answers.

        Parameters
        ----------
        image : (batch, 1, z, y, x), HU normalised to [0, 1], 1 mm, sizes multiples of 16.

        Returns
        -------
        Tensor : (batch, 5, z/4, y/4, x/4), float32.
        """
        quarter = self.quarter(self.halved(self.stem(image)))
        eighth = self.eighth(quarter)
        context = self.join_eighth(self.sixteenth(eighth))
        eighth = self.refine_eighth(eighth + _twice(context))
        quarter = self.refine_quarter(quarter + _twice(self.join_quarter(eighth)))
        answers: Tensor = self.head(quarter)
        return answers.float()


def pair_columns(network: HeatmapNetwork) -> HeatmapNetwork:
    """Let the stem read every two neighbouring columns as two channels, in place.

    The same products are summed in another order. A CPU's matrix units lie idle on one channel:
    in bfloat16 the stem takes a sixth of the time, and it had been half of the network's.
    """
    network.stem.add_module("conv", _PairedColumns(network.stem.get_submodule("conv")))
    return network


class _PairedColumns(nn.Module):
    """A convolution of stride 2 on one channel, as one of stride (2, 2, 1) on two."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        assert isinstance(conv, nn.Conv3d)
        assert conv.in_channels == 1
        assert conv.stride == (2, 2, 2)
        depth, rows, columns = conv.kernel_size
        assert columns % 4 == 1, "pairs of voxels must be aligned with the kernel"
        self.conv = nn.Conv3d(
            2, conv.out_channels, (depth, rows, columns // 2 + 1), stride=(2, 2, 1),
            padding=(depth // 2, rows // 2, columns // 4), bias=conv.bias is not None,
        )  # fmt: skip
        # the kernel's last pair has no second column
        kernel = functional.pad(conv.weight.detach(), (0, 1))
        self.conv.weight = nn.Parameter(_paired(kernel).contiguous())
        self.conv.bias = conv.bias

    def forward(self, image: Tensor) -> Tensor:
        """Convolve (batch, 1, z, y, x) with x even; in channels-last memory nothing is copied."""
        answers: Tensor = self.conv(_paired(image))
        return answers


def _paired(image: Tensor) -> Tensor:
    """View (n, 1, z, y, x) as (n, 2, z, y, x/2): even columns, odd columns."""
    count, _, depth, rows, columns = image.shape
    return image.reshape(count, depth, rows, columns // 2, 2).movedim(-1, 1)


def _level(inputs: int, outputs: int, *, depth: int, stride: int) -> nn.Sequential:
    first = _unit(inputs, outputs, stride=stride)
    return nn.Sequential(first, *(_unit(outputs, outputs) for _ in range(depth - 1)))


def _unit(inputs: int, outputs: int, *, stride: int = 1) -> ResidualUnit:
    return ResidualUnit(3, inputs, outputs, strides=stride, subunits=2, norm="batch", act="relu")


def _lateral(inputs: int, outputs: int) -> Convolution:
    return Convolution(3, inputs, outputs, kernel_size=1, norm="batch", act="relu")


def _twice(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2, mode="nearest")
