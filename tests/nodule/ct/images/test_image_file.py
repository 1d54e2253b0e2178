"""NIfTI, MetaImage and NRRD: placed as the reference library places them, or refused."""

import contextlib
import gzip
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from damage.made_series import SIGNED

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
    tracemalloc.start()
    assert refusal(path) == "SURPLUS_DATA"
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 16 << 20


def test_padding_below_the_scale_becomes_air(tmp_path: Path) -> None:
    array = np.linspace(-1000, 100, 4 * 5 * 6).reshape(4, 5, 6).astype(np.int16)
    array[0, 0, 0], array[1, 1, 1] = -3024, -1024
    found = read_ct(nifti(tmp_path / "a.nii", array)).volume.array_zyx
    assert found[0, 0, 0] == -1000
    assert found[1, 1, 1] == -1024


def test_the_neighbour_of_another_ending_is_not_read_instead(study: Study, tmp_path: Path) -> None:
    sitk.WriteImage(to_simpleitk(study), str(tmp_path / "case.nii"))
    assert refusal(tmp_path / "case.nii.gz") == "NOT_FOUND"


def flipped(content: bytes, bit: int) -> bytes:
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


@pytest.mark.parametrize("ending", ["nii.gz", "mha", "nrrd"])
def test_no_flipped_bit_of_a_compressed_image_passes(
    study: Study, tmp_path: Path, ending: str
) -> None:
    """Where a stream still inflates after a flip, only the checksum at its end can tell."""
    path = tmp_path / f"case.{ending}"
    sitk.WriteImage(to_simpleitk(study), str(path), True)
    content = path.read_bytes()
    start = {"nii.gz": 10, "mha": content.find(b"LOCAL\n") + 6, "nrrd": content.find(b"\n\n") + 12}
    rng = np.random.default_rng(5)
    wrong = 0
    for bit in rng.integers(8 * start[ending], 8 * len(content), 120):
        path.write_bytes(flipped(content, int(bit)))
        with contextlib.suppress(NoduleError):
            array = read_ct(path).volume.array_zyx
            # a flip in what fills a block's last byte changes nothing
            wrong += not np.array_equal(array, study.volume.array_zyx)
    assert wrong == 0


def test_a_wrong_checksum_alone_is_refused(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "case.nii.gz"
    sitk.WriteImage(to_simpleitk(study), str(path))
    content = path.read_bytes()
    crc, length = struct.unpack("<II", content[-8:])
    path.write_bytes(content[:-8] + struct.pack("<II", crc ^ 1, length))
    assert refusal(path) == "UNREADABLE"


def test_several_gzip_members_are_one_image(study: Study, tmp_path: Path) -> None:
    """As pigz, bgzip and ``cat`` make them."""
    path = tmp_path / "case.nii.gz"
    sitk.WriteImage(to_simpleitk(study), str(path))
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(b"".join(gzip.compress(content[i : i + 3000]) for i in range(0, 9000, 3000)))
    np.testing.assert_array_equal(read_ct(path).volume.array_zyx, study.volume.array_zyx)
    path.write_bytes(path.read_bytes() + bytes(512))  # zeros fill a tape's block
    np.testing.assert_array_equal(read_ct(path).volume.array_zyx, study.volume.array_zyx)
    path.write_bytes(path.read_bytes() + b"more")
    assert refusal(path) == "UNREADABLE"


def test_a_stream_without_its_end_is_refused(study: Study, tmp_path: Path) -> None:
    """All voxels are there, and the checksum is not."""
    path = tmp_path / "case.mha"
    sitk.WriteImage(to_simpleitk(study), str(path), True)
    path.write_bytes(path.read_bytes()[:-1])
    assert refusal(path) == "TRUNCATED"


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("ending", ENDINGS)
def test_more_voxels_than_the_header_states_are_refused(
    study: Study, tmp_path: Path, ending: str, compressed: bool
) -> None:
    """Every row would be shifted against the last."""
    path = tmp_path / f"case.{ending}"
    sitk.WriteImage(to_simpleitk(study), str(path), compressed)
    header = path.read_bytes()
    if ending.startswith("nii"):
        whole = bytearray(gzip.decompress(header) if ending == "nii.gz" else header)
        whole[42:44] = struct.pack("<h", 19)  # dim[1], 20 in truth
        header = gzip.compress(bytes(whole)) if ending == "nii.gz" else bytes(whole)
    path.write_bytes(header.replace(b"20 24 9", b"19 24 9"))
    assert refusal(path) == "SURPLUS_DATA"


def small_nifti(path: Path, change: Any = None) -> Path:
    array = np.linspace(-1000, 100, 9 * 8 * 7).reshape(9, 8, 7).astype(np.int16)
    image = nibabel.Nifti1Image(array, np.diag([-2.0, -2.5, 3.0, 1.0]))
    content = bytearray(image.to_bytes())
    if change is not None:
        change(content)
    path.write_bytes(content)
    return path


def put(position: int, *numbers: float) -> Any:
    return lambda content: struct.pack_into(f"<{len(numbers)}f", content, position, *numbers)


SROW_X, PIXDIM = 280, 76  # offsets in the header, nifti1.h


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(put(SROW_X, float("nan")), "BAD_SPACING", id="NaN"),
        pytest.param(put(SROW_X + 12, float("inf")), "BAD_ORIGIN", id="infinite origin"),
        pytest.param(put(SROW_X, *[0.0] * 12), "BAD_SPACING", id="zero"),
        pytest.param(put(SROW_X + 4, 0.3), "BAD_DIRECTION", id="shear"),
        pytest.param(put(PIXDIM + 12, 0.0), "BAD_SPACING", id="pixdim zero"),
        pytest.param(put(PIXDIM + 4, float("nan")), "BAD_SPACING", id="pixdim NaN"),
        pytest.param(put(PIXDIM + 4, 1.0), "AMBIGUOUS_ORIENTATION", id="pixdim of another size"),
    ],
)
def test_a_degenerate_nifti_is_refused(tmp_path: Path, change: Any, code: str) -> None:
    assert refusal(small_nifti(tmp_path / "a.nii", change)) == code


def test_half_a_voxel_in_metres_is_refused(tmp_path: Path) -> None:
    array = np.linspace(-1000, 100, 9 * 8 * 7).reshape(9, 8, 7).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-5e-4, -5e-4, 5e-4, 1])), tmp_path / "a.nii")
    assert refusal(tmp_path / "a.nii") == "BAD_SPACING"


@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(np.diag([-1.0, 1, 1, 1]), id="mirrored"),
        pytest.param(np.diag([0.4, 0.4, 0.4, 1]), id="smaller"),
        pytest.param(np.array([[1, 0, 0, 1.0], *np.eye(4)[1:]]), id="moved by 1 mm"),
    ],
)
def test_a_qform_that_contradicts_the_sform_is_refused(tmp_path: Path, turn: Any) -> None:
    """Side, size or place would depend on which of the two a reader takes."""
    affine = np.array([[-2.0, 0, 0, 40], [0, -2.5, 0, 30], [0, 0, 3, -50], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(
        np.linspace(-1000, 100, 9 * 8 * 7).reshape(9, 8, 7).astype(np.int16), affine
    )
    image.set_qform(affine, 1)
    nibabel.save(image, tmp_path / "same.nii")
    assert read_ct(tmp_path / "same.nii").volume.geometry.shape_zyx == (7, 8, 9)
    image.set_sform(turn @ affine, 1)
    nibabel.save(image, tmp_path / "other.nii")
    assert refusal(tmp_path / "other.nii") == "AMBIGUOUS_ORIENTATION"


@pytest.mark.parametrize(
    ("turn", "warned"),
    [
        pytest.param(np.eye(4), False, id="same"),
        pytest.param(np.array([[1, 0, 0, 0.009], *np.eye(4)[1:]]), False, id="moved by rounding"),
        pytest.param(np.array([[1, 0, 0, 0.02], *np.eye(4)[1:]]), True, id="moved by 0.02 mm"),
        pytest.param(np.diag([1.002, 1, 1, 1]), True, id="stretched"),
        pytest.param(np.array([[1, 5e-5, 0, 0], *np.eye(4)[1:]]), False, id="skew of 0.002 mm"),
    ],
)
def test_forms_that_differ_by_little_are_told(tmp_path: Path, turn: Any, warned: bool) -> None:
    """The sform is used; the far corner lies about 40 mm away."""
    affine = np.array([[-2.0, 0, 0, 40], [0, -2.5, 0, 30], [0, 0, 3, -50], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(
        np.linspace(-1000, 100, 9 * 8 * 7).reshape(9, 8, 7).astype(np.int16), affine
    )
    image.set_qform(affine, 1)
    image.set_sform(turn @ affine, 1)
    nibabel.save(image, tmp_path / "a.nii")
    codes = {warning.code for warning in read_ct(tmp_path / "a.nii").warnings}
    assert ("UNEVEN_ORIENTATION" in codes) == warned


@pytest.mark.parametrize(("skew", "warned"), [(1e-6, False), (9e-5, True)])
@pytest.mark.parametrize("ending", ["mha", "nrrd"])
def test_axes_not_quite_at_right_angles_are_told(
    tmp_path: Path, ending: str, skew: float, warned: bool
) -> None:
    """In a field of 450 mm that is 0.04 mm at the far corner."""
    path = tmp_path / f"case.{ending}"
    chest_zyx = np.nan_to_num(SIGNED.hounsfield_zyx, nan=-2000).astype(np.int16)
    image = sitk.GetImageFromArray(chest_zyx)
    image.SetSpacing((9.0, 7.0, 19.0))
    sitk.WriteImage(image, str(path))
    old, new = ("1 0 0 0 1 0", f"1 {skew} 0 0 1 0")
    if ending == "nrrd":
        old, new = ("(9,0,0)", f"(9,{9 * skew},0)")
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.encode(), 1))
    codes = {warning.code for warning in read_ct(path).warnings}
    assert ("UNEVEN_ORIENTATION" in codes) == warned


def test_voxels_cannot_begin_after_the_end_of_all_files(tmp_path: Path) -> None:
    small_nifti(tmp_path / "a.nii", put(108, 1e20))
    assert refusal(tmp_path / "a.nii") in {"UNREADABLE", "TRUNCATED"}
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes()))
    assert refusal(tmp_path / "a.nii.gz") == "UNREADABLE"


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("ElementSpacing = inf 0.7 2.5", "BAD_SPACING"),
        ("ElementSpacing = 0 0.7 2.5", "BAD_SPACING"),
        ("ElementSpacing = 0.9 -0.7 2.5", "BAD_SPACING"),
        ("ElementSpacing = 0.0009 0.0007 0.0025", "BAD_SPACING"),
        ("ElementSpacing = 0.9 0.7", "NO_ORIENTATION"),
        ("TransformMatrix = 0 0 0 0 0 0 0 0 0", "BAD_DIRECTION"),
        ("TransformMatrix = 1 0 0 1 0 0 0 0 1", "BAD_DIRECTION"),
        ("Offset = 0 nan 0", "BAD_ORIGIN"),
        ("Offset = 0 100001 0", "BAD_ORIGIN"),
        ("ElementToIntensityFunctionSlope = 2", "UNSUPPORTED_FORMAT"),
        ("ElementToIntensityFunctionOffset = -1024", "UNSUPPORTED_FORMAT"),
        ("DistanceUnits = cm", "UNSUPPORTED_FORMAT"),
        ("BinaryData = False", "UNSUPPORTED_FORMAT"),
        ("NDims = 4", "UNSUPPORTED_FORMAT"),
        ("ElementType = MET_SHORT\nElementType = MET_FLOAT", "UNREADABLE"),
        ("Modality = MET_MOD_MR", "NOT_CT"),
        ("ObjectType = Tube", "UNSUPPORTED_FORMAT"),
    ],
)
def test_a_metaimage_that_needs_a_guess_is_refused(
    study: Study, tmp_path: Path, field: str, code: str
) -> None:
    path = tmp_path / "case.mhd"
    sitk.WriteImage(to_simpleitk(study), str(path))
    name = field.split(" =")[0]
    kept = [line for line in path.read_text().splitlines() if not line.startswith(name + " ")]
    path.write_text("\n".join([*kept[:-1], field, kept[-1], ""]))
    assert refusal(path) == code


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ('space units: "cm" "cm" "cm"', "UNSUPPORTED_FORMAT"),
        ('space units: "mm" "mm" "m"', "UNSUPPORTED_FORMAT"),
        ("kinds: domain domain vector", "UNSUPPORTED_FORMAT"),
        ("old min: 0", "UNSUPPORTED_FORMAT"),
        ("space directions: (nan,0,0) (0,0.7,0) (0,0,2.5)", "BAD_SPACING"),
        ("space directions: (0,0,0) (0,0.7,0) (0,0,2.5)", "BAD_SPACING"),
        ("space directions: (0.9,0,0) (0.9,0,0) (0,0,2.5)", "BAD_DIRECTION"),
        ("sizes: 20 24 9\nsizes: 24 20 9", "UNREADABLE"),
    ],
)
def test_an_nrrd_that_needs_a_guess_is_refused(
    study: Study, tmp_path: Path, field: str, code: str
) -> None:
    path = tmp_path / "case.nhdr"
    sitk.WriteImage(to_simpleitk(study), str(path))
    name = field.split(":")[0]
    kept = [line for line in path.read_text().splitlines() if not line.startswith(name + ":")]
    path.write_text("\n".join([kept[0], field, *kept[1:], ""]))
    assert refusal(path) == code


def test_an_nrrd_in_millimetres_is_read(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "case.nhdr"
    sitk.WriteImage(to_simpleitk(study), str(path))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], 'space units: "mm" "mm" "mm"', *lines[1:], ""]))
    np.testing.assert_array_equal(read_ct(path).volume.array_zyx, study.volume.array_zyx)


@pytest.mark.parametrize(
    ("letters", "warned"), [("RAI", False), ("???", False), ("LAI", True), ("ARI", True)]
)
def test_letters_that_contradict_the_matrix_are_told(
    study: Study, tmp_path: Path, letters: str, warned: bool
) -> None:
    """ITK calls the axes of LPS by where they begin: right, anterior, inferior."""
    path = tmp_path / "case.mhd"
    sitk.WriteImage(to_simpleitk(study), str(path))
    text = path.read_text()
    assert "AnatomicalOrientation = RAI" in text
    path.write_text(text.replace("Orientation = RAI", f"Orientation = {letters}"))
    codes = {warning.code for warning in read_ct(path).warnings}
    assert ("ORIENTATION_DIFFERS" in codes) == warned
