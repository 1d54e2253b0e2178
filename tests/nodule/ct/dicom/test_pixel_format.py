"""A file must hold what it declares: no byte less, and none more."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from nodule.ct import read_ct
from nodule.errors import NoduleError


def refusal(path: Path) -> str:
    with pytest.raises(NoduleError) as caught:
        read_ct(path)
    return caught.value.code


def change_all(slices: list[Dataset], **attributes: Any) -> list[Dataset]:
    for ds in slices:
        for keyword, value in attributes.items():
            setattr(ds, keyword, value)
    return slices


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"Rows": 23}, "SURPLUS_DATA"),
        ({"Columns": 19}, "SURPLUS_DATA"),
        ({"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}, "SURPLUS_DATA"),
        ({"Rows": 25}, "TRUNCATED"),
        ({"BitsAllocated": 32, "BitsStored": 16}, "TRUNCATED"),
        ({"BitsStored": 12, "HighBit": 15}, "BAD_VALUE"),
        ({"BitsStored": 16, "HighBit": 11}, "BAD_VALUE"),
        ({"PixelRepresentation": 2}, "BAD_VALUE"),
        ({"SamplesPerPixel": 0}, "BAD_VALUE"),
    ],
)
def test_pixel_data_of_another_layout_than_declared_are_refused(
    synthetic: Any, tmp_path: Path, attributes: dict[str, int], code: str
) -> None:
    """Every row would be shifted against the last, or every value be another."""
    slices = change_all(synthetic.make_slices(), **attributes)
    assert refusal(synthetic.save(slices, tmp_path)) == code


def test_one_slice_of_another_layout_refuses_the_series(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    change_all(slices[4:5], BitsAllocated=8, BitsStored=8, HighBit=7)
    assert refusal(synthetic.save(slices, tmp_path)) == "SURPLUS_DATA"


def test_an_absent_high_bit_is_the_one_that_the_standard_demands(
    synthetic: Any, tmp_path: Path
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        del ds.HighBit
    array = read_ct(synthetic.save(slices, tmp_path)).volume.array_zyx
    np.testing.assert_array_equal(array, synthetic.hounsfield_zyx())
