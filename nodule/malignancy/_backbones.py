"""The backbones that turn a cube into feature maps, by name.

``c3d`` is small and made for CPUs. The others are MONAI's, with the layer names of MedicalNet and
of torchvision's DenseNet, so that weights trained elsewhere can be mapped by name. All take
[item, input, z, y, x] and return [item, channel, z, y, x].
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import torch
from monai.networks.blocks.convolutions import Convolution, ResidualUnit
from monai.networks.nets.densenet import DenseNet
from monai.networks.nets.resnet import ResNet
from torch import Tensor, nn

from nodule.errors import ConfigError

Backbone = tuple[nn.Module, int, str]
"""A network, the number of its channels, and the inner layer that Grad-CAM looks at: the last one
that still tells places a few millimetres apart."""

BackboneName = Literal[
    "c3d", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "densenet121"
]
"""The keys of ``BACKBONES``."""

_RESNETS: Mapping[str, tuple[str, Sequence[int], str]] = {
    # block, units per level, shortcut as MedicalNet trained them
    "resnet18": ("basic", (2, 2, 2, 2), "A"),
    "resnet34": ("basic", (3, 4, 6, 3), "A"),
    "resnet50": ("bottleneck", (3, 4, 6, 3), "B"),
    "resnet101": ("bottleneck", (3, 4, 23, 3), "B"),
    "resnet152": ("bottleneck", (3, 8, 36, 3), "B"),
}
_WIDTHS = (64, 128, 256, 512)


class _ResNetMaps(ResNet):
    """MONAI's ResNet up to its last feature maps."""

    def forward(self, cubes: Tensor) -> Tensor:
        maps = self.maxpool(self.act(self.bn1(self.conv1(cubes))))
        for level in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = level(maps)
        return torch.as_tensor(maps)


class _DenseNetMaps(DenseNet):
    """MONAI's DenseNet up to its last feature maps."""

    def __init__(self, *, inputs: int) -> None:
        super().__init__(spatial_dims=3, in_channels=inputs, out_channels=1)
        del self.class_layers

    def forward(self, cubes: Tensor) -> Tensor:
        return torch.relu(self.features(cubes))


def _c3d(channels: Sequence[int], inputs: int) -> Backbone:
    stem = Convolution(
        3, inputs, channels[0], kernel_size=3, strides=2, act="relu", norm="batch",
        adn_ordering="NA", bias=False,
    )  # fmt: skip
    levels = [
        ResidualUnit(
            3, inputs, outputs, strides=1 if depth == 0 else 2, act="relu", norm="batch",
            adn_ordering="NA", bias=False,
        )
        for depth, (inputs, outputs) in enumerate(itertools.pairwise(channels))
    ]  # fmt: skip
    return nn.Sequential(stem, *levels), channels[-1], str(max(0, len(channels) - 2))


def _resnet(channels: Sequence[int], inputs: int, *, name: str) -> Backbone:
    block, layers, shortcut = _RESNETS[name]
    backbone = _ResNetMaps(
        block, list(layers), list(_WIDTHS), spatial_dims=3, n_input_channels=inputs,
        shortcut_type=shortcut, bias_downsample=False, feed_forward=False,
    )  # fmt: skip
    return backbone, _WIDTHS[-1] * (4 if block == "bottleneck" else 1), "layer2"


def _densenet121(channels: Sequence[int], inputs: int) -> Backbone:
    return _DenseNetMaps(inputs=inputs), 1024, "features.denseblock2"


BACKBONES: Mapping[str, Callable[[Sequence[int], int], Backbone]] = MappingProxyType(
    {
        "c3d": _c3d,
        **{name: functools.partial(_resnet, name=name) for name in _RESNETS},
        "densenet121": _densenet121,
    }
)


def build_backbone(backbone: str, *, channels: Sequence[int], inputs: int = 1) -> Backbone:
    """Build a backbone with fresh weights.

    Parameters
    ----------
    backbone : a name in ``BACKBONES``.
    channels : of ``c3d``'s stem and levels; the others have their own.
    inputs : channels of the cubes.

    Raises
    ------
    ConfigError : ``UNKNOWN_BACKBONE``.
    """
    if backbone not in BACKBONES:
        raise ConfigError(
            "no such backbone", code="UNKNOWN_BACKBONE", expected=sorted(BACKBONES), got=backbone
        )
    return BACKBONES[backbone](channels, inputs)
