"""Plain features of a nodule's outline and density, as radiomics takes them.

The outline is the readers': what at least half of them marked. Definitions and names follow the
Image Biomarker Standardisation Initiative (Zwanenburg et al. 2020), whose codes are given.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.geometry import Geometry, Vector
from nodule.malignancy.training import NoduleCropView, majority
from nodule.measure.calipers import sphericity
from nodule.sphere import sphere_diameter_mm

_RIM = ndimage.generate_binary_structure(3, 1)


@dataclass(frozen=True, kw_only=True)
class Features:
    """What is measured of an outlined nodule.

    Parameters
    ----------
    log_volume : natural logarithm of the volume in mm3, of all voxels (YEKZ).
    sphericity : (QCFX).
    surface_to_volume_mm : surface over volume (2PR5), 1/mm.
    elongation : square root of the second over the first principal moment (Q3CK); 1 is round.
    flatness : of the third over the first (N17B); 0 is flat.
    mean_hu, deviation_hu : over the outline (Q4LE; the root of ECT3).
    low_hu, median_hu, high_hu : percentiles 10, 50 and 90 (QG58, Y12H, 8DWT).
    margin_hu_mm : mean size of the density's gradient on both sides of the outline, HU/mm.
    """

    log_volume: float
    sphericity: float
    surface_to_volume_mm: float
    elongation: float
    flatness: float
    mean_hu: float
    deviation_hu: float
    low_hu: float
    median_hu: float
    high_hu: float
    margin_hu_mm: float

    def row(self) -> tuple[float, ...]:
        """Return the values in the order of the fields."""
        return astuple(self)


def features_of(view: NoduleCropView) -> Features:
    """Measure the nodule in a view, within its readers' common outline."""
    return measure(view.hu, majority(view.packed.reader_bits), view.packed.geometry)


def measure(
    hu_zyx: NDArray[np.float32], mask_zyx: NDArray[np.bool_], geometry: Geometry
) -> Features:
    """Measure what a mask of one voxel or more outlines, both [z, y, x] on the same grid."""
    spacing_mm = geometry.spacing_zyx_mm
    volume_mm3 = float(mask_zyx.sum()) * math.prod(spacing_mm)
    roundness = sphericity(mask_zyx, geometry)
    surface_mm2 = math.pi * sphere_diameter_mm(volume_mm3) ** 2 / roundness
    first, second, third = _moments(mask_zyx, spacing_mm)
    inside = hu_zyx[mask_zyx]
    low, median, high = np.percentile(inside, (10, 50, 90)).tolist()
    return Features(
        log_volume=math.log(volume_mm3),
        sphericity=roundness,
        surface_to_volume_mm=surface_mm2 / volume_mm3,
        elongation=math.sqrt(second / first),
        flatness=math.sqrt(third / first),
        mean_hu=float(inside.mean()),
        deviation_hu=float(inside.std()),
        low_hu=low,
        median_hu=median,
        high_hu=high,
        margin_hu_mm=_margin(hu_zyx, mask_zyx, spacing_mm),
    )


def _moments(mask_zyx: NDArray[np.bool_], spacing_mm: Vector) -> tuple[float, float, float]:
    """Return the variances along the principal axes, mm2, the largest first.

    Each voxel counts as a box, not as a point, so that a single slice has a thickness.
    """
    place_mm = np.argwhere(mask_zyx) * spacing_mm
    scatter = np.cov(place_mm, rowvar=False, bias=True) if len(place_mm) > 1 else np.zeros((3, 3))
    boxes = np.diag(np.square(spacing_mm) / 12.0)
    third, second, first = np.linalg.eigvalsh(scatter + boxes).tolist()
    return first, second, third


def _margin(hu_zyx: NDArray[np.float32], mask_zyx: NDArray[np.bool_], spacing_mm: Vector) -> float:
    rim = ndimage.binary_dilation(mask_zyx, _RIM) & ~ndimage.binary_erosion(
        mask_zyx, _RIM, border_value=1
    )
    # an axis of one slice has no gradient
    steepness = [
        np.gradient(hu_zyx, step, axis=axis)
        for axis, step in enumerate(spacing_mm)
        if hu_zyx.shape[axis] > 1
    ]
    return float(np.linalg.norm(steepness, axis=0)[rim].mean())
