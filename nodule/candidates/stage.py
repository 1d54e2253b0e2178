"""The stage that proposes where nodules may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from annotated_types import Interval, Len, MultipleOf

from nodule.errors import ConfigError, GeometryError, InputError
from nodule.findings import Candidate
from nodule.geometry import as_vector
from nodule.inference import (
    SPEED_ONLY,
    Device,
    Engine,
    NetworkSource,
    Precision,
    Runner,
    fold_normalisation,
    open_network,
)
from nodule.progress import Progress, silent
from nodule.ranges import Margin, Share, check_fields
from nodule.volume import LungMask, Volume
from nodule.weights import Weights, load_state

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nodule.candidates._peaks import Peak
    from nodule.candidates.network import HeatmapNetwork

_SPACING_TOLERANCE_MM = 1e-3
_EXAMPLE_SHAPE = (1, 1, 32, 32, 32)  # on which the network is traced
WindowEdge = Annotated[int, Interval(ge=16, le=1024), MultipleOf(16)]


@dataclass(frozen=True, kw_only=True)
class ProposeCandidates:
    """Mark what may be a nodule, in and near the lungs.

    A fully convolutional network answers every 4 mm how likely a nodule is centred there, where
    exactly and how large it is. It sees the image unmasked, so that nodules on the wall keep
    their surroundings; the lungs, widened by a margin, only say where candidates count.

    Parameters
    ----------
    weights : the network's.
    precision : of the network; ``auto`` is bfloat16 where the machine is fast in it.
    score_threshold : lowest score of a candidate.
    max_candidates : at most so many per scan, the highest scores first.
    apart_mm : candidates are no nearer to each other than this or the stronger one's radius.
    lung_margin_mm : candidates may lie this far outside the lung mask.
    window_mm : edges of the network's window to choose from, multiples of 16; the one that costs
        least for the scan's lungs is taken.
    halo_mm : context around what a window answers for, a multiple of 16.
    batch : windows per run.
    device : where the network runs.
    engine : what runs it.

    Raises
    ------
    ConfigError : ``BAD_VALUE``, or ``BAD_WINDOW_SIZE`` for a window that is all halo.
    """

    name: ClassVar[str] = "candidates"
    version: ClassVar[int] = 2

    weights: Weights = field(default_factory=lambda: Weights.shipped("candidates"))
    precision: Precision = "auto"
    score_threshold: Share = 0.05
    max_candidates: Annotated[int, Interval(ge=1, le=10_000)] = 100
    apart_mm: Margin = 5.0
    lung_margin_mm: Margin = 8.0
    window_mm: Annotated[tuple[WindowEdge, ...], Len(1)] = (112, 128, 144, 160, 176)
    halo_mm: Annotated[int, Interval(ge=0, le=256), MultipleOf(16)] = 16
    batch: Annotated[int, Interval(ge=1, le=1024)] = field(default=1, metadata=SPEED_ONLY)
    device: Device = field(default="auto", metadata=SPEED_ONLY)
    engine: Engine = field(default="auto", metadata=SPEED_ONLY)

    def __post_init__(self) -> None:
        check_fields(self)
        if min(self.window_mm) <= 2 * self.halo_mm:
            raise ConfigError(
                "a window of the network consists of its halo only",
                code="BAD_WINDOW_SIZE",
                expected="windows longer than two halos",
                got=f"windows {self.window_mm}, halo {self.halo_mm}",
            )

    def run(
        self, *, volume: Volume, lungs: LungMask, progress: Progress = silent
    ) -> tuple[Candidate, ...]:
        """Return the candidates, highest score first; none where there is no lung.

        Parameters
        ----------
        volume : HU on the canonical 1 mm grid.
        lungs : on the same grid.

        Raises
        ------
        InputError : ``NOT_ONE_MM`` for another spacing.
        GeometryError : ``LUNGS_ELSEWHERE`` when the mask lies on another grid.
        NoduleError : as :func:`load_network`.
        """
        from nodule.candidates._heatmap import STRIDE
        from nodule.candidates._peaks import find_peaks, suppress
        from nodule.candidates._sliding_window import plan_cheapest, slide_window

        _check_grids(volume, lungs)
        wanted = reachable_cells(lungs.labels_zyx > 0, margin_mm=self.lung_margin_mm)
        sizes = [mm // STRIDE for mm in self.window_mm]
        network = load_network(
            self.weights, engine=self.engine, device=self.device, precision=self.precision
        )
        answers = slide_window(
            network,
            volume.array_zyx,
            plan_cheapest(wanted, sizes=sizes, halo=self.halo_mm // STRIDE),
            batch=self.batch,
            progress=progress,
        )
        peaks = find_peaks(answers, wanted=wanted, threshold=self.score_threshold)
        progress(1.0)
        kept = suppress(peaks, apart_mm=self.apart_mm, limit=self.max_candidates)
        return tuple(_candidate(peak, volume) for peak in kept)


def reachable_cells(lungs_zyx: NDArray[np.bool_], *, margin_mm: float) -> NDArray[np.bool_]:
    """Return the cells within a margin of a cell that holds lung, bool on the grid of cells.

    Parameters
    ----------
    lungs_zyx : bool [z, y, x] at 1 mm.
    margin_mm : measured between cells' positions.
    """
    from nodule.candidates._heatmap import STRIDE

    short = [-n % STRIDE for n in lungs_zyx.shape]
    blocks = np.pad(lungs_zyx, [(0, n) for n in short])
    depth, rows, columns = (n // STRIDE for n in blocks.shape)
    cells = blocks.reshape(depth, STRIDE, rows, STRIDE, columns, STRIDE).any(axis=(1, 3, 5))
    return widened(np.asarray(cells, dtype=np.bool_), margin_mm=margin_mm)


def widened(cells: NDArray[np.bool_], *, margin_mm: float) -> NDArray[np.bool_]:
    """Return the cells within a margin of any that is set, measured between cells' positions."""
    from scipy import ndimage

    from nodule.candidates._heatmap import STRIDE

    if not cells.any():
        return np.asarray(cells, dtype=np.bool_)
    distance_mm = ndimage.distance_transform_edt(~cells, sampling=float(STRIDE))
    return np.asarray(distance_mm <= margin_mm, dtype=np.bool_)


def load_network(
    weights: Weights,
    *,
    engine: Engine = "auto",
    device: Device = "auto",
    precision: Precision = "auto",
) -> Runner:
    """Return the network of the weights, ready to run.

    Raises
    ------
    NoduleError : as :func:`plain_network` and :func:`nodule.inference.open_network`.
    """
    weights.check_stage(ProposeCandidates.name)
    source = NetworkSource(
        name=ProposeCandidates.name,
        weights_sha256=weights.sha256,
        code=("nodule.candidates.network", __name__),
        build=partial(_fast_network, weights),
        example_shape=_EXAMPLE_SHAPE,
        free_axes=(0, 2, 3, 4),
    )
    return open_network(source, engine=engine, device=device, precision=precision)


def _fast_network(weights: Weights) -> HeatmapNetwork:
    from nodule.candidates.network import pair_columns

    return pair_columns(fold_normalisation(plain_network(weights)))


def plain_network(weights: Weights) -> HeatmapNetwork:
    """Return the network of the weights as it was trained, in evaluation mode.

    Raises
    ------
    WeightsError : ``WRONG_STAGE`` or ``WEIGHTS_CHANGED``.
    """
    from nodule.candidates.network import HeatmapNetwork

    weights.check_stage(ProposeCandidates.name)
    network = HeatmapNetwork(**weights.architecture)  # type: ignore[arg-type]
    network.load_state_dict(load_state(weights))
    return network.eval()


def _check_grids(volume: Volume, lungs: LungMask) -> None:
    spacing = volume.geometry.spacing_zyx_mm
    if any(abs(mm - 1.0) > _SPACING_TOLERANCE_MM for mm in spacing):
        raise InputError(
            "candidates are searched for at 1 mm only",
            code="NOT_ONE_MM",
            expected="1 mm isotropic",
            got=spacing,
            hint="Resample the volume first",
        )
    if not volume.geometry.is_close(lungs.geometry):
        raise GeometryError(
            "the lungs lie on another grid than the volume",
            code="LUNGS_ELSEWHERE",
            expected=volume.geometry.shape_zyx,
            got=lungs.geometry.shape_zyx,
        )


def _candidate(peak: Peak, volume: Volume) -> Candidate:
    return Candidate(
        center_lps_mm=as_vector(volume.geometry.index_to_lps(peak.center_zyx)),
        score=peak.score,
        diameter_mm=peak.diameter_mm,
    )
