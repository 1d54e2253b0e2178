"""From shares of coarse voxels to lungs on the fine grid."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from nodule.lungs.network import COARSENING
from nodule.volume import LungMask

_HALF = 0.5
_SLAB = 16  # coarse slices refined at a time: bounds the memory


def clean(shares: Tensor, *, least_part: float) -> tuple[Tensor, float]:
    """Drop small separate parts of either lung and fill what a lung encloses.

    Parameters
    ----------
    shares : float32 [2, z, y, x], right and left.
    least_part : share of the lung's largest part below which a part is dropped.

    Returns
    -------
    The cleaned shares, and the volume of both lungs in ml.
    """
    total = shares.sum(0).numpy()
    right_leads = (shares[0] > shares[1]).numpy()
    cleaned = shares.clone()
    voxels = 0
    for index, lead in enumerate((right_leads, ~right_leads)):
        side = (total > _HALF) & lead
        kept = _large_parts(side, least_part)
        voxels += int(kept.sum())
        _erase_around(cleaned, side & ~kept)
        holes = ndimage.binary_fill_holes(kept) & ~kept
        cleaned[:, torch.from_numpy(holes)] = 0.0
        cleaned[index, torch.from_numpy(holes)] = 1.0
    return cleaned, voxels * COARSENING**3 / 1000.0


def _large_parts(mask: NDArray[np.bool_], least_part: float) -> NDArray[np.bool_]:
    labels, _ = ndimage.label(mask)
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    kept: NDArray[np.bool_] = (counts >= max(least_part * counts.max(), 1))[labels]
    return kept


def _erase_around(shares: Tensor, dropped: NDArray[np.bool_]) -> None:
    """Set dropped voxels to no lung, so that interpolation leaves nothing of them."""
    shares[:, torch.from_numpy(dropped)] = 0.0


def refine(shares: Tensor, *, shape_zyx: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Interpolate the shares to the fine grid and cut them at a half.

    Parameters
    ----------
    shares : float32 [2, z, y, x], right and left, on the coarse grid.
    shape_zyx : of the fine grid.

    Returns
    -------
    NDArray : uint8 labels of :class:`nodule.volume.LungMask`, shape ``shape_zyx``.
    """
    labels = np.zeros(shape_zyx, np.uint8)
    box = _box(shares.sum(0) > _HALF)
    if box is None:
        return labels
    (z0, z1), (y0, y1), (x0, x1) = box
    fields = torch.stack([shares.sum(0), shares[0] - shares[1]])
    for first in range(z0, z1, _SLAB):
        last = min(first + _SLAB, z1)
        # one coarse slice more on either side, so that slabs meet without a seam
        low, high = max(first - 1, 0), min(last + 1, shares.shape[1])
        fine = functional.interpolate(
            fields[None, :, low:high, y0:y1, x0:x1], scale_factor=COARSENING, mode="trilinear"
        )[0, :, (first - low) * COARSENING : (last - low) * COARSENING]
        side = torch.where(fine[1] > 0, LungMask.RIGHT, LungMask.LEFT).to(torch.uint8)
        found = (side * (fine[0] > _HALF)).numpy()
        target = labels[
            first * COARSENING : last * COARSENING,
            y0 * COARSENING : y1 * COARSENING,
            x0 * COARSENING : x1 * COARSENING,
        ]
        target[...] = found[: target.shape[0], : target.shape[1], : target.shape[2]]
    return labels


def _box(mask: Tensor) -> list[tuple[int, int]] | None:
    """Return the box that holds the mask with a margin of two voxels, or None if it is empty."""
    if not mask.any():
        return None
    index = torch.nonzero(mask)
    low, high = index.amin(0).tolist(), index.amax(0).tolist()
    return [(max(a - 2, 0), min(b + 3, n)) for a, b, n in zip(low, high, mask.shape, strict=True)]
