"""Images and lungs fit their grid, hold the type that they should, or are refused."""

import numpy as np
import pytest

from nodule.errors import GeometryError, InputError
from nodule.geometry import Geometry
from nodule.volume import LungMask, Volume

GRID = Geometry(shape_zyx=(2, 3, 4), spacing_zyx_mm=(2.0, 5.0, 10.0))


def test_refuses_an_array_of_another_shape() -> None:
    for make in (
        lambda: Volume(array_zyx=np.zeros((2, 3, 5), np.float32), geometry=GRID),
        lambda: LungMask(labels_zyx=np.zeros((3, 2, 4), np.uint8), geometry=GRID),
    ):
        with pytest.raises(GeometryError, match="SHAPE_MISMATCH"):
            make()


def test_refuses_another_type_of_voxel() -> None:
    for make in (
        lambda: Volume(array_zyx=np.zeros(GRID.shape_zyx, np.float64), geometry=GRID),
        lambda: LungMask(labels_zyx=np.zeros(GRID.shape_zyx, np.int16), geometry=GRID),
    ):
        with pytest.raises(InputError, match="BAD_DTYPE"):
            make()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_refuses_one_voxel_that_is_no_number(value: float) -> None:
    array = np.zeros(GRID.shape_zyx, np.float32)
    array[1, 2, 3] = value
    with pytest.raises(InputError, match="NOT_FINITE"):
        Volume(array_zyx=array, geometry=GRID)


@pytest.mark.parametrize(("label", "refused"), [(0, False), (1, False), (2, False), (3, True)])
def test_a_label_is_outside_right_or_left(label: int, refused: bool) -> None:
    labels = np.full(GRID.shape_zyx, label, np.uint8)
    if refused:
        with pytest.raises(InputError, match="BAD_LABEL"):
            LungMask(labels_zyx=labels, geometry=GRID)
    else:
        LungMask(labels_zyx=labels, geometry=GRID)


def test_volumes_of_the_lungs_are_millilitres_right_first() -> None:
    """Voxels of 2 x 5 x 10 mm hold a tenth of a millilitre."""
    labels = np.zeros(GRID.shape_zyx, np.uint8)
    labels[0, 0, :3], labels[1, 0, :2] = LungMask.RIGHT, LungMask.LEFT
    assert LungMask(labels_zyx=labels, geometry=GRID).volume_ml == pytest.approx((0.3, 0.2))
