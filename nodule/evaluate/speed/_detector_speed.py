"""The detector's windows, beside what they replace: itself as trained, and a classifier swept.

The classifier that is swept for comparison is the published C3D network (de Wit 2017, second
place of the Data Science Bowl): 32 mm windows at a step of 12 mm. Its weights do not matter to
its speed; it gets the same precision as the shipped network, and torch's best memory layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nodule.candidates import (
    STRIDE,
    HeatmapNetwork,
    Plan,
    ProposeCandidates,
    load_network,
    plain_network,
    plan_cheapest,
    reachable_cells,
    slide_window,
)
from nodule.chain import Pass
from nodule.evaluate.speed._cost import Cost, measure
from nodule.hu import NETWORK_WINDOW, HuArray
from nodule.inference import TorchRunner, choose_compute, pick_device, prepare

C3D_WINDOW_MM = 32
C3D_STEP_MM = 12

_C3D_BATCH = 16


@dataclass(frozen=True, kw_only=True)
class DetectorSpeed:
    """What the windows over one study's lungs take; parameters as :class:`Benchmark`."""

    detector: Cost
    plain: Cost
    c3d: Cost


def detector_speed(seen: Pass, *, c3d_sample: int) -> DetectorSpeed:
    """Measure the windows over the lungs of a pass that is done.

    Parameters
    ----------
    seen : its volume, lungs and detector.
    c3d_sample : windows of the classifier that are run, evenly spread; all if there are fewer.
    """
    candidates = seen.chain.candidates
    hu = seen.volume.array_zyx
    wanted = reachable_cells(seen.lungs.labels_zyx > 0, margin_mm=candidates.lung_margin_mm)
    sizes = [mm // STRIDE for mm in candidates.window_mm]
    plan = plan_cheapest(wanted, sizes=sizes, halo=candidates.halo_mm // STRIDE)
    network = load_network(
        candidates.weights,
        engine=candidates.engine,
        device=candidates.device,
        precision=candidates.precision,
    )
    slide = partial(slide_window, network, hu, plan, batch=candidates.batch)
    _, detector = measure(slide)
    unprepared = plain_network(candidates.weights).to(pick_device(candidates.device))
    _, plain = measure(partial(_sweep_plainly, unprepared, hu, plan))
    starts = c3d_starts(wanted, hu.shape)
    return DetectorSpeed(
        detector=detector, plain=plain, c3d=_time_c3d(hu, starts, candidates, sample=c3d_sample)
    )


def c3d_starts(wanted: NDArray[np.bool_], shape_zyx: Sequence[int]) -> NDArray[np.int64]:
    """Return where the classifier's windows begin, (n, 3) voxels zyx.

    Parameters
    ----------
    wanted : bool on the grid of cells; a window counts where its middle lies in such a cell.
    shape_zyx : of the image, voxels of 1 mm. The last window on each axis ends with it.
    """
    axes = []
    for length in shape_zyx:
        last = max(length - C3D_WINDOW_MM, 0)
        axes.append(np.unique([*range(0, last + 1, C3D_STEP_MM), last]))
    middles = [(axis + C3D_WINDOW_MM // 2) // STRIDE for axis in axes]
    cells = np.ix_(*(np.minimum(m, n - 1) for m, n in zip(middles, wanted.shape, strict=True)))
    index = np.argwhere(wanted[cells])
    return np.stack([axis[i] for axis, i in zip(axes, index.T, strict=True)], axis=-1)


def build_c3d() -> nn.Sequential:
    """Build the published classifier, untrained: (n, 1, 32, 32, 32) to (n, 2, 1, 1, 1)."""
    widths = ((1, 64, (1, 2, 2)), (64, 128, 2), (128, 256, None), (256, 256, 2),
              (256, 512, None), (512, 512, 2))  # fmt: skip
    layers: list[nn.Module] = [nn.AvgPool3d((2, 1, 1))]
    for inputs, outputs, pool in widths:
        layers += [nn.Conv3d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
        if pool is not None:
            layers.append(nn.MaxPool3d(pool))
    return nn.Sequential(*layers, nn.Conv3d(512, 64, 2), nn.ReLU(inplace=True), nn.Conv3d(64, 2, 1))


def _sweep_plainly(network: HeatmapNetwork, array_hu: HuArray, plan: Plan) -> None:
    """Run the windows one at a time in float32."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        for window in plan.windows:
            start = np.multiply(window.start, STRIDE)
            network(_cut(array_hu, start[None], size=plan.size * STRIDE).to(device)).cpu()


def _time_c3d(
    array_hu: HuArray,
    starts: NDArray[np.int64],
    candidates: ProposeCandidates,
    *,
    sample: int,
) -> Cost:
    device = pick_device(candidates.device)
    bf16 = choose_compute(device=candidates.device, precision=candidates.precision).bf16
    network = TorchRunner(network=prepare(build_c3d(), device), device=device, bf16=bf16)
    count = min(sample, len(starts))
    timed = starts[np.linspace(0, len(starts) - 1, count).astype(int)]

    def classify(chosen: NDArray[np.int64]) -> None:
        for first in range(0, len(chosen), _C3D_BATCH):
            cubes = _cut(array_hu, chosen[first : first + _C3D_BATCH], size=C3D_WINDOW_MM)
            network(cubes.numpy())

    classify(timed[:_C3D_BATCH])
    _, cost = measure(partial(classify, timed))
    return cost.scaled(len(starts) / max(count, 1))


def _cut(array_hu: HuArray, starts: NDArray[np.int64], *, size: int) -> Tensor:
    """Return normalised cubes (n, 1, z, y, x); 0, which is air, beyond the image."""
    cubes = np.zeros((len(starts), 1, size, size, size), np.float32)
    for cube, (z, y, x) in zip(cubes[:, 0], starts, strict=True):
        part = array_hu[z : z + size, y : y + size, x : x + size]
        cube[tuple(slice(0, n) for n in part.shape)] = NETWORK_WINDOW.normalise(part)
    return torch.from_numpy(cubes)
