import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

from nodule.geometry import Geometry, Vector
from nodule.volume import Volume

LUNG_HU = -850.0
_FINE = 4  # samples per voxel edge
_BLUR_MM = 0.6

Draw = Callable[..., Volume]


@pytest.fixture(scope="session")
def oblique_grid() -> Geometry:
    """Three different spacings, turned by 15 degrees about z and tilted by 10, off the origin."""
    a, b = math.radians(15), math.radians(10)
    turn = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    axes_xyz = turn @ tilt
    affine = np.eye(4)
    affine[:3, :3] = axes_xyz[:, ::-1] * (1.25, 0.8, 0.7)
    affine[:3, 3] = (-60.0, 35.0, -210.0)
    return Geometry.from_affine(affine, shape_zyx=(36, 56, 60))


@pytest.fixture(scope="session")
def draw_ellipsoid() -> Draw:
    """Draw an ellipsoid with axes along LPS into lung, blurred, with noise of about 15 HU."""

    def draw(
        geometry: Geometry, *, center_lps_mm: Vector, semi_axes_mm: Vector, core_hu: float
    ) -> Volume:
        share = np.zeros(geometry.shape_zyx)
        index = np.moveaxis(np.indices(geometry.shape_zyx), 0, -1).astype(float)
        offsets = (np.arange(_FINE) + 0.5) / _FINE - 0.5
        for offset in np.stack(np.meshgrid(offsets, offsets, offsets), axis=-1).reshape(-1, 3):
            away = (geometry.index_to_lps(index + offset) - center_lps_mm) / semi_axes_mm
            share += (away**2).sum(axis=-1) <= 1
        sigma = _BLUR_MM / np.asarray(geometry.spacing_zyx_mm)
        share = ndimage.gaussian_filter(share / _FINE**3, sigma)
        rng = np.random.default_rng(7)
        noise = ndimage.gaussian_filter(rng.normal(size=share.shape), 0.7) * 60
        hu = LUNG_HU + (core_hu - LUNG_HU) * share + noise
        return Volume(array_zyx=hu.astype(np.float32), geometry=geometry)

    return draw
