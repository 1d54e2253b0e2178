"""The C3D multitask network: a cube of lung in, a nodule's probability and nature out.

After de Wit (Data Science Bowl 2017, second place), whose network took 32 mm cubes through
stacked 3x3x3 convolutions to a nodule and a malignancy output. Changed here: batch normalisation
and residual units (deeper gradients, a higher rate), a strided stem (a third of the cost at the
same accuracy of position), global pooling instead of a last convolution, malignancy as a
distribution, and the readers' other characteristics and the diameter as further outputs, which
teach the backbone what radiologists look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from nodule.malignancy._answers import CUBE, LEVELS, MAGNIFICATIONS_MM, TASK_WIDTHS
from nodule.malignancy._backbones import build_backbone


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What the network says of a batch, all float32.

    Parameters
    ----------
    nodule : logit that it is a nodule, [item].
    ratings : per characteristic logits [item, level].
    log_diameter : of the diameter over ``REFERENCE_DIAMETER_MM``, [item].
    """

    nodule: Tensor
    ratings: Mapping[str, Tensor]
    log_diameter: Tensor


class C3DMultitask(nn.Module):
    """One backbone for all magnifications, and one linear layer for all tasks.

    Parameters
    ----------
    backbone : the backbone's name; see :mod:`nodule.malignancy._backbones`.
    magnifications_mm : edge of a voxel of each cube that shows a candidate.
    cube : voxels along an edge.
    windows : HU windows that it sees: 1 for ``NETWORK_WINDOW`` alone, 2 for ``DENSE_WINDOW``, too,
        which tells calcium from what is only as dense as soft tissue with contrast medium.
    answers : ``nodule`` where the answers about its kind alone are to be relied on, because others
        of an ensemble rate better; ``all`` else. The network itself has every output.
    channels : of the stem and of each residual level of ``c3d``; every level after the first
        halves the grid.
    features : width of the layer from which all tasks are read.
    dropout : share of the features that training leaves out.

    Raises
    ------
    ConfigError : ``UNKNOWN_BACKBONE``.
    """

    def __init__(
        self,
        *,
        backbone: str = "c3d",
        magnifications_mm: Sequence[float] = MAGNIFICATIONS_MM,
        cube: int = CUBE,
        windows: int = 1,
        answers: str = "all",
        channels: Sequence[int] = (32, 32, 64, 128),
        features: int = 128,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.magnifications_mm = tuple(magnifications_mm)
        self.cube = cube
        self.windows = windows
        self.answers = answers
        self.backbone, width, self.explained_layer = build_backbone(
            backbone, channels=channels, inputs=windows
        )
        pooled = 2 * width * len(self.magnifications_mm)
        self.features = nn.Sequential(
            nn.Linear(pooled, features), nn.ReLU(inplace=True), nn.Dropout(dropout)
        )
        self.tasks = nn.Linear(features, sum(TASK_WIDTHS))

    def forward(self, cubes: Tensor) -> Outputs:
        """Predict for cubes [item, magnification, z, y, x].

        HU are mapped by :func:`nodule.hu.normalise_in_two_windows`.
        """
        nodule, log_diameter, *ratings = torch.split(self.logits(cubes), list(TASK_WIDTHS), dim=1)
        return Outputs(
            nodule=nodule[:, 0],
            ratings=dict(zip(LEVELS, ratings, strict=True)),
            log_diameter=log_diameter[:, 0],
        )

    def logits(self, cubes: Tensor) -> Tensor:
        """Return what :meth:`forward` sorts by task, float32 [item, output]."""
        one = cubes.flatten(0, 1)[:, None]
        maps = self.backbone(
            torch.cat([(one - window).clamp(0, 1) for window in range(self.windows)], dim=1)
        )
        pooled = torch.cat([maps.mean(dim=(2, 3, 4)), maps.amax(dim=(2, 3, 4))], dim=1)
        width = pooled.shape[1] * len(self.magnifications_mm)
        logits: Tensor = self.tasks(self.features(pooled.reshape(-1, width)))
        return logits.float()


class LogitsOnly(nn.Module):
    """A network from one tensor to another, which is what an engine runs.

    Parameters
    ----------
    network : whose :meth:`C3DMultitask.logits` are wanted.
    """

    def __init__(self, network: C3DMultitask) -> None:
        super().__init__()
        self.network = network

    def forward(self, cubes: Tensor) -> Tensor:
        """Return the logits, [item, output]."""
        return self.network.logits(cubes)


def build(architecture: Mapping[str, object]) -> C3DMultitask:
    """Build the network that a weights file names."""
    return C3DMultitask(**cast("dict[str, Sequence[float]]", dict(architecture)))  # type: ignore[arg-type]
