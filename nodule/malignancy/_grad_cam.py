"""Where the networks look: Grad-CAM in patient coordinates.

Grad-CAM (Selvaraju et al. 2017) weighs the maps of an inner layer by the gradient of an answer with
regard to them. MONAI's does all but the weighing, for which it has no option: the gradient is taken
place by place (HiResCAM, Draelos and Carin 2020), since its mean over a map also lights up places
that the answer does not depend on: here, the corners of the cube. The mean over the eight mirror
images smooths what the coarse grid leaves; the mean over an ensemble's members is taken before any
scaling, so that each counts as it does in their common answer. The map shows what raised the
answer, at the layer's resolution of about 4 mm; it does not prove why.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from monai.visualize.class_activation_maps import GradCAM
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from nodule.errors import InputError
from nodule.geometry import Geometry, Vector, as_vector
from nodule.malignancy._answers import SeesCubes
from nodule.malignancy._cubes import candidate_cubes
from nodule.malignancy._predict import TTA_FLIPS
from nodule.malignancy.network import C3DMultitask
from nodule.saliency import Answer
from nodule.volume import Volume


@dataclass(frozen=True, kw_only=True, eq=False)
class ReceptiveField:
    """A place in a scan, as networks see it.

    Parameters
    ----------
    volume : HU, of the canonical 1 mm grid where trained networks look; air beyond its border.
    center_lps_mm : the middle of what they see.

    Raises
    ------
    InputError : ``OUTSIDE_VOLUME``.
    """

    volume: Volume
    center_lps_mm: Vector

    def __post_init__(self) -> None:
        if not self.volume.geometry.contains(self.center_lps_mm):
            raise InputError(
                "a point lies outside the scan", code="OUTSIDE_VOLUME", got=self.center_lps_mm
            )

    @classmethod
    def cut(
        cls, volume: Volume, *, center_lps_mm: Vector, networks: Iterable[C3DMultitask]
    ) -> ReceptiveField:
        """Cut what networks see of a place out of a scan, so that it can be altered cheaply.

        Raises
        ------
        InputError : ``OUTSIDE_VOLUME``.
        """
        whole = cls(volume=volume, center_lps_mm=center_lps_mm)
        scan = volume.geometry
        edge_mm = max(each.cube * max(each.magnifications_mm) for each in networks)
        half = edge_mm / 2 / np.asarray(scan.spacing_zyx_mm) + 1
        middle = scan.lps_to_index(center_lps_mm)
        low = np.clip(np.floor(middle - half), 0, scan.shape_zyx).astype(int)
        high = np.clip(np.ceil(middle + half) + 1, 0, scan.shape_zyx).astype(int)
        depth, rows, columns = (int(n) for n in high - low)
        grid = replace(
            scan,
            shape_zyx=(depth, rows, columns),
            origin_lps_mm=as_vector(scan.index_to_lps(low)),
        )
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        part = volume.array_zyx[box].astype(np.float32)
        return replace(whole, volume=Volume(array_zyx=part, geometry=grid))

    def cubes(self, network: SeesCubes) -> NDArray[np.float32]:
        """Return a network's input, [1, magnification, z, y, x]."""
        cubes = candidate_cubes(
            self.volume.array_zyx,
            center_zyx=self.volume.geometry.lps_to_index(self.center_lps_mm),
            spacing_zyx_mm=self.volume.geometry.spacing_zyx_mm,
            magnifications_mm=network.magnifications_mm,
            cube=network.cube,
        )
        return cubes[None]

    def grid(self, network: C3DMultitask) -> Geometry:
        """Return where the voxels of a network's first cube lie, which is the one explained."""
        scan = self.volume.geometry
        pitch_mm = network.magnifications_mm[0]
        half_mm = pitch_mm * (network.cube - 1) / 2
        first = np.asarray(self.center_lps_mm) - np.asarray(scan.direction) @ np.full(3, half_mm)
        return Geometry(
            shape_zyx=(network.cube,) * 3,
            spacing_zyx_mm=(pitch_mm,) * 3,
            origin_lps_mm=as_vector(first),
            direction=scan.direction,
        )


def field_cubes(places: Sequence[ReceptiveField], network: SeesCubes) -> NDArray[np.float32]:
    """Return a network's input for several places, [place, magnification, z, y, x]."""
    return np.concatenate([place.cubes(network) for place in places])


def saliency_map(
    networks: Sequence[C3DMultitask], place: ReceptiveField, *, answer: Answer
) -> Volume:
    """Map what raised the common answer of an ensemble about one place.

    Parameters
    ----------
    networks : the members, one at least; they compute in float32 here, and are left as they are.
    place : such as a finding's centre.
    answer : the logit of being a nodule, or the mean malignancy rating.

    Returns
    -------
    Volume : saliency from 0 to 1, on the widest of the members' cubes; all 0 where nothing raised
        the answer.
    """
    grids = [place.grid(network) for network in networks]
    common = max(grids, key=lambda grid: grid.spacing_zyx_mm[0] * grid.shape_zyx[0])
    seen = [
        _on_grid(
            contributions(
                network,
                torch.from_numpy(place.cubes(network)).to(next(network.parameters()).device),
                answer=answer,
            ),
            grid,
            common,
        )
        for network, grid in zip(networks, grids, strict=True)
    ]
    saliency = np.mean(seen, axis=0)
    tiny = np.finfo(np.float32).tiny
    return Volume(array_zyx=saliency / max(saliency.max(), tiny), geometry=common)


def _on_grid(
    saliency_zyx: NDArray[np.float32], grid: Geometry, common: Geometry
) -> NDArray[np.float32]:
    """Return a map on another grid, per volume as strong as before, 0 where it does not reach."""
    if grid == common:
        return saliency_zyx
    voxels = np.moveaxis(np.indices(common.shape_zyx), 0, -1)
    where = np.moveaxis(grid.lps_to_index(common.index_to_lps(voxels)), -1, 0)
    moved = ndimage.map_coordinates(saliency_zyx, where, order=1, mode="constant", cval=0.0)
    return np.asarray(moved * (common.voxel_volume_mm3 / grid.voxel_volume_mm3), np.float32)


def contributions(network: C3DMultitask, cubes: Tensor, *, answer: Answer) -> NDArray[np.float32]:
    """Return what each place of the first of one item's cubes added to an answer.

    Parameters
    ----------
    network : left as it is.
    cubes : [1, magnification, z, y, x] on the network's device.
    answer : as in :func:`saliency_map`.

    Returns
    -------
    float32 [z, y, x], in the answer's unit, 0 where a place lowered it.
    """
    own = copy.deepcopy(network).requires_grad_(False)  # hooks are left behind in it
    own.backbone.get_submodule(own.explained_layer).register_forward_pre_hook(_begin_gradient)
    cam = _ElementwiseCam(
        nn_module=_OneAnswer(own, answer),
        target_layers=f"network.backbone.{own.explained_layer}",
        postprocessing=_as_it_is,
    )
    mirrored = torch.cat([cubes.flip(axes) for axes in TTA_FLIPS])
    # the module counts magnifications as items; the first of each item is the finest
    maps = cam(x=mirrored, class_idx=0)[:: cubes.shape[1], 0]
    back = [
        one.flip([axis - 2 for axis in axes]) for one, axes in zip(maps, TTA_FLIPS, strict=True)
    ]
    saliency = torch.stack(back).mean(dim=0)
    return np.asarray(saliency.detach().cpu().numpy(), dtype=np.float32)


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
        return expected_rating(outputs.ratings["malignancy"].softmax(dim=-1))[:, None]


def expected_rating(distribution: Tensor) -> Tensor:
    """Return the expected rating, counted from 1, of distributions [..., level]."""
    ratings = torch.arange(1, distribution.shape[-1] + 1, device=distribution.device)
    return (distribution * ratings).sum(dim=-1)


def _begin_gradient(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Spare the layers below their share of the gradient, which is most of the work."""
    return tuple(each.detach().requires_grad_() for each in inputs)


def _as_it_is(maps: Tensor) -> Tensor:
    return maps
