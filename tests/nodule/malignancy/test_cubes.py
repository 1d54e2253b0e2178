"""Cubes show the right place, at the right size, whatever the grid."""

import numpy as np
import pytest

from nodule.malignancy.cubes import Pose, candidate_cubes, depth_inside_mm, take_cube

SPACING_MM = (2.5, 0.7, 0.9)
SHAPE = (40, 90, 80)
CENTRE = (17.3, 41.8, 39.5)


def millimetres() -> list[np.ndarray]:
    """Return the distance along each axis from the centre, which linear interpolation keeps."""
    grid = np.indices(SHAPE, dtype=np.float32)
    return [
        (g - c) * mm
        for g, c, mm in zip(grid, np.float32(CENTRE), np.float32(SPACING_MM), strict=True)
    ]


@pytest.mark.parametrize("pitch_mm", [1.0, 1.5])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_voxel_of_the_cube_lies_where_its_index_says(axis: int, pitch_mm: float) -> None:
    pose = Pose(center_zyx=CENTRE, spacing_zyx_mm=SPACING_MM, pitch_mm=pitch_mm, cube=8)
    cube = take_cube(millimetres()[axis].astype(np.float32), pose)
    expected = (np.indices((8, 8, 8))[axis] - 3.5) * pitch_mm
    np.testing.assert_allclose(cube, expected, atol=1e-3)


def test_a_turn_takes_the_cube_axes_to_the_arrays() -> None:
    turn = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    pose = Pose(center_zyx=CENTRE, spacing_zyx_mm=SPACING_MM, pitch_mm=1.0, cube=8, turn=turn)
    # the array's z is the cube's y
    cube = take_cube(millimetres()[0].astype(np.float32), pose)
    np.testing.assert_allclose(cube, np.indices((8, 8, 8))[1] - 3.5, atol=1e-3)


def test_beyond_the_scan_is_air() -> None:
    cubes = candidate_cubes(
        np.zeros((10, 10, 10), np.float32),
        center_zyx=(0.0, 4.5, 4.5),
        spacing_zyx_mm=(1.0, 1.0, 1.0),
        magnifications_mm=(1.0,),
        cube=8,
    )
    assert cubes.shape == (1, 8, 8, 8)
    assert cubes[0, :3].max() == 0.0
    # 0 HU in a window from -1000 to 400
    np.testing.assert_allclose(cubes[0, 4:], 1000 / 1400, rtol=1e-6)


def test_depth_is_measured_from_the_outer_face_of_the_voxels() -> None:
    pose = Pose(center_zyx=(1.0, 20.0, 20.0), spacing_zyx_mm=(3.0, 1.0, 1.0), pitch_mm=1.0, cube=9)
    depth = depth_inside_mm((3, 41, 41), pose)
    # three slices of 3 mm reach 4.5 mm to either side of the middle one
    np.testing.assert_allclose(depth[:, 4, 4], 4.5 - np.abs(np.arange(9) - 4.0), atol=1e-5)
