"""A map goes to the prior scan and back, and refuses what is no field."""

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.followup import LungMap
from nodule.geometry import Geometry

GRID = Geometry(shape_zyx=(5, 5, 5), spacing_zyx_mm=(25.0, 25.0, 25.0))
POINTS = np.array([[10.0, 20.0, 30.0], [80.0, 55.5, 60.0]])


def mapped(shift: np.ndarray) -> LungMap:
    return LungMap(
        shift_lps_mm=shift.astype(np.float32), geometry=GRID, overlap=1.0, surface_error_mm=0.0
    )


def stretch(share: float) -> LungMap:
    """Move points along z by a share of their height."""
    shift = np.zeros((5, 5, 5, 3))
    shift[..., 2] = share * 25.0 * np.arange(5)[:, None, None]
    return mapped(shift)


def test_a_constant_shift_is_added_there_and_taken_off_on_the_way_back() -> None:
    found = mapped(np.broadcast_to([1.0, -2.0, 3.0], (5, 5, 5, 3)))
    np.testing.assert_allclose(found.to_prior(POINTS), np.add(POINTS, [1.0, -2.0, 3.0]), atol=1e-6)
    np.testing.assert_allclose(
        found.to_current(POINTS), np.subtract(POINTS, [1.0, -2.0, 3.0]), atol=1e-6
    )


@pytest.mark.parametrize("share", [-0.4, 0.1, 0.4])
def test_a_stretch_by_two_fifths_is_undone_to_a_millionth(share: float) -> None:
    found = stretch(share)
    there = found.to_prior(POINTS)
    np.testing.assert_allclose(there[:, 2], POINTS[:, 2] * (1 + share), atol=1e-4)
    np.testing.assert_allclose(found.to_current(there), POINTS, atol=1e-4)


def test_beyond_the_field_a_point_moves_as_the_nearest_inside() -> None:
    np.testing.assert_allclose(
        stretch(0.1).to_prior([50.0, 50.0, 900.0]), [50.0, 50.0, 910.0], atol=1e-4
    )


def test_refuses_a_field_of_another_shape_or_without_numbers() -> None:
    with pytest.raises(InputError, match="SHAPE_MISMATCH"):
        mapped(np.zeros((5, 5, 5)))
    with pytest.raises(InputError, match="NOT_FINITE"):
        mapped(np.full((5, 5, 5, 3), np.nan))
