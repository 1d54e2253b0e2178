"""What is inserted is whole inside, gone outside, and blends between."""

import numpy as np
import pytest

from nodule.training import (
    STRAIGHT,
    Outline,
    Piece,
    ShapeDistance,
    feathered_blend,
    match_air,
    mismatch_hu,
    synthetic_parenchyma,
)
from nodule.training._copy_paste import feather

SPACING_MM = (2.0, 0.8, 0.8)
SHAPE = (21, 51, 51)
CENTER = (10.0, 25.0, 25.0)


def ball(radius_mm: float = 5.0) -> np.ndarray:
    gap = [(i - c) * s for i, c, s in zip(np.indices(SHAPE), CENTER, SPACING_MM, strict=True)]
    return np.linalg.norm(gap, axis=0) < radius_mm


def test_a_feather_is_a_half_at_the_edge_and_whole_half_a_width_inside() -> None:
    depth = np.array([-5.0, -1.0, -0.5, 0.0, 0.5, 1.0, 5.0], np.float32)
    # smoothstep of 0.25 is 3/16 - 2/64
    expected = [0.0, 0.0, 0.15625, 0.5, 0.84375, 1.0, 1.0]
    np.testing.assert_allclose(feather(depth, width_mm=2.0), expected)


def test_a_blend_is_the_share_of_either_image() -> None:
    top, under = np.full(3, 100.0, np.float32), np.full(3, -900.0, np.float32)
    depth = np.array([-9.0, 0.0, 9.0], np.float32)
    blended = feathered_blend(top, under, depth_mm=depth, width_mm=3.0)
    np.testing.assert_allclose(blended, [-900.0, -400.0, 100.0])


def test_mismatch_is_a_mean_over_where_images_meet() -> None:
    top, under = np.array([0.0, 10.0, 999.0], np.float32), np.zeros(3, np.float32)
    assert mismatch_hu(top, under, np.array([True, True, False])) == 5.0
    assert mismatch_hu(top, under, np.zeros(3, np.bool_)) == 0.0


def test_air_is_matched_and_tissue_left_alone() -> None:
    where = np.ones(50, np.bool_)
    top = np.r_[np.full(40, -800.0), np.full(10, 40.0)].astype(np.float32)
    under = np.full(50, -860.0, np.float32)
    matched = match_air(top, under, where)
    np.testing.assert_allclose(matched[:40], -860.0)
    np.testing.assert_allclose(matched[40:], 40.0)


def test_without_enough_air_to_compare_nothing_is_shifted() -> None:
    top, under = np.full(50, 40.0, np.float32), np.full(50, -860.0, np.float32)
    np.testing.assert_array_equal(match_air(top, under, np.ones(50, np.bool_)), top)


def test_distances_are_millimetres_from_the_shape() -> None:
    distance = ShapeDistance.of(ball(), SPACING_MM)
    assert (distance.array_mm[ball()] == 0).all()
    # from the centre 20 voxels of 0.8 mm along x, less the 6 that lie in the ball
    assert distance.array_mm[10, 25, 45] == pytest.approx(14 * 0.8, abs=0.125)


def test_beyond_the_array_distances_go_on_growing() -> None:
    mask = np.zeros((3, 41, 41), np.bool_)
    mask[:, 18:23, 18:23] = True
    distance = ShapeDistance.of(mask, (1.0, 1.0, 1.0))
    pose = STRAIGHT.at((1.0, 20.0, 20.0), (1.0, 1.0, 1.0), shape_zyx=(11, 3, 3))
    # the array ends half a voxel beyond its outermost slices
    np.testing.assert_allclose(distance.at(pose)[:4, 1, 1], [3.5, 2.5, 1.5, 0.5], atol=1e-5)


def test_an_outline_limits_what_a_piece_shows() -> None:
    hu = np.where(ball(), 40.0, -850.0).astype(np.float32)
    distance = ShapeDistance.of(ball(), SPACING_MM)
    piece = Piece(
        hu=hu,
        spacing_zyx_mm=SPACING_MM,
        center_zyx=CENTER,
        outline=Outline(distance=distance, center_zyx=CENTER, rim_mm=3.0),
    )
    shown, depth_mm = piece.take(STRAIGHT, shape_zyx=(33, 33, 33), voxel_mm=1.0)
    assert shown[16, 16, 16] == pytest.approx(40.0)
    assert depth_mm[16, 16, 16] == pytest.approx(3.0)
    # a ball of 5 mm with 3 mm around it, less about half a voxel
    assert float((depth_mm > 0).sum()) == pytest.approx(4 / 3 * np.pi * 8.0**3, rel=0.2)


def test_synthetic_lung_has_its_mean_and_spread() -> None:
    rng = np.random.default_rng(0)
    lung = synthetic_parenchyma(rng, shape_zyx=(32, 32, 32), level_hu=-850.0, sd_hu=50.0)
    assert float(lung.mean()) == pytest.approx(-850.0, abs=3.0)
    assert float(lung.std()) == pytest.approx(50.0, rel=0.01)
