"""Heat maps lie where the cause lies, in the patient's coordinates."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_built import CENTER_LPS_MM, OBLIQUE, LooksAt, place_of, with_balls

from nodule.errors import InputError
from nodule.geometry import as_vector
from nodule.malignancy._grad_cam import ReceptiveField, contributions, expected_rating, saliency_map
from nodule.malignancy.network import C3DMultitask
from nodule.volume import Volume


def hottest_lps_mm(heat: Volume) -> np.ndarray:
    index = np.unravel_index(heat.array_zyx.argmax(), heat.array_zyx.shape)
    return heat.geometry.index_to_lps(index)


@pytest.mark.parametrize("index", [(20, 9, 25), (5, 28, 19)])
def test_heat_lies_at_the_only_place_that_counts(index: tuple[int, int, int]) -> None:
    decoy = (12, 17, 7)
    heat = saliency_map([LooksAt(index)], with_balls(index, decoy), answer="nodule")
    assert np.count_nonzero(heat.array_zyx) == 1
    np.testing.assert_allclose(hottest_lps_mm(heat), place_of(index), atol=1e-6)


def test_a_coarse_layer_is_blurred_and_not_displaced() -> None:
    # the block of 4 voxels from 20, 8 and 24 on has its middle 1.5 voxels further
    index, middle = (20, 9, 25), (21.5, 9.5, 25.5)
    heat = saliency_map([LooksAt(index, block=4)], with_balls(index), answer="nodule")
    weights = heat.array_zyx.ravel() / heat.array_zyx.sum()
    centroid = weights @ np.moveaxis(np.indices(heat.array_zyx.shape), 0, -1).reshape(-1, 3)
    np.testing.assert_allclose(heat.geometry.index_to_lps(centroid), place_of(middle), atol=0.5)
    assert np.linalg.norm(hottest_lps_mm(heat) - place_of(index)) < 4 * np.sqrt(3) / 2


def test_members_count_as_they_do_in_their_common_answer() -> None:
    strong, weak = (20, 9, 25), (5, 28, 19)
    networks = [LooksAt(strong), LooksAt(weak, weight=0.5)]
    heat = saliency_map(networks, with_balls(strong, weak), answer="nodule")
    assert heat.array_zyx[strong] == pytest.approx(1.0)
    assert heat.array_zyx[weak] == pytest.approx(0.5)


def test_a_closer_look_heats_the_same_place_of_the_patient() -> None:
    wide, close = LooksAt((4, 28, 25), block=4), LooksAt((24, 24, 4), block=4)
    close.magnifications_mm = (0.5,)
    # the block of the closer look from 24, 24 and 4 on has its middle at 25.5, 25.5 and 5.5, which
    # is 10, 10 and -10 half millimetres from the cube's
    middle = np.array([20.5, 20.5, 10.5])
    place = with_balls((5, 29, 26), (20, 20, 10))
    heat = saliency_map([close, wide], place, answer="nodule")
    assert heat.geometry == place.grid(wide)
    gap = np.moveaxis(np.indices(heat.array_zyx.shape), 0, -1) - middle
    added = heat.array_zyx * (np.linalg.norm(gap, axis=-1) < 5.0)
    centroid = [(added * axis).sum() / added.sum() for axis in np.indices(added.shape)]
    np.testing.assert_allclose(centroid, middle, atol=0.3)
    assert heat.array_zyx.sum() > added.sum() > 0  # the wider look's own place is warm, too


def test_what_lowers_an_answer_is_cold() -> None:
    index = (20, 9, 25)
    heat = saliency_map([LooksAt(index, weight=-1.0)], with_balls(index), answer="nodule")
    assert not heat.array_zyx.any()


def test_a_place_cut_out_looks_the_same() -> None:
    network = C3DMultitask(magnifications_mm=(1.0, 1.5))
    place = with_balls((20, 9, 25))
    for center in (CENTER_LPS_MM, OBLIQUE.index_to_lps((1, 79, 3))):
        whole = replace(place, center_lps_mm=as_vector(center))
        part = ReceptiveField.cut(
            place.volume, center_lps_mm=whole.center_lps_mm, networks=[network]
        )
        assert part.volume.array_zyx.size < place.volume.array_zyx.size
        np.testing.assert_allclose(part.cubes(network), whole.cubes(network), atol=1e-5)
        assert part.grid(network) == whole.grid(network)


def test_refuses_a_place_outside_the_scan() -> None:
    with pytest.raises(InputError, match="OUTSIDE_VOLUME"):
        replace(with_balls(), center_lps_mm=(500.0, 0.0, 0.0))


def test_a_network_that_was_explained_is_as_before() -> None:
    torch.manual_seed(0)
    network = C3DMultitask(channels=(4, 8)).eval()
    cubes = torch.rand(1, 1, 32, 32, 32)
    before = network(cubes).nodule
    once, again = (contributions(network, cubes, answer="malignancy") for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert all(p.requires_grad and p.grad is None for p in network.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in network.modules())
    assert torch.equal(network(cubes).nodule, before)


@pytest.mark.parametrize("backbone", ["c3d", "resnet18"])
def test_every_magnification_and_backbone_has_a_map(backbone: str) -> None:
    torch.manual_seed(0)
    network = C3DMultitask(
        backbone=backbone, channels=(4, 8), magnifications_mm=(1.0, 2.0), cube=16
    ).eval()
    heat = contributions(network, torch.rand(1, 2, 16, 16, 16), answer="nodule")
    assert heat.shape == (16, 16, 16)
    assert heat.min() >= 0
    assert heat.max() > 0


def test_the_expected_rating_counts_from_one() -> None:
    distribution = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]])
    assert expected_rating(distribution).tolist() == pytest.approx([3.0, 5.0])
