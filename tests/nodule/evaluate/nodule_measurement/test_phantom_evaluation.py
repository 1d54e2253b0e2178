"""Volumes against known ones: figures by hand, and one small phantom measured."""

import math
from dataclasses import replace

import pytest

from nodule.errors import InputError
from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate._estimate import Estimate
from nodule.evaluate.nodule_measurement._phantom_evaluation import (
    VolumeScore,
    phantom_specs,
    score_volumes,
    volume_figures,
)
from nodule.phantom import NodulePlan, PhantomSpec

FEW = BootstrapSettings(draws=10)


def _sphere_mm3(diameter_mm: float) -> float:
    return math.pi / 6 * diameter_mm**3


def _score(factor: float | None = 1.0, *, diameter_mm: float = 7.0, scan: int = 0) -> VolumeScore:
    truth_mm3 = _sphere_mm3(diameter_mm)
    return VolumeScore(
        scan=scan,
        kind="solid",
        location="parenchymal",
        truth_mm3=truth_mm3,
        truth_mm=diameter_mm,
        volume_mm3=None if factor is None else factor * truth_mm3,
        stated=factor is not None,
        spacing_zyx_mm=(1.25, 0.7, 0.7),
        noise_hu=14.0,
    )


def test_errors_are_relative_to_the_truth() -> None:
    assert _score(1.5).error == pytest.approx(0.5)
    assert _score(0.5).error == pytest.approx(-0.5)
    assert _score(None).error is None


def test_counts_what_is_within_ten_per_cent_either_way() -> None:
    scores = [_score(0.91), _score(1.09), _score(0.89), _score(1.11)]
    figures = volume_figures(scores, bootstrap=FEW)
    assert figures.overall.n == 4
    assert figures.overall.within is not None
    assert figures.overall.within.value == 0.5


def test_what_is_not_grown_or_not_stated_is_a_failure() -> None:
    scores = [_score(), _score(None), replace(_score(), stated=False), _score(1.02)]
    figures = volume_figures(scores, bootstrap=FEW)
    assert (figures.overall.n_not_grown, figures.overall.n_not_stated) == (1, 1)
    assert figures.overall.within is not None
    assert figures.overall.within.value == 0.5
    # of 0, 0 and 0.02, grown all of them
    assert figures.overall.error is not None
    assert figures.overall.error.median == pytest.approx(0.0)


def test_limits_of_the_error_are_percentiles() -> None:
    # errors of 0, 0.01, … 1: percentiles read themselves
    scores = [_score(1 + n / 100) for n in range(101)]
    error = volume_figures(scores, bootstrap=FEW).overall.error
    assert error is not None
    assert (error.median, error.low, error.high) == pytest.approx((0.5, 0.025, 0.975))


def test_groups_by_kind_place_and_size_and_keeps_small_nodules_apart() -> None:
    scores = [
        replace(_score(diameter_mm=5.5), kind="part-solid"),
        replace(_score(2.0, diameter_mm=7.0), location="juxtavascular"),
        _score(diameter_mm=13.0),
        _score(3.0, diameter_mm=4.9),
    ]
    figures = volume_figures(scores, bootstrap=FEW)
    assert (figures.overall.n, figures.below_5_mm.n) == (3, 1)
    assert {name: group.n for name, group in figures.by_kind.items()} == {
        "solid": 2,
        "part-solid": 1,
        "ground-glass": 0,
        "calcified": 0,
    }
    assert figures.by_location["juxtavascular"].within == Estimate(value=0.0, n=1)
    assert figures.by_location["juxtapleural"].within is None
    assert [group.n for group in figures.by_size.values()] == [1, 1, 0, 1]


def test_the_interval_is_over_scans() -> None:
    # two scans, one all right and one all wrong: drawn anew they give 0, 1/2 or 1
    scores = [_score(scan=0)] * 5 + [_score(2.0, scan=1)] * 5
    within = volume_figures(scores, bootstrap=BootstrapSettings(draws=400)).overall.within
    assert within is not None
    assert (within.low, within.high) == (0.0, 1.0)


def test_refuses_to_sum_up_small_nodules_alone() -> None:
    with pytest.raises(InputError, match="NO_CASES"):
        volume_figures([_score(diameter_mm=4.0)], bootstrap=FEW)


def test_phantoms_are_drawn_by_seed_and_alternate_between_voxel_sizes() -> None:
    first, again, other = (
        phantom_specs(5, seed=3),
        phantom_specs(5, seed=3),
        phantom_specs(5, seed=4),
    )
    assert first == again
    assert not {spec.seed for spec in first} & {spec.seed for spec in other}
    assert [len(spec.nodules) for spec in first] == [15] * 5
    assert len({spec.spacing_zyx_mm for spec in first}) == 4
    assert first[0].spacing_zyx_mm == first[4].spacing_zyx_mm
    for spec in first:
        # wide enough for the lungs, which lie within 150 mm of the midline
        assert spec.shape_zyx[2] * spec.spacing_zyx_mm[2] == pytest.approx(300.0, abs=1.0)


def test_measures_a_ball_clear_of_vessels_and_knows_its_size() -> None:
    spec = PhantomSpec(
        seed=3,
        shape_zyx=(36, 110, 150),
        spacing_zyx_mm=(2.0, 2.0, 2.0),
        nodules=(NodulePlan(diameter_mm=14.0),),
        vessels_per_ml=0.2,
    )
    (score,) = score_volumes([spec])
    assert (score.kind, score.location) == ("solid", "parenchymal")
    assert score.truth_mm3 == pytest.approx(_sphere_mm3(14.0), rel=1e-3)
    assert score.error is not None
    assert abs(score.error) < 0.10
    assert score.stated
