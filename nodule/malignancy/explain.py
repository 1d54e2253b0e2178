"""Where the network looks: Grad-CAM in patient coordinates.

Grad-CAM (Selvaraju et al. 2017) weighs the maps of an inner layer by the gradient of an answer with
regard to them. The gradient is taken place by place (HiResCAM, Draelos and Carin 2020), since the
mean over a map also lights up places that the answer does not depend on: here, the corners of the
cube. The mean over the eight mirror images smooths what the coarse grid leaves. The map shows what
raised the answer, at the layer's resolution of about 4 mm; it does not prove why.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from monai.visualize.class_activation_maps import GradCAM
from numpy.typing import NDArray
from torch import Tensor, nn

from nodule.errors import InputError
from nodule.geometry import Geometry, Vector, as_vector
from nodule.malignancy.cubes import candidate_cubes
from nodule.malignancy.network import C3DMultitask
from nodule.malignancy.ordinal import mean_rating
from nodule.malignancy.predict import Predictor
from nodule.volume import Volume

Answer = Literal["nodule", "malignancy"]

_MIRRORS = tuple(axes for count in range(4) for axes in itertools.combinations((2, 3, 4), count))


@dataclass(frozen=True, kw_only=True, eq=False)
class HeatMap:
    """What raised an answer.

    Parameters
    ----------
    heat_zyx : float32 [z, y, x], 0 to 1; all 0 where nothing raised it.
    geometry : its grid in LPS mm.
    """

    heat_zyx: NDArray[np.float32]
    geometry: Geometry


def explain(
    predictor: Predictor, volume: Volume, *, center_lps_mm: Vector, answer: Answer
) -> HeatMap:
    """Map what raised an answer about one place.

    Parameters
    ----------
    predictor : the network; computed in float32 here.
    volume : HU on the canonical 1 mm grid, air beyond its border.
    center_lps_mm : the place, such as a finding's centre.
    answer : the logit of being a nodule, or the mean malignancy rating.

    Raises
    ------
    InputError : ``OUTSIDE_VOLUME``.
    """
    if not volume.geometry.contains(center_lps_mm):
        raise InputError("a point lies outside the scan", code="OUTSIDE_VOLUME", got=center_lps_mm)
    network = predictor.network
    cubes = candidate_cubes(
        volume.array_zyx,
        center_zyx=volume.geometry.lps_to_index(center_lps_mm),
        spacing_zyx_mm=volume.geometry.spacing_zyx_mm,
        magnifications_mm=network.magnifications_mm,
        cube=network.cube,
    )
    heat = heat_map(network, torch.from_numpy(cubes)[None].to(predictor.device), answer=answer)
    return HeatMap(heat_zyx=heat, geometry=_cube_grid(network, volume.geometry, center_lps_mm))


def heat_map(network: C3DMultitask, cubes: Tensor, *, answer: Answer) -> NDArray[np.float32]:
    """Return the map [z, y, x], 0 to 1, of one item's cubes [1, magnification, z, y, x]."""
    cam = _ElementwiseCam(
        nn_module=_OneAnswer(network, answer),
        target_layers=f"network.trunk.{network.explained_layer}",
        postprocessing=_as_it_is,
    )
    # the module counts magnifications as items; the first is the finest
    maps = [
        cam(x=cubes.flip(axes), class_idx=0)[0, 0].flip([a - 2 for a in axes]) for axes in _MIRRORS
    ]
    heat = torch.stack(maps).mean(dim=0)
    heat = heat / heat.max().clamp(min=torch.finfo(heat.dtype).tiny)
    return np.asarray(heat.detach().cpu().numpy(), dtype=np.float32)


class _ElementwiseCam(GradCAM):
    """Weighs every place of a map by its own gradient, not by the map's mean."""

    def compute_map(  # type: ignore[override]  # as GradCAM's own, which is not as its base's
        self,
        x: Tensor,
        class_idx: int | None = None,
        retain_graph: bool = False,
        layer_idx: int = -1,
        **options: Any,
    ) -> Tensor:
        _, maps, gradients = self.nn_module(
            x, class_idx=class_idx, retain_graph=retain_graph, **options
        )
        return torch.relu((gradients[layer_idx] * maps[layer_idx]).sum(dim=1, keepdim=True))


class _OneAnswer(nn.Module):
    """A network that gives one answer as its only class, which is what Grad-CAM takes."""

    def __init__(self, network: C3DMultitask, answer: Answer) -> None:
        super().__init__()
        self.network = network
        self.answer = answer

    def forward(self, cubes: Tensor) -> Tensor:
        outputs = self.network(cubes)
        if self.answer == "nodule":
            return torch.as_tensor(outputs.nodule[:, None])
        return mean_rating(outputs.ratings["malignancy"].softmax(dim=-1))[:, None]


def _as_it_is(maps: Tensor) -> Tensor:
    return maps


def _cube_grid(network: C3DMultitask, scan: Geometry, center_lps_mm: Vector) -> Geometry:
    pitch_mm = network.magnifications_mm[0]
    half_mm = pitch_mm * (network.cube - 1) / 2
    first = np.asarray(center_lps_mm) - np.asarray(scan.direction) @ np.full(3, half_mm)
    return Geometry(
        shape_zyx=(network.cube,) * 3,
        spacing_zyx_mm=(pitch_mm,) * 3,
        origin_lps_mm=as_vector(first),
        direction=scan.direction,
    )
