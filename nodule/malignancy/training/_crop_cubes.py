"""How a crop set's nodule is shown to the network for evaluation and validation."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nodule.hu import normalise_in_two_windows
from nodule.malignancy._answers import SeesCubes
from nodule.malignancy.training._nodule_examples import NoduleCropView
from nodule.training import STRAIGHT, Image, feathered_blend, synthetic_parenchyma

_LEVEL_HU = -850.0  # aerated lung
_SD_HU = 50.0
_FEATHER_MM = 2.0


def crop_cubes(views: Sequence[NoduleCropView], network: SeesCubes) -> NDArray[np.float32]:
    """Return a network's input for every view, [view, magnification, z, y, x].

    What a view does not show is synthetic lung, the same for every nodule.
    """
    return np.stack([_cubes(view, network) for view in views])


def _cubes(view: NoduleCropView, network: SeesCubes) -> NDArray[np.float32]:
    shape = (network.cube,) * 3
    fills = _parenchyma(network.cube, len(network.magnifications_mm))
    cubes = []
    for voxel_mm, under in zip(network.magnifications_mm, fills, strict=True):
        hu, depth_mm = view.piece.take(STRAIGHT, shape_zyx=shape, voxel_mm=voxel_mm)
        cubes.append(feathered_blend(hu, under, depth_mm=depth_mm, width_mm=_FEATHER_MM))
    return normalise_in_two_windows(np.stack(cubes))


@functools.cache
def _parenchyma(cube: int, count: int) -> tuple[Image, ...]:
    rng = np.random.default_rng(0)
    return tuple(
        synthetic_parenchyma(rng, shape_zyx=(cube,) * 3, level_hu=_LEVEL_HU, sd_hu=_SD_HU)
        for _ in range(count)
    )
