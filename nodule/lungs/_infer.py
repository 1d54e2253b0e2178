"""The lung network, run on one chest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from nodule.hu import NETWORK_WINDOW
from nodule.inference import Device, Engine, NetworkSource, Precision, open_network
from nodule.lungs._coarse import CHANNELS, Shares
from nodule.weights import Weights, load_state

if TYPE_CHECKING:
    from torch import nn

_BODY_ABOVE = 0.36  # -500 HU, normalised
_BODY_MARGIN = 4  # coarse voxels of air kept around the body
_EXAMPLE_EDGE = 2  # strides, of the image on which the network is traced


def coarse_shares(
    coarse_hu: NDArray[np.float32],
    weights: Weights,
    *,
    engine: Engine,
    device: Device,
    precision: Precision,
) -> Shares:
    """Tell which share of each coarse voxel the lungs fill.

    Parameters
    ----------
    coarse_hu : HU on the grid of :func:`nodule.lungs._coarse.coarsen`.

    Raises
    ------
    WeightsError : ``WRONG_STAGE``.
    NoduleError : as :func:`nodule.inference.open_network`.
    """
    network = open_network(
        _network_source(weights), engine=engine, device=device, precision=precision
    )
    image = NETWORK_WINDOW.normalise(coarse_hu)
    shares = np.zeros((2, *image.shape), np.float32)
    box = _body_box(image)
    seen = image[box]
    step = _stride(weights)
    window = np.pad(seen, [(0, -n % step) for n in seen.shape])  # 0 is air
    answer = softmax(network(window[None, None])[0], axis=0)[1:]
    depth, rows, columns = seen.shape
    shares[:, *box] = answer[:, :depth, :rows, :columns]
    return shares


def _network_source(weights: Weights) -> NetworkSource:
    weights.check_stage("lungs")
    edge = _EXAMPLE_EDGE * _stride(weights)
    return NetworkSource(
        name="lungs",
        weights_sha256=weights.sha256,
        code=("nodule.lungs.network", __name__),
        build=partial(_build, weights),
        example_shape=(1, 1, edge, edge, edge),
        free_axes=(2, 3, 4),
    )


def _stride(weights: Weights) -> int:
    """Return the voxels that the network's deepest level sums up along each axis."""
    channels: Any = weights.architecture.get("channels", CHANNELS)
    return int(2 ** (len(channels) - 1))


def _build(weights: Weights) -> nn.Module:
    from nodule.lungs.network import build_network

    network = build_network(**weights.architecture)  # type: ignore[arg-type]
    network.load_state_dict(load_state(weights))
    return network.eval()


def _body_box(image: NDArray[np.float32]) -> tuple[slice, slice, slice]:
    """Return the box that holds all tissue, with a margin; the whole image if there is none."""
    tissue = image > _BODY_ABOVE
    slices = []
    for axis, n in enumerate(image.shape):
        found = np.flatnonzero(tissue.any(axis=tuple(a for a in range(3) if a != axis)))
        low, high = (int(found[0]), int(found[-1]) + 1) if len(found) else (0, n)
        slices.append(slice(max(low - _BODY_MARGIN, 0), min(high + _BODY_MARGIN, n)))
    z, y, x = slices
    return z, y, x
