"""How long the search for candidates takes on one study, beside what it replaces.

Everything is measured in one process, one after the other, on the same windows of the same lung,
after a first window that nobody times. Memory is the process' peak resident size while a part
ran, everything loaded before it included.

The classifier that is swept for comparison is the published C3D network (de Wit 2017, second
place of the Data Science Bowl): 32 mm windows at a step of 12 mm. Its weights do not matter to
its speed; it gets the same precision and memory layout as the shipped network.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter
from torch import Tensor, nn

from nodule.candidates import (
    STRIDE,
    HeatmapNetwork,
    Plan,
    ProposeCandidates,
    Window,
    load_network,
    plain_network,
    plan_cheapest,
    reachable_cells,
    slide_window,
)
from nodule.chain import Chain, Pass
from nodule.ct import read_ct
from nodule.hu import NETWORK_WINDOW, HuArray
from nodule.inference import Runner, TorchRunner, choose_compute, pick_device, prepare

C3D_WINDOW_MM = 32
C3D_STEP_MM = 12
C3D_SAMPLE = 200

_C3D_BATCH = 16
_WARM_UP_CELLS = 32
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5)

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a part took.

    Parameters
    ----------
    seconds : wall clock.
    peak_mb : largest resident size of the process meanwhile, None where the system cannot tell.
    windows : how often the network looked, None for more than a network.
    timed_windows : how many of them were run; the seconds are scaled by their number.
    """

    seconds: float
    peak_mb: float | None
    windows: int | None = None
    timed_windows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Costs on one study.

    Parameters
    ----------
    study : name of the study.
    whole : from the files to the candidates.
    shipped : the network's sliding window over the lungs, as it runs in the stage.
    plain : the same windows by the network as it was trained, normalisation not folded, in
        float32 and contiguous memory, one at a time.
    c3d : overlapping windows of the published classifier over the same lungs.
    candidates : how many were found.
    lungs_ml : volume of both lungs.
    bf16 : whether the shipped setting is bfloat16 on this machine.
    threads : of torch.
    faster_than_plain, faster_than_c3d : how many times the shipped search is faster.
    """

    study: str
    whole: Cost
    shipped: Cost
    plain: Cost
    c3d: Cost
    candidates: int
    lungs_ml: float
    bf16: bool
    threads: int
    faster_than_plain: float
    faster_than_c3d: float

    def to_json(self) -> str:
        """Return the costs as JSON."""
        return TypeAdapter(Benchmark).dump_json(self).decode()


def benchmark(
    study: Path,
    *,
    chain: Chain,
    c3d_sample: int = C3D_SAMPLE,
) -> Benchmark:
    """Measure one study.

    Parameters
    ----------
    study : as :func:`nodule.ct.read_ct` takes it.
    chain : the stages in the setting that ships.
    c3d_sample : windows of the classifier that are run, evenly spread; all if there are fewer.

    Raises
    ------
    NoduleError : from reading or from the stages.
    """
    candidates = chain.candidates
    device = pick_device(candidates.device)
    compute = choose_compute(
        engine=candidates.engine, device=candidates.device, precision=candidates.precision
    )
    network = load_network(
        candidates.weights,
        engine=candidates.engine,
        device=candidates.device,
        precision=candidates.precision,
    )
    corner = Window(start=(0, 0, 0), core=(slice(0, 1),) * 3)
    warm_up = Plan(size=_WARM_UP_CELLS, windows=(corner,) * candidates.batch)
    _sweep(network, np.zeros((_WARM_UP_CELLS * STRIDE,) * 3, np.float32), warm_up, candidates)
    seen, whole = _measure(lambda: _search(study, chain))
    hu = seen.volume.array_zyx
    wanted = reachable_cells(seen.lungs.labels_zyx > 0, margin_mm=candidates.lung_margin_mm)
    plan = plan_cheapest(
        wanted,
        sizes=[mm // STRIDE for mm in candidates.window_mm],
        halo=candidates.halo_mm // STRIDE,
    )
    _, shipped = _measure(lambda: _sweep(network, hu, plan, candidates))
    unprepared = plain_network(candidates.weights).to(device)
    _, plain = _measure(lambda: _sweep_plainly(unprepared, hu, plan))
    count = len(plan.windows)
    c3d = _time_c3d(hu, c3d_starts(wanted, hu.shape), candidates, sample=c3d_sample)
    return Benchmark(
        study=study.name,
        whole=whole,
        shipped=replace(shipped, windows=count, timed_windows=count),
        plain=replace(plain, windows=count, timed_windows=count),
        c3d=c3d,
        candidates=len(seen.candidates),
        lungs_ml=sum(seen.lungs.volume_ml),
        bf16=compute.bf16,
        threads=torch.get_num_threads(),
        faster_than_plain=plain.seconds / shipped.seconds,
        faster_than_c3d=c3d.seconds / shipped.seconds,
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


def _search(study: Path, chain: Chain) -> Pass:
    """Go from the files to the candidates."""
    seen = chain.on(read_ct(study))
    seen.output(chain.candidates.name)
    return seen


def _sweep(
    network: Runner,
    array_hu: HuArray,
    plan: Plan,
    candidates: ProposeCandidates,
) -> None:
    slide_window(network, array_hu, plan, batch=candidates.batch)


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
    _, cost = _measure(lambda: classify(timed))
    seconds = cost.seconds * len(starts) / max(count, 1)
    return replace(cost, seconds=seconds, windows=len(starts), timed_windows=count)


def _cut(array_hu: HuArray, starts: NDArray[np.int64], *, size: int) -> Tensor:
    """Return normalised cubes (n, 1, z, y, x); 0, which is air, beyond the image."""
    cubes = np.zeros((len(starts), 1, size, size, size), np.float32)
    for cube, (z, y, x) in zip(cubes[:, 0], starts, strict=True):
        part = array_hu[z : z + size, y : y + size, x : x + size]
        cube[tuple(slice(0, n) for n in part.shape)] = NETWORK_WINDOW.normalise(part)
    return torch.from_numpy(cubes)


def _measure(part: Callable[[], _T]) -> tuple[_T, Cost]:
    can_tell = os.access(_RESET, os.W_OK)
    if can_tell:
        _RESET.write_text(_RESET_PEAK)
    began = time.perf_counter()
    answer = part()
    seconds = time.perf_counter() - began
    return answer, Cost(seconds=seconds, peak_mb=_peak_mb() if can_tell else None)


def _peak_mb() -> float:
    lines = _STATUS.read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024.0
