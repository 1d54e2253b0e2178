"""How well two masks agree: overlap, surface distances, volume. Surfaces load torch and MONAI.

Surfaces are the masks' edge voxels and distances run between voxel centres, in mm. The 95 %
Hausdorff distance is MONAI's: the larger of the two directed 95th percentiles. Other packages
pool both directions or weigh by area and give other numbers. The surface Dice at a tolerance
(Nikolov et al. 2018) counts edge voxels.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.errors import GeometryError
from nodule.geometry import Vector

NODULE_TOLERANCE_MM = 1.0  # the project's choices, about the readers' own spread
LUNG_TOLERANCE_MM = 2.0


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Agreement of a mask with its reference.

    Two empty masks agree fully: Dice, IoU and surface Dice 1, distances 0. With one empty, Dice,
    IoU and surface Dice are 0 and distances infinite. The volume error is undefined (NaN)
    without a reference and 0 if both are empty.

    Parameters
    ----------
    dice, iou : 2|A and B| / (|A| + |B|) and |A and B| / |A or B|.
    hausdorff_mm, hd95_mm : largest and 95th percentile surface distance.
    mean_surface_mm : mean distance over both surfaces.
    surface_dice : share of both surfaces within the tolerance of the other.
    relative_volume_error : (volume - reference) / reference, with sign.
    tolerance_mm : of the surface Dice.
    """

    dice: float
    iou: float
    hausdorff_mm: float
    hd95_mm: float
    mean_surface_mm: float
    surface_dice: float
    relative_volume_error: float
    tolerance_mm: float


def dice(predicted: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """Return 2|A and B| / (|A| + |B|) of two masks of one shape, 1 where both are empty."""
    size = int(predicted.sum()) + int(reference.sum())
    return 2.0 * int((predicted & reference).sum()) / size if size else 1.0


def compare_masks(
    predicted: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    *,
    spacing_zyx_mm: Vector,
    tolerance_mm: float = NODULE_TOLERANCE_MM,
) -> Overlap:
    """Compare two masks on one grid.

    Parameters
    ----------
    predicted, reference : bool [z, y, x].
    spacing_zyx_mm : voxel spacing.
    tolerance_mm : for the surface Dice.

    Raises
    ------
    GeometryError : ``SHAPE_MISMATCH``.
    """
    if predicted.shape != reference.shape:
        raise GeometryError(
            "masks on different grids",
            code="SHAPE_MISMATCH",
            expected=reference.shape,
            got=predicted.shape,
        )
    n_predicted, n_reference = int(predicted.sum()), int(reference.sum())
    if not (n_predicted and n_reference):
        return _with_empty(n_predicted, n_reference, tolerance_mm)
    shared = int((predicted & reference).sum())
    return Overlap(
        dice=dice(predicted, reference),
        iou=shared / (n_predicted + n_reference - shared),
        relative_volume_error=(n_predicted - n_reference) / n_reference,
        tolerance_mm=tolerance_mm,
        **_surface(predicted, reference, spacing_zyx_mm, tolerance_mm),
    )


def _with_empty(n_predicted: int, n_reference: int, tolerance_mm: float) -> Overlap:
    both = n_predicted == n_reference
    agreement, distance = (1.0, 0.0) if both else (0.0, math.inf)
    error = 0.0 if both else (-1.0 if n_reference else math.nan)
    return Overlap(
        dice=agreement,
        iou=agreement,
        hausdorff_mm=distance,
        hd95_mm=distance,
        mean_surface_mm=distance,
        surface_dice=agreement,
        relative_volume_error=error,
        tolerance_mm=tolerance_mm,
    )


def _surface(
    predicted: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    spacing_zyx_mm: Vector,
    tolerance_mm: float,
) -> dict[str, float]:
    import torch
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance
    from monai.metrics.surface_dice import compute_surface_dice
    from monai.metrics.surface_distance import compute_average_surface_distance

    inside = np.argwhere(predicted | reference)
    low, high = np.maximum(inside.min(axis=0) - 1, 0), inside.max(axis=0) + 2
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    a, b = (torch.from_numpy(mask[box][None, None].copy()) for mask in (predicted, reference))
    same: Any = {"include_background": True, "spacing": spacing_zyx_mm}
    with warnings.catch_warnings():
        # MONAI 1.6 warns of an argument that its own functions pass on
        warnings.filterwarnings("ignore", message=".*always_return_as_numpy")
        return {
            "hausdorff_mm": float(compute_hausdorff_distance(a, b, **same)),
            "hd95_mm": float(compute_hausdorff_distance(a, b, percentile=95, **same)),
            "mean_surface_mm": float(
                compute_average_surface_distance(a, b, symmetric=True, **same)
            ),
            "surface_dice": float(
                compute_surface_dice(a, b, class_thresholds=[tolerance_mm], **same)
            ),
        }
