"""The rough lungs are the air in the body, with what is in and on it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.training import LungField

SPACING_MM = (2.5, 1.0, 1.0)


def chest() -> NDArray[np.int16]:
    """Two lungs in a body in air, a vessel in one of them, and a bubble of 1 ml in the middle."""
    hu = np.full((60, 120, 140), -1000, np.int16)
    hu[:, 10:110, 10:130] = 40
    hu[5:55, 25:95, 20:60] = hu[5:55, 25:95, 80:120] = -850
    hu[5:55, 50:54, 38:42] = 40
    hu[28:32, 60:70, 65:75] = -900
    return hu


@pytest.fixture(scope="module")
def field() -> LungField:
    return LungField.of(chest(), SPACING_MM)


def test_the_grid_is_about_two_millimetres(field: LungField) -> None:
    assert field.steps_zyx == (1, 2, 2)
    assert field.spacing_zyx_mm == (2.5, 2.0, 2.0)


def test_air_around_the_body_and_small_bubbles_are_no_lung(field: LungField) -> None:
    points = field.points_mm(field.air)
    assert len(points) > 1000
    assert points[:, 1].min() >= 24
    assert points[:, 1].max() <= 95
    assert points[:, 2].min() >= 19
    assert points[:, 2].max() <= 120
    assert not ((points[:, 2] > 62) & (points[:, 2] < 78)).any()


def test_lungs_hold_their_vessels(field: LungField) -> None:
    vessel = (slice(10, 50), slice(25, 27), slice(19, 21))
    assert not field.air[vessel].any()
    assert field.lungs[vessel].all()
    assert (field.lungs & (field.hu > 0)).sum() > 0


def test_points_lie_as_far_apart_as_was_asked_for(field: LungField) -> None:
    points = field.points_mm(field.air, apart_mm=4.0)
    for axis, step in enumerate((5.0, 4.0, 4.0)):
        assert np.diff(np.unique(points[:, axis])).min() == step


def test_an_image_without_lung_has_no_points() -> None:
    field = LungField.of(np.full((20, 40, 40), 40, np.int16), SPACING_MM)
    assert field.points_mm(field.lungs).shape == (0, 3)
