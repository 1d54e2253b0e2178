"""Whether a saliency map shows what an answer rests on.

Two questions, after Adebayo et al. 2018 and Samek et al. 2017. Does the map change when what was
learned is destroyed? If not, it shows the picture's edges and no network. Does the answer change
when the hottest places are hidden, and more than when as much is hidden elsewhere? If not, it shows
places of no account.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage, stats
from torch import nn

from nodule.geometry import Geometry
from nodule.hu import HuArray
from nodule.malignancy._grad_cam import ReceptiveField, saliency_map
from nodule.malignancy.network import C3DMultitask
from nodule.saliency import Answer, SaliencyChecks
from nodule.volume import Volume

HOTTEST = 0.1
"""Share of the cube that is hidden."""

_AERATED_HU = -500.0  # customary border between lung and tissue


def check_saliency(
    saliency: Volume,
    *,
    place: ReceptiveField,
    answer: Answer,
    networks: Sequence[C3DMultitask],
    scores: Callable[[Sequence[ReceptiveField]], Sequence[float]],
    draws: int,
) -> SaliencyChecks:
    """Ask both questions about a saliency map.

    Parameters
    ----------
    saliency : as :func:`nodule.malignancy._grad_cam.saliency_map` gives it for the next three.
    place, answer, networks : what was explained.
    scores : gives the networks' answers about places.
    draws : how often as much is hidden elsewhere.
    """
    hidden = hottest(saliency.array_zyx)
    rng = np.random.default_rng(0)
    elsewhere = [moved_at_random(hidden, rng) for _ in range(draws)]
    altered = [occluded(place, mask, grid=saliency.geometry) for mask in (hidden, *elsewhere)]
    score, without, *others = scores([place, *altered])
    head, whole = [
        likeness(saliency, saliency_map(_strangers(networks, head_alone), place, answer=answer))
        for head_alone in (True, False)
    ]
    return SaliencyChecks(
        score=score,
        score_without_hottest=without,
        scores_without_elsewhere=tuple(others),
        likeness_random_head=head,
        likeness_random_network=whole,
    )


def hottest(saliency_zyx: HuArray, *, share: float = HOTTEST) -> NDArray[np.bool_]:
    """Mark the hottest share of a map, fewer where fewer are hot at all; [z, y, x]."""
    count = round(share * saliency_zyx.size)
    flat = saliency_zyx.ravel()
    marked = np.zeros(flat.size, bool)
    marked[np.argpartition(-flat, count)[:count]] = True
    return (marked & (flat > 0)).reshape(saliency_zyx.shape)


def moved_at_random(mask_zyx: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Move a shape anywhere in its cube; what leaves it on one side comes in on the other."""
    return np.roll(mask_zyx, rng.integers(mask_zyx.shape), axis=(0, 1, 2))


def occluded(
    place: ReceptiveField, mask_zyx: NDArray[np.bool_], *, grid: Geometry
) -> ReceptiveField:
    """Fill a part of a place with the lung around it.

    Parameters
    ----------
    place : left as it is; cut out, since every voxel of its volume is looked at.
    mask_zyx : what to fill.
    grid : of the mask.

    Returns
    -------
    The place with the median of its aerated voxels, or else of all, under the mask.
    """
    scan = place.volume
    voxels = np.moveaxis(np.indices(scan.array_zyx.shape), 0, -1)
    on_mask = np.moveaxis(grid.lps_to_index(scan.geometry.index_to_lps(voxels)), -1, 0)
    inside = ndimage.map_coordinates(mask_zyx.astype(np.uint8), on_mask, order=0) > 0
    filled = np.where(inside, _lung_hu(scan.array_zyx), scan.array_zyx)
    return replace(place, volume=replace(scan, array_zyx=filled))


def shuffled(network: C3DMultitask, *, head_alone: bool, seed: int) -> C3DMultitask:
    """Return a copy whose weights are shuffled within each tensor.

    So every layer keeps the size of its weights and loses what it had learned.

    Parameters
    ----------
    network : left as it is.
    head_alone : shuffle what follows the backbone and nothing else.
    seed : of the order.
    """
    strange = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    parts: list[nn.Module] = [strange.features, strange.tasks] if head_alone else [strange]
    with torch.no_grad():
        for parameter in (p for part in parts for p in part.parameters()):
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return strange


def likeness(saliency: Volume, other: Volume) -> float:
    """Return Spearman's rank correlation of two maps on one grid, 0 where one is even."""
    if np.ptp(saliency.array_zyx) == 0 or np.ptp(other.array_zyx) == 0:
        return 0.0
    return float(stats.spearmanr(saliency.array_zyx.ravel(), other.array_zyx.ravel()).statistic)


def _strangers(networks: Sequence[C3DMultitask], head_alone: bool) -> list[C3DMultitask]:
    return [shuffled(each, head_alone=head_alone, seed=seed) for seed, each in enumerate(networks)]


def _lung_hu(part_hu: HuArray) -> np.float32:
    aerated = part_hu[part_hu < _AERATED_HU]
    return np.float32(np.median(aerated if aerated.size else part_hu))
