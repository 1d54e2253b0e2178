from dataclasses import replace

import numpy as np
import pytest
from made_findings import GRID, box

from nodule.errors import GeometryError, InputError
from nodule.masks import Texture

SOLID: Texture = "solid"


def test_a_crop_lies_where_its_voxels_lay() -> None:
    mask = box((3, 5, 7), (6, 9, 12))
    assert (mask.start_zyx, mask.shape_zyx) == ((3, 5, 7), (3, 4, 5))
    assert mask.volume_mm3 == pytest.approx(60 * 2.0 * 0.9 * 0.8)
    assert mask.center_lps_mm == pytest.approx(tuple(GRID.index_to_lps((4.0, 6.5, 9.0))))
    assert mask.fits(GRID)
    z, y, x = np.unravel_index(mask.voxel_numbers(GRID), GRID.shape_zyx)
    assert [(int(a.min()), int(a.max())) for a in (z, y, x)] == [(3, 5), (5, 8), (7, 11)]


def test_masks_are_equal_by_what_they_hold() -> None:
    one, same = box((3, 5, 7), (6, 9, 12)), box((3, 5, 7), (6, 9, 12))
    assert (one, hash(one), one.sha256) == (same, hash(same), same.sha256)
    core = np.zeros(one.shape_zyx, np.bool_)
    core[1, 1, 1] = True
    assert one != replace(one, core_zyx=core)
    assert one != replace(one, texture="calcified")
    moved = box((4, 5, 7), (7, 9, 12))
    assert one != moved
    assert one.sha256 != moved.sha256


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"array_zyx": np.ones((1, 1, 1), np.bool_)}, "SHAPE_MISMATCH"),
        ({"array_zyx": np.ones((3, 4, 5), np.uint8)}, "BAD_DTYPE"),
        ({"array_zyx": np.zeros((3, 4, 5), np.bool_)}, "EMPTY_MASK"),
        ({"core_zyx": np.zeros((1, 4, 5), np.bool_)}, "SHAPE_MISMATCH"),
    ],
)
def test_refuses_what_is_no_mask(change: dict[str, object], code: str) -> None:
    with pytest.raises((GeometryError, InputError), match=code):
        replace(box((3, 5, 7), (6, 9, 12)), **change)


@pytest.mark.parametrize(("off_mm", "fits"), [(0.0, True), (0.0009, True), (0.0011, False)])
def test_a_mask_fits_a_grid_to_a_thousandth_of_a_millimetre(off_mm: float, fits: bool) -> None:
    mask = box((3, 5, 7), (6, 9, 12))
    x, y, z = GRID.origin_lps_mm
    assert mask.fits(replace(GRID, origin_lps_mm=(x, y + off_mm, z))) == fits


@pytest.mark.parametrize(("depth", "fits"), [(5, False), (6, True)])
def test_a_mask_fits_no_grid_that_ends_before_it(depth: int, fits: bool) -> None:
    """It fills slices 3, 4 and 5."""
    assert box((3, 5, 7), (6, 9, 12)).fits(replace(GRID, shape_zyx=(depth, 24, 28))) == fits
