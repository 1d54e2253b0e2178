"""A patch shows what lies where it says, through three spacings, turns and mirrors."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from nodule.geometry import Matrix, as_matrix
from nodule.patch_pose import Box, PatchPose

SPACING_MM = (2.5, 0.8, 0.6)
SHAPE = (30, 90, 120)
CENTER = (14.4, 43.75, 60.0)
STRAIGHT = as_matrix(np.eye(3))
TURNED = as_matrix(1.2 * Rotation.from_euler("xyz", [70, 12, -8], degrees=True).as_matrix())


def pose(turn: Matrix = STRAIGHT, *, size: int = 16) -> PatchPose:
    return PatchPose(
        shape_zyx=(size, size, size), center_zyx=CENTER, spacing_zyx_mm=SPACING_MM, turn=turn
    )


def ramp() -> np.ndarray:
    """3 HU a mm along z, -2 along y, 5 along x: linear interpolation keeps it."""
    z, y, x = np.meshgrid(
        *[np.arange(n) * s for n, s in zip(SHAPE, SPACING_MM, strict=True)], indexing="ij"
    )
    return (3 * z - 2 * y + 5 * x).astype(np.float32)


def test_a_bright_voxel_is_seen_at_its_millimetres() -> None:
    scan = np.zeros((20, 60, 80), np.int16)
    scan[8, 30, 40] = 100
    there = PatchPose(
        shape_zyx=(9, 9, 9), center_zyx=(8, 30, 40), spacing_zyx_mm=SPACING_MM, turn=STRAIGHT
    )
    patch = there.cut(scan, outside=0.0)
    assert np.unravel_index(patch.argmax(), patch.shape) == (4, 4, 4)
    assert patch.max() == pytest.approx(100.0)


@pytest.mark.parametrize("turn", [STRAIGHT, TURNED])
def test_a_patch_shows_a_ramp_at_the_points_that_it_names(turn: Matrix) -> None:
    patch = pose(turn).cut(ramp(), outside=0.0)
    voxels = np.array([(3, 12, 7), (15, 0, 0), (8, 8, 8)])
    expected = pose(turn).to_array_mm(voxels) @ [3, -2, 5]
    np.testing.assert_allclose(patch[tuple(voxels.T)], expected, atol=0.01)


def test_a_turn_takes_the_axes_of_the_patch_to_those_of_the_array() -> None:
    # the array's z is the patch's y
    turn = ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    at_z_mm = (np.indices(SHAPE)[0] * SPACING_MM[0]).astype(np.float32)
    patch = pose(turn, size=8).cut(at_z_mm, outside=0.0)
    expected = CENTER[0] * SPACING_MM[0] + np.indices((8, 8, 8))[1] - 3.5
    np.testing.assert_allclose(patch, expected, atol=1e-3)


def test_points_go_to_the_patch_and_back() -> None:
    points = np.random.default_rng(2).uniform(0, 64, size=(7, 3))
    there = pose(TURNED)
    np.testing.assert_allclose(there.to_patch(there.to_array_mm(points)), points, atol=1e-9)


def test_the_edge_of_a_voxel_is_told_in_millimetres() -> None:
    assert pose(TURNED).voxel_mm == pytest.approx(1.2)


def test_beyond_the_array_is_what_was_asked_for_or_the_nearest() -> None:
    corner = PatchPose(
        shape_zyx=(8, 8, 8), center_zyx=(0.0, 0.0, 0.0), spacing_zyx_mm=(1, 1, 1), turn=STRAIGHT
    )
    ones = np.ones((20, 20, 20), np.float32)
    assert corner.cut(ones, outside=-7.0)[0, 0, 0] == -7.0
    assert corner.cut(ones, outside=None)[0, 0, 0] == 1.0


def test_depth_is_measured_from_the_outer_face_of_the_voxels() -> None:
    there = PatchPose(
        shape_zyx=(9, 9, 9), center_zyx=(1.0, 20.0, 20.0), spacing_zyx_mm=(3, 1, 1), turn=STRAIGHT
    )
    depth = there.depth_mm(Box.whole((3, 41, 41), (3, 1, 1)))
    # three slices of 3 mm reach 4.5 mm to either side of the middle one
    np.testing.assert_allclose(depth[:, 4, 4], 4.5 - np.abs(np.arange(9) - 4.0), atol=1e-5)


def test_depths_of_points_and_of_patches_agree() -> None:
    box = Box(low_mm=(20.0, 20.0, 20.0), high_mm=(50.0, 40.0, 60.0))
    voxels = np.moveaxis(np.indices((16, 16, 16)), 0, -1)
    by_point = box.depth_mm(pose(TURNED).to_array_mm(voxels)).min(axis=-1)
    np.testing.assert_allclose(pose(TURNED).depth_mm(box), by_point, atol=1e-3)
