"""From shares of coarse voxels to lungs on the fine grid."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from nodule.lungs._distance import close_by_ball
from nodule.lungs.network import COARSENING
from nodule.volume import LungMask

_COARSE_MM = float(COARSENING)  # the fine grid has 1 mm
_HALF = 0.5
_DARK_SHARE = 0.25
_DARK_BELOW_HU = -500.0  # darker than any mixture of half lung and half soft tissue
_NEAR = 2  # coarse voxels around a lung, beyond which a share is no doubt about its border
_SLAB = 16  # coarse slices refined at a time: bounds the memory


def clean(shares: Tensor, *, least_part: float, closing_mm: float) -> tuple[Tensor, float]:
    """Drop small separate parts of either lung, close its surface, fill what it encloses.

    Parameters
    ----------
    shares : float32 [2, z, y, x], right and left.
    least_part : share of the lung's largest part below which a part is dropped.
    closing_mm : radius of the ball that closes the surface.

    Returns
    -------
    The cleaned shares, 0 beyond the lungs' immediate surroundings, and both lungs' volume in ml.
    """
    lung = (shares.sum(0) > _HALF).numpy()
    right_leads = (shares[0] > shares[1]).numpy()
    kept = np.zeros_like(lung)
    filled = shares.clone()
    for index, lead in enumerate((right_leads, ~right_leads)):
        part = _large_parts(lung & lead, least_part)
        closed = _close(part, closing_mm)
        gained = torch.from_numpy(closed & ~lung)
        filled[:, gained] = 0.0
        filled[index, gained] = 1.0
        kept |= closed
    near = ndimage.binary_dilation(kept, iterations=_NEAR) & ~(lung & ~kept)
    volume_ml = float(kept.sum()) * COARSENING**3 / 1000.0
    return filled * torch.from_numpy(near), volume_ml


def _close(part: NDArray[np.bool_], closing_mm: float) -> NDArray[np.bool_]:
    closed = close_by_ball(part, closing_mm / _COARSE_MM)
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(closed)
    return filled


def _large_parts(mask: NDArray[np.bool_], least_part: float) -> NDArray[np.bool_]:
    labels, _ = ndimage.label(mask)
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    kept: NDArray[np.bool_] = (counts >= max(least_part * counts.max(), 1))[labels]
    return kept


def refine(shares: Tensor, array_zyx: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Interpolate the shares to the fine grid and cut them at a half, lower where there is air.

    At the pleura the image itself says more than a 3 mm network: a dark voxel beside the lung is
    lung, even if the network is in doubt. What is dense is left to the network, so that nodules
    on the pleura stay inside.

    Parameters
    ----------
    shares : float32 [2, z, y, x], right and left, on the coarse grid.
    array_zyx : HU on the fine grid.

    Returns
    -------
    NDArray : uint8 labels of :class:`nodule.volume.LungMask`, shape of ``array_zyx``.
    """
    labels = np.zeros(array_zyx.shape, np.uint8)
    box = _box(shares.sum(0) > _DARK_SHARE)
    if box is None:
        return labels
    (z0, z1), rows, columns = box
    fields = torch.stack([shares.sum(0), shares[0] - shares[1]])[
        :, :, slice(*rows), slice(*columns)
    ]
    for first in range(z0, z1, _SLAB):
        last = min(first + _SLAB, z1)
        where = tuple(
            slice(low * COARSENING, high * COARSENING)
            for low, high in ((first, last), rows, columns)
        )
        labels[where] = _label_slab(fields, first, last, torch.from_numpy(array_zyx[where]))
    return labels


def _label_slab(fields: Tensor, first: int, last: int, hu: Tensor) -> NDArray[np.uint8]:
    """Label the fine voxels of the coarse slices from ``first`` to before ``last``."""
    # one coarse slice more on either side, so that slabs meet without an edge
    low, high = max(first - 1, 0), min(last + 1, fields.shape[1])
    fine = functional.interpolate(
        fields[None, :, low:high], scale_factor=COARSENING, mode="trilinear"
    )[0, :, (first - low) * COARSENING :]
    depth, rows, columns = hu.shape
    share, lead = fine[:, :depth, :rows, :columns]
    found = (share > _HALF) | ((share > _DARK_SHARE) & (hu < _DARK_BELOW_HU))
    side = torch.where(lead > 0, LungMask.RIGHT, LungMask.LEFT).to(torch.uint8)
    return np.asarray((side * found).numpy())


def _box(mask: Tensor) -> list[tuple[int, int]] | None:
    """Return the box that holds the mask with a margin of two voxels, or None if it is empty."""
    if not mask.any():
        return None
    index = torch.nonzero(mask)
    low, high = index.amin(0).tolist(), index.amax(0).tolist()
    return [(max(a - 2, 0), min(b + 3, n)) for a, b, n in zip(low, high, mask.shape, strict=True)]
