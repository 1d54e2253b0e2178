"""One small interface to whatever runs the networks: torch, or OpenVINO on CPUs."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.inference._compute_settings import SPEED_ONLY, Device, Engine, Precision
    from nodule.inference._engine_choice import Compute, choose_compute
    from nodule.inference._network_source import NetworkSource, Runner, open_network
    from nodule.inference._torch_engine import (
        TorchRunner,
        autocast,
        fold_normalisation,
        pick_device,
        prepare,
        uses_bf16,
    )

__all__ = [
    "SPEED_ONLY",
    "Compute",
    "Device",
    "Engine",
    "NetworkSource",
    "Precision",
    "Runner",
    "TorchRunner",
    "autocast",
    "choose_compute",
    "fold_normalisation",
    "open_network",
    "pick_device",
    "prepare",
    "uses_bf16",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_compute_settings": ["SPEED_ONLY", "Device", "Engine", "Precision"],
        "_engine_choice": ["Compute", "choose_compute"],
        "_network_source": ["NetworkSource", "Runner", "open_network"],
        "_torch_engine": [
            "TorchRunner",
            "autocast",
            "fold_normalisation",
            "pick_device",
            "prepare",
            "uses_bf16",
        ],
    },
)
