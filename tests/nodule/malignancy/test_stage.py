"""The stage scores every candidate, wherever it lies."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodule.ct import read_ct
from nodule.errors import ConfigError, WeightsError
from nodule.findings import Candidate
from nodule.geometry import Geometry
from nodule.malignancy import Calibration, Ensemble, Predictor, ScoreMalignancy
from nodule.malignancy._cubes import candidate_cubes
from nodule.malignancy._predict import TTA_FLIPS
from nodule.phantom import NodulePlan, PhantomSpec, make_phantom
from nodule.resample import Resample
from nodule.volume import Volume
from nodule.weights import Weights

MakeMember = Callable[..., Weights]


@pytest.fixture
def members(make_member: MakeMember) -> tuple[Weights, ...]:
    return make_member(seed=0), make_member(seed=1)


def stage_of(members: tuple[Weights, ...], **options: Any) -> ScoreMalignancy:
    plain: dict[str, Any] = {
        "weights": members,
        "calibration": None,
        "precision": "fp32",
        "engine": "torch",
    }
    return ScoreMalignancy(**plain | options)


@pytest.fixture
def volume() -> Volume:
    hu = np.random.default_rng(0).normal(-800, 100, (40, 50, 60)).astype(np.float32)
    geometry = Geometry(
        shape_zyx=hu.shape, spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(-30.0, 12.0, 700.0)
    )
    return Volume(array_zyx=hu, geometry=geometry)


def candidates(volume: Volume, count: int) -> tuple[Candidate, ...]:
    rng = np.random.default_rng(1)
    index = rng.uniform(0, np.asarray(volume.geometry.shape_zyx) - 1, (count, 3))
    return tuple(
        Candidate(center_lps_mm=tuple(point), score=0.5, diameter_mm=6.0)
        for point in volume.geometry.index_to_lps(index).tolist()
    )


def test_every_candidate_comes_back_the_most_probable_first(
    members: tuple[Weights, ...], volume: Volume
) -> None:
    given = candidates(volume, 21)
    scored = stage_of(members).run(volume=volume, candidates=given)
    assert {id(s.candidate) for s in scored} == {id(c) for c in given}
    probabilities = [s.probability for s in scored]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(1.0 <= s.malignancy.score <= 5.0 for s in scored)


def test_a_candidate_is_judged_alike_alone_and_in_company(
    members: tuple[Weights, ...], volume: Volume
) -> None:
    stage = stage_of(members)
    given = candidates(volume, 19)
    together = {s.candidate: s.probability for s in stage.run(volume=volume, candidates=given)}
    (alone,) = stage.run(volume=volume, candidates=given[-1:])
    assert alone.probability == pytest.approx(together[given[-1]], abs=1e-5)


def test_the_detectors_score_and_the_networks_answer_meet_in_their_geometric_mean(
    members: tuple[Weights, ...], volume: Volume
) -> None:
    given = candidates(volume, 1)
    network, detector, both = (
        stage_of(members, detector_weight=share).run(volume=volume, candidates=given)[0].probability
        for share in (0.0, 1.0, 0.25)
    )
    assert detector == pytest.approx(0.5)
    assert both == pytest.approx(network**0.75 * 0.5**0.25)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_refuses_a_weight_that_is_no_share(members: tuple[Weights, ...], share: float) -> None:
    with pytest.raises(ConfigError, match=r"BAD_VALUE: detector_weight.*from 0 to 1"):
        stage_of(members, detector_weight=share)


def test_the_scan_may_lie_anywhere(members: tuple[Weights, ...], volume: Volume) -> None:
    stage = stage_of(members)
    (here,) = stage.run(volume=volume, candidates=candidates(volume, 1))
    moved = Volume(
        array_zyx=volume.array_zyx,
        geometry=Geometry(shape_zyx=volume.geometry.shape_zyx, spacing_zyx_mm=(1.0, 1.0, 1.0)),
    )
    (there,) = stage.run(volume=moved, candidates=candidates(moved, 1))
    assert there.probability == pytest.approx(here.probability, abs=1e-5)


def test_members_are_averaged_and_their_disagreement_told(
    members: tuple[Weights, ...], volume: Volume
) -> None:
    given = candidates(volume, 1)
    (both,) = stage_of(members).run(volume=volume, candidates=given)
    one, other = (
        Ensemble(
            members=(
                Predictor.load(member, engine="torch", precision="fp32", flips=TTA_FLIPS[turn::2]),
            )
        ).predict(lambda _: cubes_of(volume, given, (1.0, 1.5)))
        for turn, member in enumerate(members)
    )
    first, second = one.distributions[0, 0], other.distributions[0, 0]
    assert both.malignancy.distribution == pytest.approx((first + second) / 2, abs=1e-5)
    ratings = [np.dot(each, [1, 2, 3, 4, 5]) for each in (first, second)]
    # of two values it is half their distance
    assert both.malignancy.ensemble_sd == pytest.approx(abs(ratings[0] - ratings[1]) / 2, abs=1e-5)
    assert both.malignancy.suspicion is None
    assert not both.malignancy.indeterminate


def test_a_calibration_sharpens_and_tells_when_to_abstain(
    members: tuple[Weights, ...], volume: Volume
) -> None:
    given = candidates(volume, 1)
    known = Calibration(
        members=tuple(each.sha256 for each in members),
        temperature=0.5,
        slope=2.0,
        intercept=-6.0,
        threshold=0.5,
        width_limit=0.0,
        n_nodules=10,
    )
    alone = {"candidates": given, "volume": volume}
    (plain,) = stage_of(members[:1]).run(**alone)
    (said,) = stage_of(members[:1], calibration=known).run(**alone)
    squares = np.square(plain.malignancy.distribution)
    assert said.malignancy.distribution == pytest.approx(squares / squares.sum(), abs=1e-5)
    log_odds = 2.0 * (said.malignancy.score - 3.0)
    assert said.malignancy.suspicion == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=1e-5)
    assert said.malignancy.indeterminate
    (sure,) = stage_of(members[:1], calibration=replace(known, width_limit=9.0)).run(**alone)
    assert not sure.malignancy.indeterminate


def test_refuses_a_calibration_of_other_weights(members: tuple[Weights, ...]) -> None:
    with pytest.raises(WeightsError, match="FOREIGN_CALIBRATION"):
        ScoreMalignancy(weights=members)


def test_refuses_an_ensemble_of_none() -> None:
    with pytest.raises(ConfigError, match="NO_MEMBERS"):
        ScoreMalignancy(weights=(), calibration=None)


def cubes_of(
    volume: Volume, given: tuple[Candidate, ...], magnifications_mm: tuple[float, ...]
) -> np.ndarray:
    return np.stack(
        [
            candidate_cubes(
                volume.array_zyx,
                center_zyx=volume.geometry.lps_to_index(each.center_lps_mm),
                spacing_zyx_mm=volume.geometry.spacing_zyx_mm,
                magnifications_mm=magnifications_mm,
                cube=32,
            )
            for each in given
        ]
    )


def test_no_candidates_are_no_scores(members: tuple[Weights, ...], volume: Volume) -> None:
    told: list[float] = []
    stage = stage_of(members)
    assert stage.run(volume=volume, candidates=(), progress=told.append) == ()
    assert told == [1.0]


def test_a_phantoms_nodules_are_nodules_and_calcium_is_benign() -> None:
    plans = (
        NodulePlan(diameter_mm=13.0, spiculation=5, lobulation=3, lung="right"),
        NodulePlan(diameter_mm=9.0, texture="calcified", lung="left"),
    )
    phantom = make_phantom(PhantomSpec(seed=3, nodules=plans))
    volume = Resample().run(volume=phantom.volume)
    given = tuple(
        Candidate(center_lps_mm=nodule.center_lps_mm, score=0.5, diameter_mm=10.0)
        for nodule in phantom.nodules
    )
    network_alone = ScoreMalignancy(detector_weight=0.0)
    scored = {s.candidate: s for s in network_alone.run(volume=volume, candidates=given)}
    spiculated, calcified = (scored[candidate] for candidate in given)
    assert min(spiculated.probability, calcified.probability) > 0.5
    # dense calcification is a sign of a healed granuloma
    assert calcified.malignancy.score < 2.0 < 3.0 < spiculated.malignancy.score


@pytest.mark.slow
def test_finds_the_nodule_of_a_patient_never_seen(shared: Path) -> None:
    unseen = tuple(
        each
        for each in Weights.shipped_members("malignancy")
        if "LIDC-IDRI-0001" not in each.training_patients
    )
    volume = Resample().run(volume=read_ct(shared / "data/ct/LIDC-IDRI-0001").volume)
    # LUNA16 lists the nodule here; its readers rated it 5, 5, 5 and 4
    nodule = Candidate(center_lps_mm=(56.2, 86.3, -115.9), score=0.5, diameter_mm=23.0)
    network_alone = ScoreMalignancy(weights=unseen, detector_weight=0.0)
    (scored,) = network_alone.run(volume=volume, candidates=(nodule,))
    assert scored.probability > 0.7
    assert scored.malignancy.score >= 3.5
