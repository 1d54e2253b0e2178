"""Drawn poses stay in their ranges, and say what they did."""

import numpy as np
import pytest

from nodule.training import STRAIGHT, PoseRanges, SamplePose, draw_pose

SPACING_MM = (2.5, 0.8, 0.6)


def drawn(count: int = 200, **ranges: object) -> list[SamplePose]:
    rng = np.random.default_rng(7)
    return [draw_pose(rng, PoseRanges(**ranges)) for _ in range(count)]  # type: ignore[arg-type]


def test_nothing_is_turned_where_nothing_is_asked_for() -> None:
    for pose in drawn(10, about_z_deg=0.0, mirrored_axes=()):
        np.testing.assert_allclose(pose.turn, np.eye(3), atol=1e-12)
        assert pose.shift_mm == (0.0, 0.0, 0.0)
        assert pose.mirrored == (False, False, False)


def test_a_turn_about_the_bodys_axis_keeps_the_slices() -> None:
    for pose in drawn(20, about_z_deg=None):
        assert np.abs(pose.turn)[0] == pytest.approx([1.0, 0.0, 0.0], abs=1e-12)
        assert np.abs(np.linalg.det(pose.turn)) == pytest.approx(1.0)


def test_tilts_have_the_spread_that_was_asked_for() -> None:
    # the patch's z axis, tilted about y and x by independent normal angles
    tilts = [np.arctan2(p.turn[2][0], p.turn[0][0]) for p in drawn(tilt_deg=10.0, mirrored_axes=())]
    assert np.degrees(np.std(tilts)) == pytest.approx(10.0, rel=0.25)


def test_upright_poses_are_a_share_of_all() -> None:
    upright = [
        np.allclose(pose.turn, np.eye(3))
        for pose in drawn(about_z_deg=15.0, tilt_deg=8.0, upright_share=0.25, mirrored_axes=())
    ]
    assert np.mean(upright) == pytest.approx(0.25, abs=0.1)


def test_scale_says_by_how_much_things_look_larger() -> None:
    scales = [pose.scale for pose in drawn(scale=(0.5, 2.0))]
    assert min(scales) < 0.7
    assert max(scales) > 1.5
    doubled = SamplePose(turn=((0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.5)))
    assert doubled.scale == pytest.approx(2.0)
    assert doubled.at((0, 0, 0), SPACING_MM, shape_zyx=(4, 4, 4)).voxel_mm == pytest.approx(0.5)


def test_a_mirrored_axis_runs_backwards_in_half_of_the_poses() -> None:
    poses = drawn(about_z_deg=0.0, mirrored_axes=(2,))
    for pose in poses:
        x_sign = -1.0 if pose.mirrored[2] else 1.0
        np.testing.assert_allclose(np.diag(pose.turn), [1.0, 1.0, x_sign])
    assert np.mean([pose.mirrored[2] for pose in poses]) == pytest.approx(0.5, abs=0.12)


def test_shifts_are_millimetres_of_the_scan() -> None:
    shifts = np.array([p.shift_mm for p in drawn(shift_mm=(3.0, 1.0, 0.0), centered_share=0.2)])
    assert (np.abs(shifts).max(axis=0) <= [3.0, 1.0, 0.0]).all()
    assert (shifts == 0).all(axis=1).mean() == pytest.approx(0.2, abs=0.1)
    pose = SamplePose(shift_mm=(5.0, 0.8, -0.6)).at((10, 20, 30), SPACING_MM, shape_zyx=(3, 3, 3))
    assert pose.center_zyx == pytest.approx((12.0, 21.0, 29.0))


def test_one_pose_shows_one_place_at_any_size_of_voxels() -> None:
    fine, coarse = (
        STRAIGHT.at((10, 20, 30), SPACING_MM, shape_zyx=(n, n, n), voxel_mm=mm)
        for n, mm in ((9, 0.7), (5, 2.0))
    )
    np.testing.assert_allclose(fine.to_array_mm((4, 4, 4)), coarse.to_array_mm((2, 2, 2)))
    step_mm = fine.to_array_mm((5, 4, 4)) - fine.to_array_mm((4, 4, 4))
    np.testing.assert_allclose(step_mm, (0.7, 0.0, 0.0))
