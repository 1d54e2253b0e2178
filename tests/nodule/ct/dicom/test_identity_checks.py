"""The images of one series are one scan of one person."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodule.ct import inventory, read_ct
from nodule.errors import NoduleError


def refusal(path: Path) -> str:
    """Return the code, which is the same for a listing and for reading."""
    (series,) = inventory(path).series
    with pytest.raises(NoduleError) as caught:
        read_ct(path)
    assert series.verdict == caught.value.code
    return caught.value.code


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("PatientID", "4712"), ("PatientName", "Roe^Mary"), ("PatientBirthDate", "19500101")],
)
def test_two_patients_in_one_series_are_refused(
    synthetic: Any, tmp_path: Path, keyword: str, value: str
) -> None:
    slices = synthetic.make_slices()
    for ds in slices[5:]:
        setattr(ds, keyword, value)
    assert refusal(synthetic.save(slices, tmp_path)) == "MIXED_PATIENTS"


def test_the_refusal_names_no_patient(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    slices[3].PatientName = "Secret^Name"
    with pytest.raises(NoduleError) as caught:
        read_ct(synthetic.save(slices, tmp_path))
    assert "Secret" not in str(caught.value)
    assert "Jane" not in str(caught.value)


def test_a_name_may_differ_in_its_case(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    slices[3].PatientName = "DOE^JANE "
    assert read_ct(synthetic.save(slices, tmp_path)).volume.array_zyx.shape == (9, 24, 20)


def test_two_phases_of_one_scan_are_refused(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    for z, ds in enumerate(slices):
        ds.TemporalPositionIdentifier = z % 2 + 1
    assert refusal(synthetic.save(slices, tmp_path)) == "MIXED_PHASES"


def test_one_instance_uid_for_several_images_is_refused(synthetic: Any, tmp_path: Path) -> None:
    """Results that refer to an image could not say which."""
    slices = synthetic.make_slices()
    for ds in slices:
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    assert refusal(synthetic.save(slices, tmp_path)) == "DUPLICATE_UIDS"


def test_two_acquisitions_one_above_the_other_are_warned_of(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    for z, ds in enumerate(slices):
        ds.AcquisitionNumber = 1 if z < 4 else 2
    study = read_ct(synthetic.save(slices, tmp_path))
    np.testing.assert_array_equal(study.volume.array_zyx, synthetic.hounsfield_zyx())
    assert "SEVERAL_ACQUISITIONS" in {w.code for w in study.warnings}


def test_a_malformed_acquisition_number_refuses_nothing(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.add_new(0x00200012, "LO", "first")
    assert read_ct(synthetic.save(slices, tmp_path)).volume.array_zyx.shape == (9, 24, 20)


def test_two_patients_in_one_folder_are_not_chosen_between(synthetic: Any, tmp_path: Path) -> None:
    synthetic.save(synthetic.make_slices(), tmp_path / "a")
    others = synthetic.make_slices()
    for ds in others:
        ds.PatientID, ds.SeriesInstanceUID, ds.StudyInstanceUID = "4712", "1.2.3", "1.2.4"
    synthetic.save(others, tmp_path / "b")
    with pytest.raises(NoduleError, match="SEVERAL_PATIENTS"):
        read_ct(tmp_path)
    assert read_ct(tmp_path, series_uid="1.2.3").series.series_instance_uid == "1.2.3"


def test_a_frame_of_reference_for_each_image_is_an_anonymisers_trace(
    synthetic: Any, tmp_path: Path
) -> None:
    """Study, series, acquisition and grid agree: read, with a warning."""
    slices = synthetic.make_slices()
    for z, ds in enumerate(slices):
        ds.FrameOfReferenceUID = f"1.2.3.{z}"
    study = read_ct(synthetic.save(slices, tmp_path))
    np.testing.assert_array_equal(study.volume.array_zyx, synthetic.hounsfield_zyx())
    assert "FRAME_PER_IMAGE" in {w.code for w in study.warnings}


@pytest.mark.parametrize("change", ["two images share one", "one has none", "two acquisitions"])
def test_frames_of_reference_of_merged_series_are_refused(
    synthetic: Any, tmp_path: Path, change: str
) -> None:
    slices = synthetic.make_slices()
    for z, ds in enumerate(slices):
        ds.FrameOfReferenceUID = f"1.2.3.{z}"
    if change == "two images share one":
        slices[1].FrameOfReferenceUID = slices[0].FrameOfReferenceUID
    elif change == "one has none":
        del slices[1].FrameOfReferenceUID
    else:
        slices[1].AcquisitionNumber = 2
    assert refusal(synthetic.save(slices, tmp_path)) == "INCONSISTENT_FRAME"
