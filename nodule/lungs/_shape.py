"""From shares of coarse voxels to lungs on the fine grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.hu import HuArray
from nodule.lungs._coarse import COARSENING, Shares, interpolate
from nodule.lungs._distance import close_by_ball, distance_to
from nodule.volume import LungMask

_COARSE_MM = float(COARSENING)  # the fine grid has 1 mm
HALF = 0.5
DARK_SHARE = 0.25
_DARK_BELOW_HU = -500.0  # darker than any mixture of half lung and half soft tissue
_NEAR = 2  # coarse voxels around a lung, beyond which a share is no doubt about its border
_SLAB = 16  # coarse slices refined at a time: bounds the memory


def clean(
    shares: Shares, main: NDArray[np.bool_], *, least_part: float, closing_mm: float
) -> tuple[Shares, float]:
    """Drop small separate parts of either lung, close its surface, fill what it encloses.

    Parameters
    ----------
    shares : float32 [2, z, y, x], right and left.
    main : what is known to be lung, whatever its side: no part that holds some of it is dropped.
    least_part : share of the lung's largest part below which another part is dropped.
    closing_mm : radius of the ball that closes the surface.

    Returns
    -------
    The cleaned shares, 0 beyond the lungs' immediate surroundings, and both lungs' volume in ml.
    """
    lung = shares.sum(0) > HALF
    right_leads = shares[0] > shares[1]
    sides = _two_sides(lung, right_leads, main, least_part)
    kept = np.zeros_like(lung)
    filled = shares.copy()
    for index, (part, leads) in enumerate(zip(sides, (right_leads, ~right_leads), strict=True)):
        closed = _close(part, closing_mm) & ~sides[1 - index]
        sided = part & ~leads
        gained = closed & ~part
        filled[index, sided] = shares[:, sided].sum(0)
        filled[1 - index, sided] = 0.0
        filled[:, gained] = 0.0
        filled[index, gained] = 1.0
        kept |= closed
    near = ndimage.binary_dilation(kept, iterations=_NEAR) & ~(lung & ~kept)
    volume_ml = float(kept.sum()) * COARSENING**3 / 1000.0
    return filled * near, volume_ml


def _close(part: NDArray[np.bool_], closing_mm: float) -> NDArray[np.bool_]:
    closed = close_by_ball(part, closing_mm / _COARSE_MM)
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(closed)
    return filled


def _two_sides(
    lung: NDArray[np.bool_],
    right_leads: NDArray[np.bool_],
    main: NDArray[np.bool_],
    least_part: float,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return right and left lung; a small part that is lung goes to the lung nearest to it."""
    right, stray = _large_parts(lung & right_leads, main, least_part)
    left, others = _large_parts(lung & ~right_leads, main, least_part)
    stray |= others
    if not right.any() or not left.any():
        return right | (stray & right.any()), left | (stray & left.any())
    nearer_right = distance_to(right) <= distance_to(left)
    return right | (stray & nearer_right), left | (stray & ~nearer_right)


def _large_parts(
    mask: NDArray[np.bool_], main: NDArray[np.bool_], least_part: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the large parts of a mask, and those small ones that hold something of the main."""
    labels, _ = ndimage.label(mask)
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    large = counts >= max(least_part * counts.max(), 1)
    known = np.zeros_like(large)
    known[np.unique(labels[main & mask])] = True
    return large[labels], (known & ~large)[labels]


def refine(shares: Shares, array_zyx: HuArray) -> NDArray[np.uint8]:
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
    box = _box(shares.sum(0) > DARK_SHARE)
    if box is None:
        return labels
    (z0, z1), rows, columns = box
    near = shares[:, :, slice(*rows), slice(*columns)]
    fields = near.sum(0), near[0] - near[1]
    for first in range(z0, z1, _SLAB):
        last = min(first + _SLAB, z1)
        where = tuple(
            slice(low * COARSENING, high * COARSENING)
            for low, high in ((first, last), rows, columns)
        )
        labels[where] = _label_slab(fields, first, last, array_zyx[where])
    return labels


def _label_slab(
    fields: tuple[NDArray[np.float32], NDArray[np.float32]],
    first: int,
    last: int,
    hu: HuArray,
) -> NDArray[np.uint8]:
    """Label the fine voxels of the coarse slices from ``first`` to before ``last``."""
    # one coarse slice more on either side, so that slabs meet without an edge
    low, high = max(first - 1, 0), min(last + 1, len(fields[0]))
    start = (first - low) * COARSENING
    box = tuple(slice(0, n) for n in hu.shape)
    share, lead = (interpolate(each[low:high])[start:][box] for each in fields)
    found = (share > HALF) | ((share > DARK_SHARE) & (hu < _DARK_BELOW_HU))
    side = np.where(lead > 0, np.uint8(LungMask.RIGHT), np.uint8(LungMask.LEFT))
    return np.asarray(side * found, np.uint8)


def _box(mask: NDArray[np.bool_]) -> list[tuple[int, int]] | None:
    """Return the box that holds the mask with a margin of two voxels, or None if it is empty."""
    index = np.argwhere(mask)
    if not len(index):
        return None
    low, high = index.min(0).tolist(), index.max(0).tolist()
    return [(max(a - 2, 0), min(b + 3, n)) for a, b, n in zip(low, high, mask.shape, strict=True)]
