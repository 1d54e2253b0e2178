"""Training samples repeat exactly, say what they show, and give nothing away at their blends."""

import math

import numpy as np
import pytest
import torch

from nodule.malignancy._answers import LEVELS
from nodule.malignancy.training import DEEP_MM, elsewhere
from nodule.malignancy.training import _pieces as pieces_module
from nodule.malignancy.training._cube_sampler import CubeSampler, target
from nodule.malignancy.training._pieces import empty_lung, nodule_piece
from nodule.training import STRAIGHT, feathered_blend

OWN_LUNG_HU, OTHER_LUNG_HU, RADIUS_MM = -780, -900, 4.0


@pytest.fixture
def source(example, background) -> CubeSampler:  # type: ignore[no-untyped-def]
    return CubeSampler(
        examples=[example(slices=3), example(slices=12)],
        backgrounds=[background],
        magnifications_mm=(1.0, 1.5),
        cube=32,
        seed=5,
    )


def test_a_sample_depends_on_seed_and_index_alone(source: CubeSampler) -> None:
    first = source[7]
    source[3], source[11]
    again = source[7]
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["cubes"], source[8]["cubes"])


def test_cubes_are_what_the_network_takes(source: CubeSampler) -> None:
    cubes = source[0]["cubes"]
    assert cubes.shape == (2, 32, 32, 32)
    assert cubes.dtype == torch.float32
    assert 0.0 <= cubes.min() <= cubes.max() <= 1.0


def test_targets_by_hand(example) -> None:  # type: ignore[no-untyped-def]
    said = target(example(ratings=(3, 3, 5)), nodule_known=True, scale=1.1)
    assert said["nodule"].item() == 0.75
    assert said["votes"][-5:].tolist() == [0, 0, 2, 0, 1]
    assert said["votes"][:-5].sum() == 0
    assert said["log_diameter"].item() == pytest.approx(math.log(8.0 * 1.1 / 8.0))


def test_a_negative_has_no_votes_and_no_size() -> None:
    said = target(None, nodule_known=True)
    assert said["nodule"] == said["diameter_weight"] == said["votes"].sum() == 0
    assert said["votes"].shape == (sum(LEVELS.values()),)


def test_all_kinds_of_sample_occur(source: CubeSampler) -> None:
    drawn = [source[index] for index in range(150)]
    positive = np.array([d["nodule"].item() > 0 for d in drawn])
    learns = np.array([d["nodule_weight"].item() for d in drawn])
    assert 0.55 < positive.mean() < 0.85
    assert learns[~positive].all()
    assert 0 < (learns[positive] == 0).sum() < positive.sum()


def test_a_thin_view_teaches_what_a_nodule_is_only_when_inserted(example, background) -> None:  # type: ignore[no-untyped-def]
    thin = CubeSampler(
        examples=[example(slices=3), example(slices=12)], backgrounds=[background],
        magnifications_mm=(1.0,), cube=32, seed=1,
    )  # fmt: skip
    assert thin.examples[0].views[0].depth_mm < DEEP_MM <= thin.examples[1].views[0].depth_mm
    rng = np.random.default_rng(0)
    for inserted in (True, False):
        known = [
            CubeSampler._nodule(thin, rng, STRAIGHT, inserted=inserted)["nodule_weight"].item()
            for _ in range(20)
        ]
        assert min(known) == (1.0 if inserted else 0.0)


def test_inserted_lung_is_as_large_around_nothing_as_around_a_nodule(example) -> None:  # type: ignore[no-untyped-def]
    """The shown part of either is the same ball, so its size cannot tell them apart."""
    made = example(slices=31)
    shares = []
    for make in (
        lambda rng: nodule_piece(rng, made.views[0]),
        lambda rng: empty_lung(rng, made),
    ):
        rng = np.random.default_rng(2)
        shown = [
            make(rng).take(STRAIGHT, shape_zyx=(32, 32, 32), voxel_mm=1.0)[1] > 0 for _ in range(30)
        ]
        shares.append(np.mean([each.sum() for each in shown]))
    assert shares[1] == pytest.approx(shares[0], rel=0.15)
    # a ball of the nodule's radius and a mean rim of 4 mm
    assert shares[0] == pytest.approx(4 / 3 * math.pi * (RADIUS_MM + 4.0) ** 3, rel=0.25)


def test_elsewhere_is_never_on_the_nodule(example) -> None:  # type: ignore[no-untyped-def]
    view = example(slices=12).views[0]
    rng = np.random.default_rng(0)
    spacing_mm = np.asarray(view.spacing_zyx_mm)
    for _ in range(50):
        center = np.asarray(elsewhere(rng, [view]).center_zyx)
        gap_mm = np.linalg.norm((center - view.center_zyx) * spacing_mm)
        assert gap_mm > RADIUS_MM + pieces_module._AWAY_MM - 1.0


def test_a_blend_runs_smoothly_from_one_lung_to_the_other(example) -> None:  # type: ignore[no-untyped-def]
    piece = nodule_piece(np.random.default_rng(0), example(slices=31).views[0])
    hu, depth_mm = piece.take(STRAIGHT, shape_zyx=(32, 32, 32), voxel_mm=1.0)
    joined = feathered_blend(hu, np.full_like(hu, OTHER_LUNG_HU), depth_mm=depth_mm, width_mm=2.0)
    assert joined[depth_mm > 1.0] == pytest.approx(hu[depth_mm > 1.0])
    assert (joined[depth_mm < -1.0] == OTHER_LUNG_HU).all()
    middle = np.abs(depth_mm) < 0.05
    np.testing.assert_allclose(joined[middle], (hu[middle] + OTHER_LUNG_HU) / 2, atol=10)
