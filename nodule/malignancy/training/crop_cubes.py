"""How a crop set's nodule is shown to the network when it is judged, not learnt from."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nodule.hu import NETWORK_WINDOW
from nodule.malignancy.network import C3DMultitask
from nodule.malignancy.training.nodule_examples import View
from nodule.malignancy.training.sample_poses import STRAIGHT, Cube, synthetic_parenchyma, whole_view
from nodule.training.copy_paste import feathered_blend

_LEVEL_HU = -850.0  # aerated lung
_SPREAD_HU = 50.0
_SEAM_MM = 2.0


def views_cubes(views: Sequence[View], network: C3DMultitask) -> NDArray[np.float32]:
    """Return a network's input for every view, [view, magnification, z, y, x].

    What a view does not show is synthetic lung, the same for every nodule.
    """
    return np.stack([_cubes(view, network) for view in views])


def _cubes(view: View, network: C3DMultitask) -> NDArray[np.float32]:
    piece = whole_view(view)
    fills = _parenchyma(network.cube, len(network.magnifications_mm))
    cubes = []
    for pitch_mm, under in zip(network.magnifications_mm, fills, strict=True):
        hu, depth_mm = piece.take(STRAIGHT, pitch_mm=pitch_mm, cube=network.cube)
        cubes.append(feathered_blend(hu, under, depth_mm=depth_mm, seam_mm=_SEAM_MM))
    return NETWORK_WINDOW.normalise(np.stack(cubes))


@functools.cache
def _parenchyma(cube: int, count: int) -> tuple[Cube, ...]:
    rng = np.random.default_rng(0)
    return tuple(
        synthetic_parenchyma(rng, cube=cube, level_hu=_LEVEL_HU, spread_hu=_SPREAD_HU)
        for _ in range(count)
    )
