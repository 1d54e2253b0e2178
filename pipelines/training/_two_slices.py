"""Two slices, of which torch computes wrong gradients in bfloat16 on a CPU.

The gradient of the weights of a 3x3x3 convolution of stride 1 over a grid of exactly two slices
reads memory that nobody has written (torch 2.13, oneDNN): mostly a number that is nearly right,
and NaN where NaN lay there. One slice, three and more, and float32 are right. So two slices are
computed as three of which the last is empty.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

_WRONG = 2


class _ThreeSlices(nn.Conv3d):
    """A convolution that never computes two slices."""

    def forward(self, images: Tensor) -> Tensor:
        """Convolve [item, channel, z, y, x]."""
        if images.shape[2] != _WRONG:
            return super().forward(images)
        # beyond the last slice there is 0 anyway
        return super().forward(functional.pad(images, (0, 0, 0, 0, 0, 1)))[:, :, :_WRONG]


def compute_two_slices_as_three(network: nn.Module) -> None:
    """Change a network's convolutions in place; its answers stay the same up to rounding."""
    for module in network.modules():
        if type(module) is nn.Conv3d and _keeps_slices(module):
            module.__class__ = _ThreeSlices  # the weights stay where optimisers know them


def _keeps_slices(conv: nn.Conv3d) -> bool:
    """Whether there are as many slices behind it as before it, for padding with 0."""
    if conv.padding_mode != "zeros" or conv.stride[0] != 1 or conv.kernel_size[0] == 1:
        return False
    return conv.padding[0] == conv.dilation[0] * (conv.kernel_size[0] - 1) // 2
