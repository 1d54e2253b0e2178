"""The one door on real and synthetic series."""

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from nodule.ct import ReadCt, inventory, read_ct
from nodule.errors import InputError
from nodule.phantom import PhantomSpec, make_phantom, write_study
from nodule.study import PatientHeader


def by_simpleitk(folder: Path) -> sitk.Image:
    """Read with GDCM; only for series whose geometry is known to be regular."""
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    return sitk.ReadImage(names)


def assert_equals_gdcm(folder: Path, shape_zyx: tuple[int, int, int]) -> None:
    ours, theirs = read_ct(folder), by_simpleitk(folder)
    expected = sitk.GetArrayFromImage(theirs)
    expected[expected < -1024] = -1000  # padding round the reconstruction circle
    np.testing.assert_array_equal(ours.volume.array_zyx, expected)
    grid = ours.volume.geometry
    assert grid.shape_zyx == shape_zyx
    z, y, x = (n - 1 for n in shape_zyx)
    for index in ((0, 0, 0), (z, y, x), (z, 0, x)):
        expected_mm = theirs.TransformIndexToPhysicalPoint(index[::-1])
        np.testing.assert_allclose(grid.index_to_lps(index), expected_mm, rtol=0, atol=1e-3)
    assert ours.warnings == ()


def test_a_written_study_equals_gdcm_voxel_for_voxel(tmp_path: Path) -> None:
    """Slices cover 200 mm of a chest, padded round the circle."""
    spec = PhantomSpec(seed=2, shape_zyx=(80, 90, 110), spacing_zyx_mm=(2.5, 2.75, 3.25))
    folder = write_study(make_phantom(spec), tmp_path).folder
    assert_equals_gdcm(folder, spec.shape_zyx)


@pytest.mark.parametrize(
    ("study", "depth"),
    [
        ("LIDC-IDRI-0001", 133),
        pytest.param("LIDC-IDRI-0002", 261, marks=pytest.mark.slow),  # GDCM takes most of it
    ],
)
def test_equals_gdcm_voxel_for_voxel(shared: Path, study: str, depth: int) -> None:
    assert_equals_gdcm(shared / "data" / "ct" / study, (depth, 512, 512))


def test_voxels_and_positions_follow_the_arithmetic(clean_series: Path, synthetic: Any) -> None:
    study = read_ct(clean_series)
    np.testing.assert_array_equal(study.volume.array_zyx, synthetic.hounsfield_zyx())
    for index in ((0, 0, 0), (8, 23, 19), (3, 7, 11)):
        np.testing.assert_allclose(
            study.volume.geometry.index_to_lps(index), synthetic.corner_lps_mm(index), atol=1e-5
        )
    assert [s.instance_number for s in study.slices] == list(range(1, 10))
    assert study.series.slice_thickness_mm == 9.0
    assert study.series.exposure_mas == 40.0
    assert study.series.ctdi_vol_mgy == 3.25
    assert study.volume.geometry.spacing_zyx_mm[0] == pytest.approx(2.5, abs=1e-6)


def test_slices_stacked_feet_first_still_ascend_to_the_head(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    for number, ds in enumerate(reversed(slices), start=1):
        ds.InstanceNumber = number
    study = read_ct(synthetic.save(slices, tmp_path))
    np.testing.assert_array_equal(study.volume.array_zyx, synthetic.hounsfield_zyx())
    assert [s.instance_number for s in study.slices] == list(range(9, 0, -1))


def test_rows_that_run_forwards_keep_their_direction(synthetic: Any, tmp_path: Path) -> None:
    """A prone scan: rows and columns turned about, voxels untouched."""
    slices = synthetic.make_slices()
    for ds in slices:
        ds.ImageOrientationPatient = ["-1", "0", "0", "0", "-1", "0"]
        ds.ImagePositionPatient = ["10", "20", f"{2.5 * ds.InstanceNumber}"]
    grid = read_ct(synthetic.save(slices, tmp_path)).volume.geometry
    np.testing.assert_allclose(grid.index_to_lps((0, 0, 0)), (10, 20, 2.5))
    np.testing.assert_allclose(grid.index_to_lps((2, 1, 1)), (10 - 0.9, 20 - 0.7, 7.5))


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, path in enumerate(sorted(folder.iterdir(), reverse=True)):
            archive.write(path, f"any/{i}")
        archive.writestr("any/readme.txt", "junk beside")
    return target


def test_zip_folder_names_and_order_give_one_digest_and_one_image(
    clean_series: Path, tmp_path: Path
) -> None:
    archive = zipped(clean_series, tmp_path / "study.zip")
    assert inventory(archive).choose().digest == inventory(clean_series).choose().digest
    first, second = read_ct(archive), read_ct(clean_series)
    np.testing.assert_array_equal(first.volume.array_zyx, second.volume.array_zyx)
    assert first.volume.geometry == second.volume.geometry
    assert [i.code for i in inventory(archive).ignored] == ["NOT_DICOM"]


def test_a_study_knows_the_files_that_it_came_from(clean_series: Path, tmp_path: Path) -> None:
    study, source = read_ct(clean_series), inventory(clean_series).choose()
    assert study.origin == source
    assert study.digest == source.digest
    assert study.patient == source.patient
    assert study.patient.patient_id is not None
    image = sitk.GetImageFromArray(study.volume.array_zyx.astype(np.int16))
    image.SetSpacing(study.volume.geometry.spacing_zyx_mm[::-1])
    sitk.WriteImage(image, tmp_path / "ct.nii.gz")
    nifti = read_ct(tmp_path / "ct.nii.gz")
    assert nifti.digest == inventory(tmp_path / "ct.nii.gz").choose().digest
    assert nifti.patient == PatientHeader()


def test_one_changed_byte_changes_the_digest(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    before = inventory(synthetic.save(slices, tmp_path / "a")).choose().digest
    slices[4].PixelData = b"\1" + slices[4].PixelData[1:]
    assert inventory(synthetic.save(slices, tmp_path / "b")).choose().digest != before


def test_the_stage_reads_what_was_chosen_and_reports_progress(clean_series: Path) -> None:
    seen: list[float] = []
    study = ReadCt().run(source=inventory(clean_series).choose(), progress=seen.append)
    assert study.volume.geometry.shape_zyx == (9, 24, 20)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert dataclasses.fields(ReadCt) == ()


def test_an_unknown_series_is_refused_with_those_there_are(clean_series: Path) -> None:
    with pytest.raises(InputError, match="1\\.2\\.826\\.0\\.1\\.3680043\\.8\\.498\\.2") as caught:
        read_ct(clean_series, series_uid="1.2.3")
    assert caught.value.code == "UNKNOWN_SERIES"


def test_a_missing_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_ct(tmp_path / "nothing")
    assert caught.value.code == "NOT_FOUND"


def test_lossy_compression_is_flagged(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.LossyImageCompression = "01"
    study = read_ct(synthetic.save(slices, tmp_path))
    assert study.series.lossy
    assert "LOSSY" in {w.code for w in study.warnings}


def test_a_whole_section_without_air_is_refused(synthetic: Any, tmp_path: Path) -> None:
    """Stored values in place of Hounsfield units, in a header that claims a rescale."""
    slices = synthetic.make_slices()
    for ds in slices:
        ds.RescaleIntercept, ds.PixelSpacing = 0, [15, 15]
        # padding round the circle is no air
        ds.PixelData = np.int16(-2000).tobytes() + ds.PixelData[2:]
    with pytest.raises(InputError) as caught:
        read_ct(synthetic.save(slices, tmp_path))
    assert caught.value.code == "NOT_HU"


def test_a_small_field_of_view_without_air_is_flagged(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.RescaleIntercept += 750  # -250 to 678 HU
        stored = np.frombuffer(ds.PixelData, "<i2").clip(max=150 - int(ds.RescaleIntercept))
        ds.PixelData = stored.astype("<i2").tobytes()
    warnings = read_ct(synthetic.save(slices, tmp_path)).warnings
    assert "NO_AIR" in {w.code for w in warnings}


def test_a_volume_of_impossible_size_is_refused_before_memory_is_taken(
    synthetic: Any, tmp_path: Path
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.Rows = ds.Columns = 8192
        ds.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
        ds.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51"])
    with pytest.raises(InputError) as caught:
        read_ct(synthetic.save(slices, tmp_path))
    assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize(("gap_mm", "short"), [(16.6, True), (16.7, False)])
def test_less_than_150_mm_is_less_than_a_pair_of_lungs(
    synthetic: Any, tmp_path: Path, gap_mm: float, short: bool
) -> None:
    """Nine slices cover 149.4 and 150.3 mm."""
    slices = synthetic.make_slices()
    for z, ds in enumerate(slices):
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.ImagePositionPatient = [0, 0, f"{z * gap_mm:.6f}"]
    codes = {w.code for w in read_ct(synthetic.save(slices, tmp_path)).warnings}
    assert ("SHORT_COVERAGE" in codes) == short


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"BodyPartExamined": "HEAD", "SeriesDescription": "1.0"}, "OTHER_BODY_PART"),
        ({"BodyPartExamined": "HEAD", "SeriesDescription": "Chest"}, None),
        ({"SeriesDescription": "Chest MIP 8x2"}, "DESCRIBED_AS_DERIVED"),
        ({"SeriesDescription": "Chest"}, None),
    ],
)
def test_words_of_a_header_warn_and_refuse_nothing(
    synthetic: Any, tmp_path: Path, stated: dict[str, str], code: str | None
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        for keyword, value in stated.items():
            setattr(ds, keyword, value)
    codes = {w.code for w in read_ct(synthetic.save(slices, tmp_path)).warnings}
    assert codes & {"OTHER_BODY_PART", "DESCRIBED_AS_DERIVED"} == ({code} if code else set())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"RescaleSlope": "1.01"}, "SEVERAL_RESCALES"),
        ({"RescaleIntercept": "-1030"}, "SEVERAL_RESCALES"),
        ({"PixelRepresentation": 0}, "SEVERAL_PIXEL_FORMATS"),
        ({"BitsStored": 15, "HighBit": 14}, "SEVERAL_PIXEL_FORMATS"),
    ],
)
def test_a_slice_whose_values_mean_something_else_is_told(
    synthetic: Any, tmp_path: Path, change: dict[str, Any], code: str | None
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:  # each as if it were the first
        stored = np.frombuffer(ds.PixelData, "<i2") + ds.RescaleIntercept + 1024
        ds.PixelData, ds.RescaleIntercept = stored.astype("<i2").tobytes(), -1024
    for keyword, value in change.items():
        setattr(slices[4], keyword, value)
    codes = {w.code for w in read_ct(synthetic.save(slices, tmp_path)).warnings}
    assert codes & {"SEVERAL_RESCALES", "SEVERAL_PIXEL_FORMATS"} == ({code} if code else set())


def test_without_numbers_the_old_slice_location_tells_the_order(
    synthetic: Any, tmp_path: Path
) -> None:
    slices = synthetic.make_slices()
    for z, ds in enumerate(slices):
        del ds.InstanceNumber
        ds.SliceLocation = -2.5 * z
    study = read_ct(synthetic.save(slices, tmp_path / "right"))
    assert "SLICE_ORDER" not in {w.code for w in study.warnings}
    slices[3].SliceLocation, slices[4].SliceLocation = -10, -7.5
    study = read_ct(synthetic.save(slices, tmp_path / "exchanged"))
    assert "SLICE_ORDER" in {w.code for w in study.warnings}


@pytest.mark.parametrize(("step", "told"), [(1, False), (2, True)])
def test_numbers_tell_that_every_second_slice_is_missing(
    synthetic: Any, tmp_path: Path, step: int, told: bool
) -> None:
    slices = synthetic.make_slices()[::step]
    study = read_ct(synthetic.save(slices, tmp_path))
    assert ("SKIPPED_NUMBERS" in {w.code for w in study.warnings}) == told
