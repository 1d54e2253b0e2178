"""The tests that a heat map is put to, on shapes known by hand and on the shipped networks."""

import numpy as np
import pytest
import torch
from hand_built import OBLIQUE, place_of, with_balls

from nodule.geometry import Geometry
from nodule.malignancy._grad_cam import ReceptiveField
from nodule.malignancy._saliency_checks import (
    hottest,
    likeness,
    moved_at_random,
    occluded,
    shuffled,
)
from nodule.malignancy.network import C3DMultitask
from nodule.volume import Volume

RNG = np.random.default_rng


def test_marks_the_hottest_tenth() -> None:
    heat = RNG(0).permutation(1000).reshape(10, 10, 10).astype(np.float32)
    np.testing.assert_array_equal(hottest(heat), heat >= 900)


def test_marks_fewer_where_fewer_are_hot() -> None:
    heat = np.zeros((10, 10, 10), np.float32)
    heat[2, 3, 4] = 0.1
    np.testing.assert_array_equal(np.argwhere(hottest(heat)), [(2, 3, 4)])


def test_a_shape_that_moves_keeps_its_size() -> None:
    shape = np.zeros((8, 8, 8), bool)
    shape[6:, 6:, :3] = True
    rng = RNG(1)
    moved = [moved_at_random(shape, rng) for _ in range(20)]
    assert {int(each.sum()) for each in moved} == {12}
    assert len({each.tobytes() for each in moved}) > 15


def test_what_is_hidden_becomes_the_lung_around_it() -> None:
    """In a scan whose axes and spacings are not the mask's."""
    place = with_balls((20, 9, 25), (12, 17, 7))
    lung = place.volume.array_zyx.copy()
    lung[lung < 0] = RNG(2).normal(-860, 5, np.count_nonzero(lung < 0))
    place = ReceptiveField(
        volume=Volume(array_zyx=lung, geometry=OBLIQUE), center_lps_mm=place.center_lps_mm
    )
    grid = place.grid(C3DMultitask())
    index = np.moveaxis(np.indices(grid.shape_zyx), 0, -1)
    mask = np.linalg.norm(index - (20, 9, 25), axis=-1) < 5
    after = occluded(place, mask, grid=grid).volume.array_zyx
    where = OBLIQUE.index_to_lps(np.moveaxis(np.indices(OBLIQUE.shape_zyx), 0, -1))
    away_mm = np.linalg.norm(where - place_of((20, 9, 25)), axis=-1)
    assert after[away_mm < 4] == pytest.approx(-860, abs=1)
    # a voxel's half diagonal further than the mask nothing is touched
    np.testing.assert_array_equal(after[away_mm > 6], lung[away_mm > 6])
    assert place.volume.array_zyx is lung


def test_shuffled_weights_are_the_same_numbers_elsewhere() -> None:
    network = C3DMultitask(channels=(4, 8))
    before = {name: p.clone() for name, p in network.named_parameters()}
    for head_alone in (True, False):
        strange = dict(shuffled(network, head_alone=head_alone, seed=3).named_parameters())
        for name, parameter in strange.items():
            assert torch.equal(parameter.flatten().sort()[0], before[name].flatten().sort()[0])
        changed = {name for name, p in strange.items() if not torch.equal(p, before[name])}
        assert any(name.startswith("tasks") for name in changed)
        assert any(name.startswith("backbone") for name in changed) is not head_alone
    assert all(torch.equal(p, before[name]) for name, p in network.named_parameters())


def test_a_map_is_like_itself_unlike_its_reverse_and_unlike_nothing() -> None:
    grid = Geometry(shape_zyx=(4, 5, 6), spacing_zyx_mm=(1.0, 1.0, 1.0))
    heat = RNG(4).random(grid.shape_zyx).astype(np.float32)
    one, reverse, even = (
        Volume(array_zyx=array, geometry=grid) for array in (heat, 1 - heat, np.zeros_like(heat))
    )
    assert likeness(one, one) == pytest.approx(1.0)
    assert likeness(one, reverse) == pytest.approx(-1.0)
    assert likeness(one, even) == 0.0
