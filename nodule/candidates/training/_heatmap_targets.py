"""Nodules to heat maps: what the network is asked to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nodule.candidates._heatmap import STRIDE, TYPICAL_DIAMETER_MM
from nodule.geometry import Vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SLOPE = 6.0  # diameters per standard deviation of the peak, as in CornerNet's radius / 3
_NARROWEST_MM = 3.0  # so that a peak always reaches its neighbouring cells


@dataclass(frozen=True, kw_only=True)
class Target:
    """A nodule that a map is to show.

    Parameters
    ----------
    center_zyx : fractional voxel index in the patch, mm at 1 mm spacing.
    diameter_mm : of the sphere with its volume.
    """

    center_zyx: Vector
    diameter_mm: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Maps:
    """What the network is asked to answer, on the grid of cells.

    Parameters
    ----------
    heat : (z, y, x) float32 in [0, 1]; exactly 1 at each nodule's cell.
    log_diameter : (z, y, x) float32, ln(diameter / ``TYPICAL_DIAMETER_MM``) of the nodule whose
        peak is highest there, 0 far from any.
    offset : (3, z, y, x) float32, cells from here to that nodule's centre, axes zyx.
    """

    heat: NDArray[np.float32]
    log_diameter: NDArray[np.float32]
    offset: NDArray[np.float32]


def encode(nodules: Sequence[Target], *, cells_zyx: tuple[int, int, int]) -> Maps:
    """Draw nodules into maps.

    Parameters
    ----------
    nodules : in any order; those whose nearest cell is outside the grid leave only their slope.
    cells_zyx : size of the grid of cells.
    """
    heat = np.zeros(cells_zyx, np.float32)
    log_diameter = np.zeros(cells_zyx, np.float32)
    offset = np.zeros((3, *cells_zyx), np.float32)
    here = np.stack(np.meshgrid(*(np.arange(n) for n in cells_zyx), indexing="ij"))
    for nodule in nodules:
        center = np.asarray(nodule.center_zyx) / STRIDE
        nearest = np.floor(center + 0.5)
        sigma = max(nodule.diameter_mm / _SLOPE, _NARROWEST_MM) / STRIDE
        squared = ((here - nearest[:, None, None, None]) ** 2).sum(axis=0)
        peak = np.exp(-squared / (2 * sigma**2)).astype(np.float32)
        higher = peak > heat
        heat[higher] = peak[higher]
        log_diameter[higher] = np.log(nodule.diameter_mm / TYPICAL_DIAMETER_MM)
        offset[:, higher] = (center[:, None, None, None] - here)[:, higher]
    return Maps(heat=heat, log_diameter=log_diameter, offset=offset)
