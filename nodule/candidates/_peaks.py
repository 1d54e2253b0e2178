"""From heat maps to a short list of peaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.special import expit

from nodule.candidates._heatmap import decode_centers, decode_diameters
from nodule.geometry import Vector, as_vector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Peak:
    """A candidate on the 1 mm grid.

    Parameters
    ----------
    center_zyx : fractional voxel index, mm at 1 mm.
    score : in [0, 1].
    diameter_mm : estimated.
    """

    center_zyx: Vector
    score: float
    diameter_mm: float


def find_peaks(
    answers: NDArray[np.float32], *, wanted: NDArray[np.bool_], threshold: float
) -> list[Peak]:
    """Return the wanted cells that are hotter than all their 26 neighbours, hottest first.

    Parameters
    ----------
    answers : (5, z, y, x), raw: heat logit, log diameter, offset zyx.
    wanted : bool [z, y, x], cells where a peak counts.
    threshold : lowest score that is kept.
    """
    logits = answers[0]
    highest = logits == ndimage.maximum_filter(logits, size=3, mode="nearest")
    cells = np.argwhere(highest & wanted & (expit(logits) >= threshold))
    z, y, x = cells.T
    hot, log_diameter, *offset = answers[:, z, y, x]
    centers = decode_centers(cells, np.stack(offset, axis=-1))
    diameters = decode_diameters(log_diameter)
    scores = expit(hot.astype(np.float64))
    order = np.argsort(-hot, kind="stable")
    return [
        Peak(
            center_zyx=as_vector(centers[i]),
            score=float(scores[i]),
            diameter_mm=float(diameters[i]),
        )
        for i in order
    ]


def suppress(peaks: Iterable[Peak], *, apart_mm: float, limit: int) -> list[Peak]:
    """Drop every peak inside a hotter one, and all beyond a number.

    Parameters
    ----------
    peaks : hottest first.
    apart_mm : two peaks are never nearer than this, nor nearer than the hotter one's radius.
    limit : how many are kept at most.
    """
    kept: list[Peak] = []
    for peak in peaks:
        if len(kept) == limit:
            break
        if all(_distance_mm(peak, hot) >= max(apart_mm, hot.diameter_mm / 2) for hot in kept):
            kept.append(peak)
    return kept


def _distance_mm(a: Peak, b: Peak) -> float:
    return float(np.linalg.norm(np.subtract(a.center_zyx, b.center_zyx)))
