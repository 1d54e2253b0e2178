"""Running the network over the lungs of a whole scan, window by window.

The windows cover the box of the cells that are wanted, the last one on each axis aligned with
the box's end. Each answers only for its core, away from the rims where it lacks context, so that
every cell is answered once, by the window that sees most around it; windows whose core holds
nothing wanted are never run. (MONAI's inferers average overlapping windows, rims included.)

Positions and sizes of windows are in cells, :data:`~nodule.candidates._heatmap.STRIDE` voxels
each.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nodule.candidates._heatmap import GRANULARITY, OUTPUTS, STRIDE
from nodule.hu import NETWORK_WINDOW, HuArray
from nodule.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nodule.inference import Runner

Cells = tuple[int, int, int]
Box = tuple[slice, slice, slice]

_GRAIN = GRANULARITY // STRIDE  # windows start and end on multiples of this many cells
_SILENT_LOGIT = -30.0  # where no window looked


@dataclass(frozen=True, kw_only=True)
class Window:
    """One run of the network.

    Parameters
    ----------
    start : its first cell, zyx.
    core : the cells that it answers for, as slices of the scan's grid of cells.
    """

    start: Cells
    core: Box


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The runs of the network that answer for a scan.

    Parameters
    ----------
    size : of every window along each axis, cells.
    windows : in the order in which they run; none where nothing is wanted.
    """

    size: int
    windows: tuple[Window, ...]

    @property
    def cells(self) -> int:
        """How many cells the network answers, halos included: what the plan costs."""
        return len(self.windows) * self.size**3


def axis_starts(first: int, last: int, *, window: int, halo: int) -> list[int]:
    """Return where windows start so that their cores cover ``[first, last)`` on one axis.

    Parameters
    ----------
    first, last : half-open, cells.
    window : length of a window.
    halo : length of each rim for which a neighbour answers; the rims at the ends of the box
        have no neighbour and are answered.
    """
    if last - first <= window:
        return [first]
    step = window - 2 * halo
    count = -(-(last - first - window) // step) + 1
    return [*(first + i * step for i in range(count - 1)), last - window]


def plan_cheapest(wanted: NDArray[np.bool_], *, sizes: Sequence[int], halo: int) -> Plan:
    """Return the plan that costs least, of those with windows of the given sizes.

    Which one that is depends on how lungs and windows fit each other: twofold differences between
    neighbouring sizes are common.
    """
    plans = (plan_windows(wanted, size=size, halo=halo) for size in sizes)
    return min(plans, key=lambda plan: plan.cells)


def plan_windows(wanted: NDArray[np.bool_], *, size: int, halo: int) -> Plan:
    """Return the windows whose cores together hold every wanted cell, each exactly once.

    Parameters
    ----------
    wanted : bool on the grid of cells.
    size : cells of a window along each axis, a multiple of 4.
    halo : cells of context around a core, a multiple of 4.
    """
    if not wanted.any():
        return Plan(size=size, windows=())
    axes = [_axis_cores(wanted, axis, window=size, halo=halo) for axis in range(3)]
    windows = (
        Window(start=(z, y, x), core=core)
        for (z, *cz), (y, *cy), (x, *cx) in itertools.product(*axes)
        if wanted[core := (slice(*cz), slice(*cy), slice(*cx))].any()
    )
    return Plan(size=size, windows=tuple(windows))


def slide_window(
    network: Runner,
    array_hu: HuArray,
    plan: Plan,
    *,
    batch: int,
    progress: Progress = silent,
) -> NDArray[np.float32]:
    """Return the raw answers on the scan's grid of cells.

    Parameters
    ----------
    network : from (batch, 1, z, y, x), HU normalised to [0, 1], to (batch, 5, z/4, y/4, x/4).
    array_hu : HU [z, y, x], 1 mm.
    plan : of its windows.
    batch : windows per run.

    Returns
    -------
    NDArray : float32, shape (5, z, y, x); heat logits of -30 where no window answered.
    """
    answers = np.zeros((OUTPUTS, *cells_of(array_hu.shape)), np.float32)
    answers[0] = _SILENT_LOGIT
    for first in range(0, len(plan.windows), batch):
        chosen = plan.windows[first : first + batch]
        images = np.stack([_image(array_hu, one.start, plan.size) for one in chosen])[:, None]
        for answer, one in zip(network(images), chosen, strict=True):
            answers[:, *one.core] = answer[:, *_within(one)]
        progress((first + len(chosen)) / len(plan.windows))
    return answers


def cells_of(shape: Sequence[int]) -> Cells:
    """Return how many cells cover an image, shape in voxels."""
    depth, rows, columns = (-(-n // STRIDE) for n in shape)
    return depth, rows, columns


def _axis_cores(
    wanted: NDArray[np.bool_], axis: int, *, window: int, halo: int
) -> list[tuple[int, int, int]]:
    """Return start, first and last (excluded) answered cell of the windows along one axis."""
    inside = np.flatnonzero(wanted.any(axis=tuple(a for a in range(3) if a != axis)))
    count = wanted.shape[axis]
    first = max(0, int(inside[0]) - halo) // _GRAIN * _GRAIN
    last = -(-min(count, int(inside[-1]) + 1 + halo) // _GRAIN) * _GRAIN
    starts = axis_starts(first, last, window=window, halo=halo)
    # neighbours meet in the middle of their overlap, at least a halo from either's rim
    borders = [(a + window + b) // 2 for a, b in itertools.pairwise(starts)]
    ends = [*borders, min(count, starts[-1] + window)]
    return list(zip(starts, [first, *borders], ends, strict=True))


def _image(array_hu: HuArray, start: Cells, window: int) -> NDArray[np.float32]:
    """Return one window's voxels, normalised; 0, which is air, beyond the scan."""
    size = window * STRIDE
    cut = array_hu[tuple(slice(s * STRIDE, s * STRIDE + size) for s in start)]
    image = np.zeros((size,) * 3, np.float32)
    image[tuple(slice(0, n) for n in cut.shape)] = NETWORK_WINDOW.normalise(cut)
    return image


def _within(window: Window) -> Box:
    """Return the core as slices of the window's own answers."""
    z, y, x = (
        slice(core.start - start, core.stop - start)
        for core, start in zip(window.core, window.start, strict=True)
    )
    return z, y, x
