"""Device and precision, the same for every network.

On a CPU with AVX512-BF16, bfloat16 with channels-last memory runs 3D convolutions several times
faster than float32; elsewhere on a CPU float32 is used.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeVar

from nodule.errors import InputError

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]
SPEED_ONLY: Mapping[str, object] = MappingProxyType({"speed_only": True})
"""Metadata of a stage's field that changes speed, never the answer: it stays out of the key."""

_Network = TypeVar("_Network", bound="torch.nn.Module")


def pick_device(device: Device) -> torch.device:
    """Resolve ``auto`` to CUDA where there is one.

    Raises
    ------
    InputError : ``NO_CUDA`` when CUDA is asked for and absent.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "no CUDA device is available", code="NO_CUDA", hint="Use --device cpu or auto"
        )
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


@functools.cache
def _cpu_has_bf16() -> bool:
    info = Path("/proc/cpuinfo")
    return info.is_file() and "avx512_bf16" in info.read_text()


def uses_bf16(device: torch.device, precision: Precision) -> bool:
    """Whether a network runs in bfloat16 there."""
    if precision == "auto":
        return device.type == "cuda" or _cpu_has_bf16()
    return precision == "bf16"


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Return the context in which a network runs at the wanted precision."""
    import torch

    if uses_bf16(device, precision):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def prepare(network: _Network, device: torch.device) -> _Network:
    """Put a network on a device, in channels-last memory, for evaluation only."""
    import torch

    # torch's own annotation of Module.to lacks the memory format
    moved: _Network = network.to(device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return moved.eval()


def fold_normalisation(network: _Network) -> _Network:
    """Merge every batch normalisation into the convolution before it, in place.

    The network must be in evaluation mode; its answers stay the same up to rounding.
    """
    from monai.networks.blocks.convolutions import Convolution
    from torch import nn
    from torch.nn.utils import fuse_conv_bn_eval

    for block in network.modules():
        if isinstance(block, Convolution):
            conv, adn = block.get_submodule("conv"), getattr(block, "adn", nn.Identity())
            norm = getattr(adn, "N", None)
            if isinstance(conv, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d):
                block.add_module("conv", fuse_conv_bn_eval(conv, norm))
                adn.add_module("N", nn.Identity())
    return network
