"""The outline of the body, on drawn cross-sections; a coarse voxel is 3 mm."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.lungs._body import body, within_body

Hu = NDArray[np.float32]
SHAPE = (24, 90, 110)


def chest(*, table: bool) -> Hu:
    """An elliptic body with two lungs; below it, if asked, a foam core between two shells."""
    hu = np.full(SHAPE, -1000.0, np.float32)
    _, y, x = np.indices(SHAPE)
    hu[((y - 35) / 26) ** 2 + ((x - 55) / 40) ** 2 < 1] = 40.0
    for centre in (35, 75):
        hu[((y - 35) / 14) ** 2 + ((x - centre) / 13) ** 2 < 1] = -850.0
    if table:
        hu[:, 61:63, 5:105] = hu[:, 75:77, 5:105] = -100.0  # the upper shell touches the back
        hu[:, 63:75, 5:105] = -900.0
    return hu


def test_the_body_is_the_tissue_and_the_table_is_not() -> None:
    hu = chest(table=True)
    np.testing.assert_array_equal(body(hu)[:, :61], hu[:, :61] > -500)
    assert not body(hu)[:, 65:].any()


def test_lungs_lie_within_and_foam_does_not() -> None:
    hu = chest(table=True)
    dark = (hu < -800) & (hu > -950)
    found = within_body(hu, dark)
    lungs = dark[:, :61]
    np.testing.assert_array_equal(found[:, :61], lungs)
    assert not found[:, 65:].any()


def test_a_wall_too_thin_to_be_seen_leaves_the_lungs_inside() -> None:
    hu = chest(table=False)
    _, y, x = np.indices(SHAPE)
    hu[(y > 33) & (y < 37) & (x < 20)] = -1000.0  # an open wound down to the lung's side
    dark = (hu < -800) & (hu > -950)
    assert within_body(hu, dark)[dark].mean() > 0.95


@pytest.mark.parametrize(("hu", "any_body"), [(-501.0, False), (-500.0, False), (-499.0, True)])
def test_tissue_is_denser_than_minus_500(hu: float, any_body: bool) -> None:
    drawn = np.full((20, 20, 20), -1000.0, np.float32)
    drawn[4:16, 4:16, 4:16] = hu
    assert body(drawn).any() == any_body


@pytest.mark.parametrize(("voxels", "is_body"), [(3, False), (4, False), (5, True), (6, True)])
def test_a_sheet_of_four_voxels_is_no_body(voxels: int, is_body: bool) -> None:
    drawn = np.full((30, 30, 30), -1000.0, np.float32)
    drawn[:, 10 : 10 + voxels] = 0.0
    assert body(drawn).any() == is_body


def test_the_larger_of_two_bodies_is_the_patient() -> None:
    drawn = np.full((20, 20, 40), -1000.0, np.float32)
    drawn[2:18, 2:18, 2:18] = drawn[5:15, 5:15, 25:35] = 0.0
    assert body(drawn)[:, :, :20].any()
    assert not body(drawn)[:, :, 20:].any()


def test_where_the_body_is_not_nothing_is_inside() -> None:
    empty = np.full((5, 9, 9), -1000.0, np.float32)
    assert not within_body(empty, empty < -900).any()
