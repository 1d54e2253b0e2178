"""Another reader finds every voxel where it lies in the patient."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.nifti_image import nifti, read_nifti

C, S = np.cos(0.3), np.sin(0.3)
OBLIQUE = Geometry(
    shape_zyx=(3, 4, 5),
    spacing_zyx_mm=(2.5, 0.75, 0.5),
    origin_lps_mm=(-11.0, 22.0, -333.0),
    direction=((0.0, -S, C), (0.0, C, S), (1.0, 0.0, 0.0)),
)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_voxels_and_their_places_are_kept(tmp_path: Path, dtype: type[np.generic]) -> None:
    array = np.arange(60).reshape(OBLIQUE.shape_zyx).astype(dtype)
    (tmp_path / "image.nii.gz").write_bytes(nifti(array, OBLIQUE))
    image = sitk.ReadImage(tmp_path / "image.nii.gz")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), array)
    for index_zyx in ((0, 0, 0), (2, 3, 4), (1, 0, 3)):
        place = image.TransformIndexToPhysicalPoint(index_zyx[::-1])
        np.testing.assert_allclose(place, OBLIQUE.index_to_lps(index_zyx), atol=1e-4)


def test_equal_arrays_give_equal_bytes() -> None:
    array = np.ones(OBLIQUE.shape_zyx, np.uint8)
    assert nifti(array, OBLIQUE) == nifti(array.copy(), OBLIQUE)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_an_image_comes_back_as_it_went(tmp_path: Path, dtype: type[np.generic]) -> None:
    array = np.arange(60).reshape(OBLIQUE.shape_zyx).astype(dtype)
    (tmp_path / "image.nii.gz").write_bytes(nifti(array, OBLIQUE))
    back, geometry = read_nifti(tmp_path / "image.nii.gz")
    np.testing.assert_array_equal(back, array, strict=True)
    assert geometry.is_close(OBLIQUE)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.nii.gz"
    with pytest.raises(InputError, match="NO_NIFTI"):
        read_nifti(path)
    whole = nifti(np.arange(60).reshape(OBLIQUE.shape_zyx).astype(np.uint8), OBLIQUE)
    flat = nifti(
        np.ones((1, 1, 4), np.uint8), Geometry(shape_zyx=(1, 1, 4), spacing_zyx_mm=(1, 1, 1))
    )
    for content in (b"", b"{}", whole[:40], whole[:-30]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"NO_NIFTI: image\.nii\.gz"):
            read_nifti(path)
    path.write_bytes(flat)
    assert read_nifti(path)[0].shape == (1, 1, 4)
