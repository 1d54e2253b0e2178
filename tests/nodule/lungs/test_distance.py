"""Distances in voxels, and a closing that takes what a ball cannot reach."""

import numpy as np
import pytest

from nodule.lungs._distance import close_by_ball, depth_in, distance_to


def test_distances_are_counted_in_voxels_from_the_mask_and_from_outside():
    mask = np.zeros((3, 3, 12), bool)
    mask[1, 1, 4:8] = True
    assert distance_to(mask)[1, 1, 8:].tolist() == pytest.approx([1, 2, 3, 4])
    assert distance_to(mask)[0, 1, 8] == pytest.approx(np.sqrt(2))
    assert depth_in(mask)[1, 1].tolist() == pytest.approx([0] * 4 + [1] * 4 + [0] * 4)


@pytest.mark.parametrize(("radius", "filled"), [(1.9, False), (2.1, True)])
def test_a_gap_is_closed_by_a_ball_wider_than_it(radius, filled):
    """Two plates with three voxels of nothing between them."""
    mask = np.zeros((11, 11, 9), bool)
    mask[1:10, 1:10, 1:3] = mask[1:10, 1:10, 6:8] = True
    closed = close_by_ball(mask, radius)
    assert closed[5, 5, 4] == filled
    assert closed[mask].all()


def test_nothing_stays_nothing():
    assert not close_by_ball(np.zeros((4, 4, 4), bool), 2.0).any()
