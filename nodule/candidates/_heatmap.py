"""Heat maps to centres and sizes.

The network answers on a grid of *cells*, ``STRIDE`` voxels apart; cell ``i`` sits on voxel
``STRIDE * i``, where its receptive field is centred. A nodule is a peak of 1 at the cell nearest
to its centre, with a Gaussian slope around it; near the peak each cell also says how far away
the centre is and how large the nodule.

All voxels are 1 mm here, so that voxel indices are millimetres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIDE = 4
"""Voxels, and at 1 mm millimetres, between neighbouring cells along each axis."""
GRANULARITY = 16
"""The network's input sizes must be multiples of this many voxels."""
OUTPUTS = 5
"""The network's channels: heat logit, log diameter, offset z, y, x."""
TYPICAL_DIAMETER_MM = 8.0
"""Where the size channel is zero; near LIDC's median."""

_LOG_DIAMETER_LIMIT = 2.0  # 1.1 to 59 mm


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
