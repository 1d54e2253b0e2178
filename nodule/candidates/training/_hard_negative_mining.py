"""Hard negatives: where a trained network is wrong on the scans of the next training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nodule.candidates._heatmap import STRIDE
from nodule.candidates._peaks import find_peaks
from nodule.candidates._sliding_window import cells_of, plan_windows, slide_window
from nodule.candidates.stage import load_network, widened
from nodule.geometry import Geometry
from nodule.resample import Resample
from nodule.training import index_mm
from nodule.volume import Volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nodule.inference import Runner
    from nodule.training import Region
    from nodule.weights import Weights

_SCORE = 0.1  # of the weakest detection worth showing again
_REACH_MM = 12.0  # from the air of the lungs, so that walls and hila count
_WINDOW, _HALO = 32, 4  # cells


def with_hard_negatives(scans: Sequence[Region], weights: Weights) -> tuple[Region, ...]:
    """Return the scans with the places at which the network detects what no reader marked.

    They join the hard places that a scan has already, such as LUNA16's candidates that are none.

    Raises
    ------
    WeightsError : as :func:`nodule.candidates.stage.load_network`.
    """
    network = load_network(weights)
    return tuple(
        replace(scan, hard_mm=np.concatenate([scan.hard_mm, false_positives(scan, network)]))
        for scan in scans
    )


def false_positives(scan: Region, network: Runner) -> NDArray[np.float64]:
    """Return the network's detections in and near the lungs, off all that a reader marked.

    Parameters
    ----------
    scan : a whole one.
    network : as :func:`nodule.candidates.stage.load_network` gives it.

    Returns
    -------
    NDArray : points, (n, 3), index mm zyx.
    """
    detections = _detections(scan, network)
    return detections[scan.off_annotations(detections)]


def _detections(scan: Region, network: Runner) -> NDArray[np.float64]:
    shape = scan.array_hu.shape
    source = Geometry(shape_zyx=(shape[0], shape[1], shape[2]), spacing_zyx_mm=scan.spacing_zyx_mm)
    array_hu = scan.array_hu.astype(np.float32)
    volume = Resample().run(volume=Volume(array_zyx=array_hu, geometry=source))
    cells = cells_of(volume.array_zyx.shape)
    wanted = np.zeros(cells, np.bool_)
    lungs_mm = scan.focus_mm / np.asarray(scan.spacing_zyx_mm)
    inside = volume.geometry.lps_to_index(source.index_to_lps(lungs_mm)) / STRIDE
    z, y, x = np.clip(np.rint(inside).astype(int), 0, np.asarray(cells) - 1).T
    wanted[z, y, x] = True
    wanted = widened(wanted, margin_mm=_REACH_MM)
    answers = slide_window(
        network, volume.array_zyx, plan_windows(wanted, size=_WINDOW, halo=_HALO),
        batch=1,
    )  # fmt: skip
    peaks = find_peaks(answers, wanted=wanted, threshold=_SCORE)
    centers = np.array([peak.center_zyx for peak in peaks]).reshape(-1, 3)
    return index_mm(source, volume.geometry.index_to_lps(centers))
