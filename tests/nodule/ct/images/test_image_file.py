"""NIfTI, MetaImage and NRRD: placed as the reference library places them, or refused."""

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from nodule.ct import inventory, read_ct
from nodule.errors import NoduleError
from nodule.geometry import lps_to_ras
from nodule.study import Study

ENDINGS = ("nii", "nii.gz", "mha", "mhd", "nrrd", "nhdr")


def to_simpleitk(study: Study, *, dtype: Any = np.int16) -> sitk.Image:
    grid = study.volume.geometry
    image = sitk.GetImageFromArray(study.volume.array_zyx.astype(dtype))
    image.SetSpacing(grid.spacing_zyx_mm[::-1])
    image.SetOrigin(grid.origin_lps_mm)
    image.SetDirection(np.asarray(grid.direction)[:, ::-1].ravel().tolist())
    return image


@pytest.fixture(scope="module")
def study(clean_series: Path) -> Study:
    return read_ct(clean_series)


def refusal(path: Path) -> str:
    with pytest.raises(NoduleError) as caught:
        read_ct(path)
    return caught.value.code


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_oblique_volume_survives_every_format(
    study: Study, tmp_path: Path, ending: str, dtype: Any, compressed: bool
) -> None:
    path = tmp_path / f"case.{ending}"
    sitk.WriteImage(to_simpleitk(study, dtype=dtype), str(path), compressed)
    again = read_ct(path)
    np.testing.assert_array_equal(again.volume.array_zyx, study.volume.array_zyx)
    assert again.volume.geometry.is_close(study.volume.geometry, tolerance_mm=1e-3)
    assert again.slices == ()


def test_a_chain_of_formats_ends_where_it_began(study: Study, tmp_path: Path) -> None:
    """DICOM to NIfTI to MHD to NRRD, each written from what was read before."""
    current = study
    for ending in ("nii.gz", "mhd", "nrrd"):
        path = tmp_path / f"case.{ending}"
        sitk.WriteImage(to_simpleitk(current), str(path))
        current = read_ct(path)
    np.testing.assert_array_equal(current.volume.array_zyx, study.volume.array_zyx)
    assert current.volume.geometry.is_close(study.volume.geometry, tolerance_mm=1e-3)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("flips", [(), (0,), (1, 2), (0, 1, 2)])
def test_any_axis_order_of_nifti_gives_slices_to_the_head(
    study: Study, tmp_path: Path, axes: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    grid = study.volume.geometry
    ras = np.diag([-1.0, -1, 1, 1]) @ grid.affine
    image = nibabel.Nifti1Image(study.volume.array_zyx.astype(np.int16), ras)
    turn = np.array([[a, -1 if i in flips else 1] for i, a in enumerate(axes)])
    path = tmp_path / "turned.nii.gz"
    nibabel.save(image.as_reoriented(turn), path)
    again = read_ct(path)
    assert again.volume.geometry.direction[2][0] > 0.7
    # the same value at the same place in the patient
    for index in ((0, 0, 0), (8, 23, 19), (3, 7, 11)):
        point = grid.index_to_lps(index)
        there = tuple(np.rint(again.volume.geometry.lps_to_index(point)).astype(int))
        assert again.volume.array_zyx[there] == study.volume.array_zyx[index]


def test_nifti_world_is_turned_from_ras_to_lps(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "case.nii"
    sitk.WriteImage(to_simpleitk(study), str(path))
    ras = nibabel.load(path).affine @ [3, 2, 1, 1]
    point = read_ct(path).volume.geometry.index_to_lps((1, 2, 3))
    np.testing.assert_allclose(point, lps_to_ras(ras[:3]), atol=1e-3)


def test_luna16_flips_are_honoured(study: Study, tmp_path: Path) -> None:
    """LUNA16 stores scans of prone patients with direction -1 in x and y."""
    uid = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"
    image = sitk.GetImageFromArray(study.volume.array_zyx.astype(np.int16))
    image.SetSpacing((0.9, 0.7, 2.5))
    image.SetOrigin((100.0, 120.0, -300.0))
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    path = tmp_path / f"{uid}.mhd"
    sitk.WriteImage(image, str(path))
    again = read_ct(path)
    np.testing.assert_array_equal(again.volume.array_zyx, study.volume.array_zyx)
    np.testing.assert_allclose(
        again.volume.geometry.index_to_lps((2, 10, 5)), (100 - 4.5, 120 - 7, -295), atol=1e-9
    )
    assert again.series.series_instance_uid == uid
    assert inventory(path).choose(uid).series_uid == uid


@pytest.mark.parametrize("target", ["../secret.raw", "/etc/passwd", "..\\secret.raw", "LIST", ""])
@pytest.mark.parametrize("ending", ["mhd", "nhdr"])
def test_a_header_cannot_point_outside_its_folder(
    study: Study, tmp_path: Path, ending: str, target: str
) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret.raw").write_bytes(bytes(1 << 16))
    path = folder / f"case.{ending}"
    sitk.WriteImage(to_simpleitk(study), str(path))
    text = path.read_text()
    stated = next(p.name for p in folder.iterdir() if p != path)
    path.write_text(text.replace(stated, target))
    if ending == "nhdr" and target == "":
        assert refusal(path) in {"TRUNCATED", "UNREADABLE"}
    else:
        assert refusal(path) == "UNSAFE_DATA_FILE"


def test_a_link_beside_the_header_cannot_lead_outside(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    path = folder / "case.mhd"
    sitk.WriteImage(to_simpleitk(study), str(path))
    (folder / "case.raw").rename(tmp_path / "case.raw")
    (folder / "case.raw").symlink_to(tmp_path / "case.raw")
    assert refusal(path) == "UNSAFE_DATA_FILE"


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_truncated_image_is_refused(
    study: Study, tmp_path: Path, ending: str, compressed: bool
) -> None:
    path = tmp_path / f"case.{ending}"
    sitk.WriteImage(to_simpleitk(study), str(path), compressed)
    data = max(tmp_path.iterdir(), key=lambda p: p.stat().st_size)
    data.write_bytes(data.read_bytes()[: int(data.stat().st_size * 0.7)])
    assert refusal(path) in {"TRUNCATED", "UNREADABLE"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_image_of_noise_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"case.{ending}"
    path.write_bytes(np.random.default_rng(1).bytes(4096))
    assert refusal(path) == "UNREADABLE"


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(lambda hu: hu + 1024, id="stored values"),
        pytest.param(lambda hu: (hu + 1000) / 1400, id="scaled to one"),
        pytest.param(lambda hu: (hu + 1000) / 6, id="eight bits"),
        pytest.param(lambda hu: (hu - hu.mean()) / hu.std(), id="standardised"),
        pytest.param(lambda hu: np.full_like(hu, -1000), id="blank"),
    ],
)
def test_values_that_are_no_hounsfield_units_are_refused(
    study: Study, tmp_path: Path, values: Any
) -> None:
    path = tmp_path / "case.nii.gz"
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    array = values(study.volume.array_zyx).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(array.T, affine), path)
    assert refusal(path) == "NOT_HU"


def nifti(path: Path, array: np.ndarray, **header: Any) -> Path:
    image = nibabel.Nifti1Image(array, np.diag([-1.0, -1.0, 1.0, 1.0]))
    for key, value in header.items():
        image.header[key] = value
    nibabel.save(image, path)
    return path


def test_nan_is_refused(tmp_path: Path) -> None:
    array = np.linspace(-1000, 100, 4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    array[1, 2, 3] = np.nan
    assert refusal(nifti(tmp_path / "a.nii", array)) == "NOT_FINITE"


def test_a_time_series_is_refused(tmp_path: Path) -> None:
    assert refusal(nifti(tmp_path / "a.nii", np.zeros((4, 5, 6, 2), np.int16))) == (
        "UNSUPPORTED_FORMAT"
    )


def test_two_slices_are_no_volume(tmp_path: Path) -> None:
    assert refusal(nifti(tmp_path / "a.nii", np.zeros((9, 9, 2), np.int16))) == "TOO_FEW_SLICES"


def test_a_nifti_without_orientation_is_refused(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((9, 9, 9), np.int16), None)
    nibabel.save(image, tmp_path / "a.nii")
    assert refusal(tmp_path / "a.nii") == "NO_ORIENTATION"


def test_a_sheared_nifti_is_refused(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[0, 2] = 0.3
    nibabel.save(nibabel.Nifti1Image(np.zeros((9, 9, 9), np.int16), affine), tmp_path / "a.nii")
    assert refusal(tmp_path / "a.nii") == "BAD_DIRECTION"


def test_a_nifti_scale_is_applied(study: Study, tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(
        ((study.volume.array_zyx + 1024) * 2).astype(np.int16).T, np.diag([-1.0, -1.0, 1.0, 1.0])
    )
    image.header.set_slope_inter(0.5, -1024)
    content = bytearray(gzip.decompress(gzip.compress(image.to_bytes())))
    (tmp_path / "a.nii").write_bytes(content)
    stored = nibabel.load(tmp_path / "a.nii")
    np.testing.assert_array_equal(
        read_ct(tmp_path / "a.nii").volume.array_zyx, stored.get_fdata().T.astype(np.float32)
    )


@pytest.mark.parametrize("ending", ["mha", "nrrd"])
def test_a_header_of_impossible_size_is_refused(study: Study, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"case.{ending}"
    sitk.WriteImage(to_simpleitk(study), str(path))
    path.write_bytes(path.read_bytes().replace(b"20 24 9", b"2000 2000 1000"))
    assert refusal(path) == "TOO_LARGE"


def test_a_compressed_bomb_inflates_no_further_than_its_header_says(
    study: Study, tmp_path: Path
) -> None:
    path = tmp_path / "case.nii.gz"
    sitk.WriteImage(to_simpleitk(study), str(path))
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content + bytes(200 << 20)))
    np.testing.assert_array_equal(read_ct(path).volume.array_zyx, study.volume.array_zyx)


def test_padding_below_the_scale_becomes_air(tmp_path: Path) -> None:
    array = np.linspace(-1000, 100, 4 * 5 * 6).reshape(4, 5, 6).astype(np.int16)
    array[0, 0, 0], array[1, 1, 1] = -3024, -1024
    found = read_ct(nifti(tmp_path / "a.nii", array)).volume.array_zyx
    assert found[0, 0, 0] == -1000
    assert found[1, 1, 1] == -1024


def test_the_neighbour_of_another_ending_is_not_read_instead(study: Study, tmp_path: Path) -> None:
    sitk.WriteImage(to_simpleitk(study), str(tmp_path / "case.nii"))
    assert refusal(tmp_path / "case.nii.gz") == "NOT_FOUND"
