"""A view shows what lies where it says, through three spacings, turns and flips."""

import numpy as np
import pytest

from nodule.training.pose import View, centered, draw_turn

SPACING = (2.5, 0.8, 0.6)
STRAIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def test_a_bright_voxel_is_seen_at_its_millimetres() -> None:
    scan = np.zeros((20, 60, 80), np.int16)
    scan[8, 30, 40] = 100  # at 20, 24 and 24 mm
    view = centered((20.0, 24.0, 24.0), size=9, turn=STRAIGHT)
    patch = view.cut(scan, spacing_zyx_mm=SPACING, outside=0.0, mode="constant")
    assert np.unravel_index(patch.argmax(), patch.shape) == (4, 4, 4)
    assert patch.max() == pytest.approx(100.0)


def test_a_turned_and_scaled_view_shows_a_ramp_at_the_points_it_names() -> None:
    z, y, x = np.meshgrid(
        *[np.arange(n) * s for n, s in zip((30, 90, 120), SPACING, strict=True)], indexing="ij"
    )
    ramp = (3 * z - 2 * y + 5 * x).astype(np.float32)
    turn = draw_turn(np.random.default_rng(4), scale=(1.2, 1.3), tilt_deg=15.0)
    view = centered((36.0, 35.0, 36.0), size=16, turn=turn)
    patch = view.cut(ramp, spacing_zyx_mm=SPACING, outside=0.0, mode="constant")
    points_mm = view.to_scan([(3, 12, 7), (15, 0, 0), (8, 8, 8)])
    expected = points_mm @ [3, -2, 5]
    np.testing.assert_allclose(patch[[3, 15, 8], [12, 0, 8], [7, 0, 8]], expected, atol=0.01)


def test_points_go_to_the_patch_and_back() -> None:
    turn = draw_turn(np.random.default_rng(1), scale=(0.8, 0.9), tilt_deg=20.0)
    view = centered((5.0, -3.0, 11.0), size=64, turn=turn)
    points = np.random.default_rng(2).uniform(0, 64, size=(7, 3))
    np.testing.assert_allclose(view.to_patch(view.to_scan(points)), points, atol=1e-9)


def test_scale_is_the_millimetres_of_a_voxel() -> None:
    doubled = ((2.0, 0.0, 0.0), (0.0, 0.0, 2.0), (0.0, -2.0, 0.0))
    assert View(size=4, center_mm=(0, 0, 0), turn=doubled).scale == pytest.approx(2.0)


def test_a_draw_without_tilt_keeps_the_slices() -> None:
    turn = np.array(draw_turn(np.random.default_rng(7), scale=(1.0, 1.0001)))
    assert abs(turn[0]) == pytest.approx([1.0, 0.0, 0.0], abs=1e-3)
    assert abs(np.linalg.det(turn)) == pytest.approx(1.0, abs=1e-3)
