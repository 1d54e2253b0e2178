"""What one file may hold to be read as a CT, each limit just within and just beyond."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from nodule.ct import inventory, read_ct
from nodule.errors import NoduleError


def nifti(path: Path, array_xyz: np.ndarray, *, spacing_mm: float = 1.0) -> Path:
    affine = np.diag([-1.0, -1.0, spacing_mm, 1.0])
    nibabel.save(nibabel.Nifti1Image(array_xyz.astype(np.float32), affine), path)
    return path


def chest(lowest_hu: float, highest_hu: float) -> np.ndarray:
    return np.linspace(lowest_hu, highest_hu, 4 * 5 * 6).reshape(4, 5, 6)


def verdict(path: Path) -> str:
    try:
        read_ct(path)
    except NoduleError as error:
        return error.code
    return "OK"


@pytest.mark.parametrize(("stored", "read"), [(-1023, -1023), (-1024, -1024), (-1025, -1000)])
def test_what_lies_below_the_scale_of_ct_is_air(tmp_path: Path, stored: int, read: int) -> None:
    array = chest(-900, 100)
    array[0, 0, 0] = stored
    assert read_ct(nifti(tmp_path / "a.nii", array)).volume.array_zyx[0, 0, 0] == read


@pytest.mark.parametrize(
    ("spacing_mm", "expected"),
    [(0.01, "BAD_SPACING"), (0.0101, "OK"), (19.99, "OK"), (20.0, "BAD_SPACING")],
)
def test_voxels_measure_between_a_hundredth_and_20_mm(
    tmp_path: Path, spacing_mm: float, expected: str
) -> None:
    """As the pixels and slices of DICOM do."""
    path = nifti(tmp_path / "a.nii", chest(-1000, 100), spacing_mm=spacing_mm)
    assert verdict(path) == expected


@pytest.mark.parametrize(("depth", "expected"), [(2, "TOO_FEW_SLICES"), (3, "OK"), (4, "OK")])
def test_three_slices_make_a_volume(tmp_path: Path, depth: int, expected: str) -> None:
    array = np.linspace(-1000, 100, 20 * depth).reshape(4, 5, depth)
    assert verdict(nifti(tmp_path / "a.nii", array)) == expected


def nrrd(path: Path, sizes: str, *, comment: str = "") -> Path:
    header = [
        "NRRD0004",
        *([f"# {comment}"] if comment else []),
        "type: short",
        "dimension: 3",
        f"sizes: {sizes}",
        "endian: little",
        "encoding: raw",
        "space: left-posterior-superior",
        "space directions: (1,0,0) (0,1,0) (0,0,1)",
        "space origin: (0,0,0)",
    ]
    path.write_bytes("\n".join([*header, "", ""]).encode())
    return path


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [("1024 1024 511", "OK"), ("1024 1024 512", "OK"), ("1024 1024 513", "TOO_LARGE")],
)
def test_a_volume_holds_at_most_2_to_the_29_voxels(
    tmp_path: Path, sizes: str, expected: str
) -> None:
    """As 512 x 512 x 2048; a header alone tells, before memory is taken."""
    found = inventory(nrrd(tmp_path / "a.nrrd", sizes))
    assert [s.verdict for s in found.series] + [i.code for i in found.ignored] == [expected]


@pytest.mark.parametrize(("over", "expected"), [(-1, "TRUNCATED"), (0, "TRUNCATED")])
def test_a_header_may_take_64_kibibytes(tmp_path: Path, over: int, expected: str) -> None:
    """A header that is whole is believed, and its voxels are missed."""
    bare = len(nrrd(tmp_path / "bare.nrrd", "4 5 6", comment="-").read_bytes())
    comment = "-" * (1 + (1 << 16) - bare + over)
    path = nrrd(tmp_path / "a.nrrd", "4 5 6", comment=comment)
    assert path.stat().st_size == (1 << 16) + over
    assert verdict(path) == expected


def test_a_longer_header_is_refused(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "a.nrrd", "4 5 6", comment="-" * (1 << 16))
    assert verdict(path) not in {"OK", "TRUNCATED"}
