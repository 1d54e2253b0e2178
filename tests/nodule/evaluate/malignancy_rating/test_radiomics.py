"""Features of boxes and gradients whose values arithmetic gives."""

import math

import numpy as np
import pytest

from nodule.evaluate.malignancy_rating._radiomics import measure
from nodule.geometry import Geometry

SPACING_ZYX_MM = (2.0, 0.5, 0.8)
GEOMETRY = Geometry(shape_zyx=(12, 40, 60), spacing_zyx_mm=SPACING_ZYX_MM)


def box(size_zyx: tuple[int, int, int]) -> np.ndarray:
    mask = np.zeros(GEOMETRY.shape_zyx, np.bool_)
    mask[tuple(slice(3, 3 + size) for size in size_zyx)] = True
    return mask


def test_a_boxs_volume_and_moments_are_those_of_a_box() -> None:
    found = measure(np.zeros(GEOMETRY.shape_zyx, np.float32), box((3, 24, 20)), GEOMETRY)
    # edges of 6, 12 and 16 mm; a box's variance along an edge is its square over 12
    assert found.log_volume == pytest.approx(math.log(6 * 12 * 16))
    assert found.elongation == pytest.approx(12 / 16)
    assert found.flatness == pytest.approx(6 / 16)


def test_surface_to_volume_is_about_that_of_a_box() -> None:
    found = measure(np.zeros(GEOMETRY.shape_zyx, np.float32), box((3, 24, 20)), GEOMETRY)
    surface, volume = 2 * (6 * 12 + 6 * 16 + 12 * 16), 6 * 12 * 16
    assert found.surface_to_volume_mm == pytest.approx(surface / volume, rel=0.1)


def test_a_single_voxel_has_a_shape_too() -> None:
    found = measure(np.full(GEOMETRY.shape_zyx, 7.0, np.float32), box((1, 1, 1)), GEOMETRY)
    assert found.elongation == pytest.approx(0.8 / 2.0)
    assert found.flatness == pytest.approx(0.5 / 2.0)
    assert (found.mean_hu, found.deviation_hu, found.margin_hu_mm) == (7.0, 0.0, 0.0)


def test_density_is_of_what_lies_inside() -> None:
    mask = box((2, 5, 2))
    hu = np.full(GEOMETRY.shape_zyx, -900.0, np.float32)
    hu[mask] = np.arange(20) - 10
    found = measure(hu, mask, GEOMETRY)
    assert found.mean_hu == pytest.approx(-0.5)
    assert found.median_hu == pytest.approx(-0.5)
    assert found.low_hu == pytest.approx(-10 + 1.9)
    assert found.high_hu == pytest.approx(-10 + 17.1)
    assert found.deviation_hu == pytest.approx(np.sqrt((20**2 - 1) / 12))


def test_the_margin_is_as_steep_as_the_density_rises() -> None:
    z, y, x = np.indices(GEOMETRY.shape_zyx).astype(np.float32)
    # 3, 4 and 12 HU per mm along the axes: 13 in all
    hu = 3 * 2.0 * z + 4 * 0.5 * y + 12 * 0.8 * x
    assert measure(hu, box((2, 9, 9)), GEOMETRY).margin_hu_mm == pytest.approx(13.0, rel=1e-4)


def test_a_crop_of_one_slice_can_be_measured() -> None:
    flat = Geometry(shape_zyx=(1, 20, 20), spacing_zyx_mm=(2.5, 1.0, 1.0))
    mask = np.zeros(flat.shape_zyx, np.bool_)
    mask[0, 5:9, 5:9] = True
    found = measure(np.zeros(flat.shape_zyx, np.float32), mask, flat)
    assert found.log_volume == pytest.approx(math.log(40.0))
