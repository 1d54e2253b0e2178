"""A refusal's hint names what has happened, so that who follows it gets further."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodule.ct import inventory, read_ct
from nodule.errors import NoduleError

Slices = list[Any]


def renamed(slices: Slices, of: int) -> Any:
    """Return a copy of a slice under another SOPInstanceUID."""
    copy = deepcopy(slices[of])
    copy.SOPInstanceUID = "1.2.826.0.1.3680043.8.498.77"
    return copy


def same_pixels(slices: Slices) -> Slices:
    return [*slices, renamed(slices, 4)]


def other_pixels(slices: Slices) -> Slices:
    copy = renamed(slices, 4)
    copy.PixelData = slices[5].PixelData
    return [*slices, copy]


def same_uid(slices: Slices) -> Slices:
    copy = deepcopy(slices[4])
    copy.StationName = "ARCHIVE"
    return [*slices, copy]


def series_for_each(slices: Slices) -> Slices:
    for number, image in enumerate(slices):
        image.SeriesInstanceUID = f"1.2.3.{number + 1}"
    return slices


@pytest.mark.parametrize(
    ("change", "code", "hint"),
    [
        (same_pixels, "DUPLICATE_POSITIONS", "exported twice"),
        (other_pixels, "DUPLICATE_POSITIONS", "several phases"),
        (same_uid, "DUPLICATE_UIDS", "exported twice"),
        (series_for_each, "TOO_FEW_SLICES", "renamed them one by one"),
    ],
)
def test_the_hint_fits_the_fault(
    synthetic: Any, tmp_path: Path, change: Callable[[Slices], Slices], code: str, hint: str
) -> None:
    path = synthetic.save(change(synthetic.make_slices()), tmp_path)
    with pytest.raises(NoduleError, match=hint) as refused:
        inventory(path).choose()
    assert refused.value.code == code


def test_an_image_file_in_a_folder_is_to_be_given_itself(tmp_path: Path) -> None:
    (tmp_path / "ct.nii.gz").write_bytes(b"")
    with pytest.raises(NoduleError, match="Give the image file itself") as refused:
        inventory(tmp_path).choose()
    assert refused.value.code == "NOT_DICOM"


@pytest.mark.parametrize(("off", "warned"), [(0.00005, False), (0.00007, True)])
def test_an_orientation_that_rounding_turned_is_read_and_told(
    synthetic: Any, tmp_path: Path, off: float, warned: bool
) -> None:
    """The far corner of rows of 171 mm then lies 0.0085 or 0.0119 mm off."""
    slices = synthetic.make_slices()
    for ds in slices:
        ds.PixelSpacing = [7.0, 9.0]
        # lung in soft tissue, as in a field of that size there must be
        stored = np.full(ds.pixel_array.shape, 40 - int(ds.RescaleIntercept), "<i2")
        stored[5:20, 5:15] -= 890 + np.arange(10, dtype="<i2")
        ds.PixelData = stored.tobytes()
    turned = np.asarray(slices[4].ImageOrientationPatient, float)
    turned[2] += off
    slices[4].ImageOrientationPatient = [f"{value:.9f}" for value in turned]
    study = read_ct(synthetic.save(slices, tmp_path))
    assert ("UNEVEN_ORIENTATION" in {warning.code for warning in study.warnings}) == warned


def test_an_empty_folder_is_told_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(NoduleError, match="no file at all") as refused:
        inventory(tmp_path).choose()
    assert refused.value.code == "NO_SERIES"
