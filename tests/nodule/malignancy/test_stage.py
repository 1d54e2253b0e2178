"""The stage judges every candidate, wherever it lies."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nodule.ct import read_ct
from nodule.errors import ConfigError
from nodule.findings import Candidate
from nodule.geometry import Geometry
from nodule.malignancy.network import C3DMultitask
from nodule.malignancy.stage import ScoreMalignancy
from nodule.phantom import NodulePlan, PhantomSpec, make_phantom
from nodule.resample import Resample
from nodule.volume import Volume
from nodule.weights import Weights, save_state


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    torch.manual_seed(0)
    architecture = {"magnifications_mm": [1.0, 1.5], "channels": [8, 8, 8]}
    path = tmp_path / "malignancy.safetensors"
    save_state(
        path, C3DMultitask(magnifications_mm=(1.0, 1.5), channels=(8, 8, 8)).state_dict(),
        stage="malignancy", architecture=architecture, training_patients=("P1",),
    )  # fmt: skip
    return Weights.open(path)


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
    weights: Weights, volume: Volume
) -> None:
    given = candidates(volume, 21)
    scored = ScoreMalignancy(weights=weights).run(volume=volume, candidates=given)
    assert {id(s.candidate) for s in scored} == {id(c) for c in given}
    probabilities = [s.probability for s in scored]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(1.0 <= s.malignancy.score <= 5.0 for s in scored)


def test_a_candidate_is_judged_alike_alone_and_in_company(weights: Weights, volume: Volume) -> None:
    stage = ScoreMalignancy(weights=weights, precision="fp32")
    given = candidates(volume, 19)
    together = {s.candidate: s.probability for s in stage.run(volume=volume, candidates=given)}
    (alone,) = stage.run(volume=volume, candidates=given[-1:])
    assert alone.probability == pytest.approx(together[given[-1]], abs=1e-5)


def test_the_detectors_score_and_the_networks_answer_meet_in_their_geometric_mean(
    weights: Weights, volume: Volume
) -> None:
    given = candidates(volume, 1)
    network, detector, both = (
        ScoreMalignancy(weights=weights, precision="fp32", detector_weight=share)
        .run(volume=volume, candidates=given)[0]
        .probability
        for share in (0.0, 1.0, 0.25)
    )
    assert detector == pytest.approx(0.5)
    assert both == pytest.approx(network**0.75 * 0.5**0.25)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_refuses_a_weight_that_is_no_share(weights: Weights, share: float) -> None:
    with pytest.raises(ConfigError, match="BAD_WEIGHT"):
        ScoreMalignancy(weights=weights, detector_weight=share)


def test_the_scan_may_lie_anywhere(weights: Weights, volume: Volume) -> None:
    stage = ScoreMalignancy(weights=weights, precision="fp32")
    (here,) = stage.run(volume=volume, candidates=candidates(volume, 1))
    moved = Volume(
        array_zyx=volume.array_zyx,
        geometry=Geometry(shape_zyx=volume.geometry.shape_zyx, spacing_zyx_mm=(1.0, 1.0, 1.0)),
    )
    (there,) = stage.run(volume=moved, candidates=candidates(moved, 1))
    assert there.probability == pytest.approx(here.probability, abs=1e-5)


def test_no_candidates_are_no_scores(weights: Weights, volume: Volume) -> None:
    told: list[float] = []
    stage = ScoreMalignancy(weights=weights)
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
    shipped = Weights.shipped("malignancy")
    assert "LIDC-IDRI-0001" not in shipped.training_patients
    volume = Resample().run(volume=read_ct(shared / "data/ct/LIDC-IDRI-0001").volume)
    # LUNA16 lists the nodule here; its readers rated it 5, 5, 5 and 4
    nodule = Candidate(center_lps_mm=(56.2, 86.3, -115.9), score=0.5, diameter_mm=23.0)
    network_alone = ScoreMalignancy(weights=shipped, detector_weight=0.0)
    (scored,) = network_alone.run(volume=volume, candidates=(nodule,))
    assert scored.probability > 0.7
    assert scored.malignancy.score >= 3.5
