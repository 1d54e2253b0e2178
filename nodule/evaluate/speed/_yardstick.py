"""A fixed piece of work of the kind that a study needs, which no change of this package touches."""

from __future__ import annotations

import torch
from monai.networks.nets.unet import UNet

from nodule.evaluate.speed._cost import Cost, measure

NETWORKS = 60
"""How many times the yardstick's network runs; a few are timed, and the time is scaled."""

_TIMED = 4
_EDGE = 96


class Yardstick:
    """Sixty runs of MONAI's residual U-Net, 16 to 128 channels wide, on 96³ voxels in float32."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self._network = UNet(
            spatial_dims=3, in_channels=1, out_channels=2, channels=(16, 32, 64, 128),
            strides=(2, 2, 2), num_res_units=2,
        ).eval()  # fmt: skip
        self._image = torch.rand(1, 1, _EDGE, _EDGE, _EDGE)
        self._run(1)  # what only a first run does

    def cost(self) -> Cost:
        """Time a few runs, and return what sixty take."""
        _, cost = measure(lambda: self._run(_TIMED))
        return cost.scaled(NETWORKS / _TIMED)

    def _run(self, times: int) -> None:
        with torch.inference_mode():
            for _ in range(times):
                self._network(self._image)
