"""A nodule's box, place and size on its study, by hand."""

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.study import SeriesHeader, Study
from nodule.training import NoduleStack
from nodule.volume import Volume


@pytest.fixture
def study() -> Study:
    geometry = Geometry(
        shape_zyx=(10, 40, 50), spacing_zyx_mm=(2.0, 0.5, 0.5), origin_lps_mm=(12.0, -7.0, -90.0)
    )
    return Study(
        volume=Volume(array_zyx=np.zeros(geometry.shape_zyx, np.float32), geometry=geometry),
        series=SeriesHeader(source_format="dicom", series_instance_uid="1.2.3"),
    )


def test_masks_that_nobody_rated_give_box_place_and_size(study: Study) -> None:
    masks = [((4, 20, 30), np.ones((1, 2, 2), bool)), ((4, 20, 30), np.ones((1, 2, 3), bool))]
    stack = NoduleStack.of_masks(masks, study=study, margin_mm=1.0)
    # half a slice is one, 1 mm are two pixels
    assert stack.box == (slice(3, 6), slice(18, 24), slice(28, 35))
    assert stack.reader_bits[1, 2:4, 2:5].tolist() == [[3, 3, 2], [3, 3, 2]]
    assert np.count_nonzero(stack.reader_bits) == 6
    # one of two readers is half of them: six voxels of 2 x 0.5 x 0.5 mm about (4, 20.5, 31)
    assert stack.center_lps_mm == pytest.approx((12.0 + 15.5, -7.0 + 10.25, -90.0 + 8.0))
    assert stack.volume_mm3 == pytest.approx(3.0)
    assert (stack.n_readers, stack.ratings) == (2, {})


def test_refuses_a_place_outside(study: Study) -> None:
    with pytest.raises(InputError, match="OUTSIDE_VOLUME"):
        NoduleStack.of_place((500.0, 0.0, 0.0), diameter_mm=4.0, study=study)
