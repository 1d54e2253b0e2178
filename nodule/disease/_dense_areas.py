"""Wide dense areas of the lungs' masks, and what of them is consolidation.

Vessels, hila, the lungs' edge and lung that is dense because it lies lowest are thin; disease that
makes rules for nodules void is wide. So only that counts which holds a ball.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.disease._coarse_chest import CoarseChest, Image, Mask

GROUND_GLASS, CONSOLIDATION, LEFT_OUT = 1, 2, 3
"""Labels of diseased blocks."""

_SMOOTHING = 1.0  # blocks, standard deviation, within the mask
_HALO = 1.5  # blocks: what smoothing makes of the edge of consolidation is no ground glass
_NODULE_SHARE = 0.5  # of an area that is findings' masks
_LARGEST_NODULE_ML = 50.0  # a ball of 46 mm


def dense_areas(
    chest: CoarseChest,
    *,
    ground_glass_hu: float,
    consolidation_hu: float,
    least_width_mm: float,
    nodules: Mask,
) -> NDArray[np.uint8]:
    """Label what is ground-glass or consolidation in the lungs' masks.

    Parameters
    ----------
    chest : the lungs.
    ground_glass_hu, consolidation_hu : from which level on, averaged over some millimetres, lung
        counts as such.
    least_width_mm : diameter of the ball that an area must hold.
    nodules : blocks that findings' masks touch. An area of 50 ml or less, half of which is theirs,
        is a nodule or mass itself.

    Returns
    -------
    NDArray : uint8 of the chest's shape.
    """
    labels = np.zeros(chest.hu.shape, np.uint8)
    boxes = ndimage.find_objects((chest.sides > 0).astype(np.uint8))
    if not boxes:
        return labels
    box = tuple(slice(max(each.start - 1, 0), each.stop + 1) for each in boxes[0])
    lung = chest.sides[box] > 0
    smooth = _smooth_within(chest.hu[box], lung)
    wide = _holding_a_ball(lung & (smooth > ground_glass_hu), 0.5 * least_width_mm / chest.step_mm)
    wide &= ~_nodules_themselves(wide, nodules[box], chest.voxel_ml)
    dense = wide & (smooth > consolidation_hu)
    labels[box][_holding_a_ball(wide & ~dense, _HALO)] = GROUND_GLASS
    labels[box][dense] = CONSOLIDATION
    return labels


def _smooth_within(hu: Image, lung: Mask) -> Image:
    """Average over neighbours in the lung alone, so that the wall does not make its edge dense."""
    weight = ndimage.gaussian_filter(lung.astype(np.float32), _SMOOTHING)
    total = ndimage.gaussian_filter(np.where(lung, hu, 0.0).astype(np.float32), _SMOOTHING)
    return np.asarray(total / np.maximum(weight, 1e-3), dtype=np.float32)


def _holding_a_ball(mask: Mask, radius: float) -> Mask:
    """Open a mask by a ball of a radius in blocks."""
    padded = np.pad(mask, 1)
    core = ndimage.distance_transform_edt(padded) > radius
    if not core.any():
        return np.zeros_like(mask)
    opened = padded & (ndimage.distance_transform_edt(~core) <= radius)
    return np.asarray(opened[1:-1, 1:-1, 1:-1])


def _nodules_themselves(wide: Mask, nodules: Mask, voxel_ml: float) -> Mask:
    labels, count = ndimage.label(wide)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    theirs = np.bincount(labels[nodules], minlength=count + 1)
    are = (theirs >= _NODULE_SHARE * sizes) & (sizes * voxel_ml <= _LARGEST_NODULE_ML)
    are[0] = False
    return np.asarray(are[labels])
