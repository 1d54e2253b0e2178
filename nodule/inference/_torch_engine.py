"""torch: the reference on CPUs, the only engine on CUDA, and where training runs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from nodule.errors import InputError
from nodule.inference._engine_choice import cpu_has_bf16

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from nodule.inference._compute_settings import Device, Precision

_Network = TypeVar("_Network", bound="torch.nn.Module")
_IMAGE_AXES = 5


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


def uses_bf16(device: torch.device, precision: Precision) -> bool:
    """Whether a network runs in bfloat16 there."""
    if precision == "auto":
        return device.type == "cuda" or cpu_has_bf16()
    return precision == "bf16"


def autocast(device: torch.device, *, bf16: bool) -> AbstractContextManager[object]:
    """Return the context in which a network runs in bfloat16, or as its tensors are."""
    import torch

    return torch.autocast(device.type, dtype=torch.bfloat16) if bf16 else nullcontext()


def prepare(network: _Network, device: torch.device) -> _Network:
    """Put a network on a device, in channels-last memory, for evaluation only."""
    import torch

    # torch's own annotation of Module.to lacks the memory format
    moved: _Network = network.to(device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return moved.eval()


@dataclass(frozen=True, kw_only=True, eq=False)
class TorchRunner:
    """A network of torch, called with arrays.

    Parameters
    ----------
    network : in evaluation mode on its device, from one tensor to another.
    device : where it lies.
    bf16 : whether it computes in bfloat16.
    """

    network: torch.nn.Module
    device: torch.device
    bf16: bool

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the answers, float32."""
        import torch

        tensor = torch.from_numpy(np.ascontiguousarray(images)).to(self.device)
        if tensor.ndim == _IMAGE_AXES:
            tensor = tensor.contiguous(memory_format=torch.channels_last_3d)
        with torch.inference_mode(), autocast(self.device, bf16=self.bf16):
            said = self.network(tensor)
        return np.asarray(said.float().cpu().numpy(), np.float32)


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
