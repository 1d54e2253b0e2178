"""Centres and sizes to heat maps, and back.

The network answers on a grid of *cells*, ``STRIDE`` voxels apart; cell ``i`` sits on voxel
``STRIDE * i``, where its receptive field is centred. A nodule is a peak of 1 at the cell nearest
to its centre, with a Gaussian slope around it; near the peak each cell also says how far away
the centre is and how large the nodule.

All voxels are 1 mm here, so that voxel indices are millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nodule.geometry import Vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STRIDE = 4
"""Voxels, and at 1 mm millimetres, between neighbouring cells along each axis."""
TYPICAL_DIAMETER_MM = 8.0
"""Where the size channel is zero; near LIDC's median."""

_SLOPE = 6.0  # diameters per standard deviation of the peak, as in CornerNet's radius / 3
_NARROWEST_MM = 3.0  # so that a peak always reaches its neighbouring cells
_LOG_DIAMETER_LIMIT = 2.0  # 1.1 to 59 mm


@dataclass(frozen=True, kw_only=True)
class Target:
    """A nodule that a map shall show.

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


def decode_centers(
    cells_zyx: NDArray[np.integer], offset: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return fractional voxel indices of the centres that cells point to.

    Parameters
    ----------
    cells_zyx : (n, 3) cell indices.
    offset : (n, 3) their answers in cells, zyx; limited to two cells here.
    """
    near = np.clip(np.asarray(offset, np.float64), -2.0, 2.0)
    return np.asarray((cells_zyx + near) * STRIDE, dtype=np.float64)


def decode_diameters(log_diameter: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return diameters in mm, kept between 1 and 60 mm, of any shape."""
    limited = np.clip(
        np.asarray(log_diameter, np.float64), -_LOG_DIAMETER_LIMIT, _LOG_DIAMETER_LIMIT
    )
    return np.asarray(TYPICAL_DIAMETER_MM * np.exp(limited), dtype=np.float64)
