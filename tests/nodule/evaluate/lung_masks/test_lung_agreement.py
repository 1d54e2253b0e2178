"""Blocks for lungs on an oblique-free but uneven grid; figures by counting voxels."""

import nibabel
import numpy as np
import pytest

from nodule.errors import GeometryError, InputError
from nodule.evaluate.lung_masks._lung_agreement import compare_lungs, count_inside, read_lung_mask
from nodule.geometry import Geometry
from nodule.volume import LungMask

GRID = Geometry(shape_zyx=(10, 12, 20), spacing_zyx_mm=(3.0, 2.0, 1.0), origin_lps_mm=(-9, 4, 50))


def lungs(*, right: slice, left: slice, grid: Geometry = GRID) -> LungMask:
    labels = np.zeros(grid.shape_zyx, np.uint8)
    labels[2:8, 2:10, right] = LungMask.RIGHT
    labels[2:8, 2:10, left] = LungMask.LEFT
    return LungMask(labels_zyx=labels, geometry=grid)


def test_compares_each_side_and_both():
    ours = lungs(right=slice(2, 8), left=slice(12, 18))
    theirs = lungs(right=slice(2, 8), left=slice(12, 16))
    parts = compare_lungs(ours, theirs)
    assert parts["right"].dice == 1.0
    assert parts["left"].dice == pytest.approx(2 * 4 / (6 + 4))
    assert parts["both"].dice == pytest.approx(2 * 10 / (12 + 10))
    assert parts["left"].hausdorff_mm == 2.0  # two voxels of 1 mm along x


def test_sides_swapped_agree_as_a_pair_only():
    ours = lungs(right=slice(2, 8), left=slice(12, 18))
    theirs = lungs(right=slice(12, 18), left=slice(2, 8))
    parts = compare_lungs(ours, theirs)
    assert (parts["both"].dice, parts["right"].dice, parts["left"].dice) == (1.0, 0.0, 0.0)


def test_a_reference_without_sides_is_compared_as_a_whole():
    ours = lungs(right=slice(2, 8), left=slice(12, 18))
    theirs = LungMask(labels_zyx=(ours.labels_zyx > 0).astype(np.uint8), geometry=GRID)
    parts = compare_lungs(ours, theirs)
    assert list(parts) == ["both"]
    assert parts["both"].dice == 1.0


def test_refuses_masks_on_different_grids():
    mask = lungs(right=slice(2, 8), left=slice(12, 18))
    moved = Geometry(shape_zyx=GRID.shape_zyx, spacing_zyx_mm=GRID.spacing_zyx_mm)
    with pytest.raises(GeometryError, match="LUNGS_ELSEWHERE"):
        compare_lungs(mask, LungMask(labels_zyx=mask.labels_zyx, geometry=moved))


@pytest.mark.parametrize(
    ("index_zyx", "inside", "near"),
    [
        ((4, 4, 4), 1, 1),
        ((4, 4, 10), 0, 1),  # 2 mm from the left lung at x 12, 3 mm from the right at 7
        ((4, 0, 4), 0, 0),  # 4 mm from y 2
        ((9, 4, 4), 0, 0),  # 6 mm from z 7
        ((1, 4, 4), 0, 1),  # 3 mm from z 2
        ((1, 1, 4), 0, 0),  # 3 mm and 2 mm: 3.6 mm
        ((40, 4, 4), 0, 0),
        ((-40, 4, 4), 0, 0),
    ],
)
def test_counts_centres_inside_and_within_the_margin(index_zyx, inside, near):
    mask = lungs(right=slice(2, 8), left=slice(12, 18))
    center = tuple(GRID.index_to_lps(index_zyx))
    counted = count_inside(mask, [center], margin_mm=3.0)
    assert (counted.n, counted.inside, counted.within_margin) == (1, inside, near)


def test_reads_a_mask_in_patient_coordinates(tmp_path):
    # a NIfTI affine maps ijk to RAS: i to the left, j to the back, k up
    affine = np.array([[-1, 0, 0, 9], [0, -2, 0, -4], [0, 0, 3, 50], [0, 0, 0, 1]], float)
    mask = lungs(right=slice(2, 8), left=slice(12, 18))
    image = nibabel.Nifti1Image(mask.labels_zyx.T, affine)
    nibabel.save(image, tmp_path / "mask.nii.gz")
    read = read_lung_mask(tmp_path / "mask.nii.gz")
    assert read.geometry.is_close(GRID)
    assert np.array_equal(read.labels_zyx, mask.labels_zyx)


def test_refuses_what_is_no_mask(tmp_path):
    (tmp_path / "text.nii.gz").write_bytes(b"no image")
    with pytest.raises(InputError, match="UNREADABLE"):
        read_lung_mask(tmp_path / "text.nii.gz")
    image = nibabel.Nifti1Image(np.full((2, 2, 2), 5, np.int16), np.eye(4))
    nibabel.save(image, tmp_path / "five.nii.gz")
    with pytest.raises(InputError, match="BAD_LABEL"):
        read_lung_mask(tmp_path / "five.nii.gz")
