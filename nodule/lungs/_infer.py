"""The lung network, run on one chest."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from nodule.inference import Device, Precision, autocast, pick_device, prepare
from nodule.lungs.network import build_network, normalise, stride
from nodule.weights import Weights, load_state

_BODY_ABOVE = 0.36  # -500 HU, normalised
_BODY_MARGIN = 4  # coarse voxels of air kept around the body


def coarse_shares(
    coarse_hu: Tensor, weights: Weights, *, device: Device, precision: Precision
) -> Tensor:
    """Tell which share of each coarse voxel the lungs fill.

    Parameters
    ----------
    coarse_hu : HU on the grid of :func:`coarsen`.

    Returns
    -------
    Tensor : float32 [2, z, y, x], right and left, on the same grid.

    Raises
    ------
    WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
    """
    where = pick_device(device)
    network = _network(weights, where)
    image = normalise(coarse_hu)
    shares = torch.zeros(2, *image.shape)
    box = _body_box(image)
    seen = image[box]
    step = stride(network.channels)  # type: ignore[arg-type]
    padding = [pad for n in seen.shape[::-1] for pad in (0, -n % step)]
    window = functional.pad(seen, padding)[None, None].to(where)
    with torch.inference_mode(), autocast(where, precision):
        logits = network(window.contiguous(memory_format=torch.channels_last_3d))
    answer = logits.float().softmax(1)[0, 1:].cpu()
    depth, rows, columns = seen.shape
    shares[(slice(None), *box)] = answer[:, :depth, :rows, :columns]
    return shares


def _network(weights: Weights, device: torch.device) -> nn.Module:
    weights.check_stage("lungs")
    network = build_network(**weights.architecture)  # type: ignore[arg-type]
    network.load_state_dict(load_state(weights))
    return prepare(network, device)


def _body_box(image: Tensor) -> tuple[slice, slice, slice]:
    """Return the box that holds all tissue, with a margin; the whole image if there is none."""
    tissue = image > _BODY_ABOVE
    slices = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        found = torch.nonzero(tissue.any(others[1]).any(others[0])).ravel()
        n = image.shape[axis]
        low, high = (int(found[0]), int(found[-1]) + 1) if len(found) else (0, n)
        slices.append(slice(max(low - _BODY_MARGIN, 0), min(high + _BODY_MARGIN, n)))
    z, y, x = slices
    return z, y, x
