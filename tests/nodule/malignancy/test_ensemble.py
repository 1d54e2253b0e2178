"""Members of an ensemble share the flips and answer as one."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.errors import ConfigError, WeightsError
from nodule.malignancy import Ensemble
from nodule.malignancy._answers import SeesCubes
from nodule.malignancy._ensemble import assign_tta_flips
from nodule.malignancy._predict import TTA_FLIPS
from nodule.weights import Weights


def test_there_are_eight_mirrors_and_the_place_as_it_is_comes_first() -> None:
    assert len(set(TTA_FLIPS)) == 8
    assert TTA_FLIPS[0] == ()


@pytest.mark.parametrize("members", [1, 2, 5, 8])
def test_every_flip_is_assigned_once_and_no_member_gets_two_more_than_another(members: int) -> None:
    shares = assign_tta_flips(TTA_FLIPS, members)
    assert sorted(mirror for share in shares for mirror in share) == sorted(TTA_FLIPS)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_the_ninth_player_gets_a_mirror_too() -> None:
    assert all(len(hand) == 1 for hand in assign_tta_flips(TTA_FLIPS, 9))


def test_a_member_alone_cannot_tell_mirror_images_apart(
    make_member: Callable[..., Weights],
) -> None:
    alone = Ensemble.load((make_member(seed=0),), engine="torch", precision="fp32")
    cubes = np.random.default_rng(0).random((1, 2, 32, 32, 32), dtype=np.float32)
    seen, mirrored = (
        alone.predict(lambda _, shown=each: shown) for each in (cubes, cubes[..., ::-1].copy())
    )
    assert mirrored.probability == pytest.approx(seen.probability, abs=1e-5)
    np.testing.assert_allclose(mirrored.distributions, seen.distributions, atol=1e-5)


def test_each_members_distributions_come_back(make_member: Callable[..., Weights]) -> None:
    members = tuple(make_member(seed=seed) for seed in range(3))
    said = Ensemble.load(members, engine="torch", precision="fp32").predict(
        lambda _: np.zeros((2, 2, 32, 32, 32), np.float32)
    )
    assert said.distributions.shape == (3, 2, 5)
    np.testing.assert_allclose(said.distributions.sum(axis=-1), 1.0, atol=1e-5)
    # equal places, equal answers; different members, different ones
    np.testing.assert_allclose(said.distributions[:, 0], said.distributions[:, 1], atol=1e-5)
    assert np.abs(said.distributions[0] - said.distributions[1]).max() > 1e-3


def test_members_may_look_at_different_cubes_and_each_size_is_made_once(
    make_member: Callable[..., Weights],
) -> None:
    weights = (
        make_member(seed=0),
        make_member(seed=1, magnifications_mm=(0.7,)),
        make_member(seed=2, magnifications_mm=(0.7,)),
    )
    rng = np.random.default_rng(0)
    asked: list[tuple[float, ...]] = []

    def show(network: SeesCubes) -> NDArray[np.float32]:
        asked.append(network.magnifications_mm)
        return rng.random((1, len(network.magnifications_mm), 32, 32, 32), dtype=np.float32)

    said = Ensemble.load(weights, engine="torch", precision="fp32").predict(show)
    assert asked == [(1.0, 1.5), (0.7,)]
    assert said.distributions.shape == (3, 1, 5)


def test_members_for_the_nodule_alone_tell_it_and_the_others_rate(
    make_member: Callable[..., Weights],
) -> None:
    rates = (make_member(seed=0), make_member(seed=1))
    finds = (make_member(seed=2, answers="nodule"),)
    cubes = np.random.default_rng(0).random((2, 2, 32, 32, 32), dtype=np.float32)
    both, raters, finders = (
        Ensemble.load(some, engine="torch", precision="fp32").predict(lambda _: cubes)
        for some in ((rates[0], *finds, rates[1]), rates, finds)
    )
    # each part as if it were alone, with all flips of its own
    np.testing.assert_allclose(both.probability, finders.probability, atol=1e-6)
    np.testing.assert_allclose(both.distributions, raters.distributions, atol=1e-6)
    np.testing.assert_allclose(both.diameter_mm, raters.diameter_mm, atol=1e-4)
    for name, shares in both.ratings.items():
        np.testing.assert_allclose(shares, raters.ratings[name], atol=1e-6)


def test_refuses_no_members() -> None:
    with pytest.raises(ConfigError, match="NO_MEMBERS"):
        Ensemble.load(())


def test_refuses_the_weights_of_another_stage() -> None:
    with pytest.raises(WeightsError, match="WRONG_STAGE"):
        Ensemble.load([Weights.shipped("candidates")])
