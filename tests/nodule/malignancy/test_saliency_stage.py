"""The shipped networks explained on a ball beside the place that they are asked about."""

from dataclasses import replace

import numpy as np
import pytest
from made_findings import made_finding

from nodule.errors import ConfigError, InputError
from nodule.findings import Assessment, Candidate, Finding, ScoredCandidate
from nodule.geometry import Geometry
from nodule.malignancy import MapSaliency, ScoreMalignancy
from nodule.saliency import SaliencyMap
from nodule.volume import Volume

CENTER_LPS_MM = (5.0, -7.0, 120.0)
BALL_LPS_MM = (7.5, -9.5, 122.0)
RADIUS_MM = 5.0
CANDIDATE = Candidate(center_lps_mm=CENTER_LPS_MM, score=0.9, diameter_mm=10.0)
Made = tuple[Volume, tuple[ScoredCandidate, ...], tuple[Finding, ...]]


def away_mm(geometry: Geometry, point_lps_mm: tuple[float, ...]) -> np.ndarray:
    where = geometry.index_to_lps(np.moveaxis(np.indices(geometry.shape_zyx), 0, -1))
    return np.asarray(np.linalg.norm(where - point_lps_mm, axis=-1))


@pytest.fixture(scope="module")
def made() -> Made:
    """Return lung with a ball, what the shipped networks say of it, and the finding."""
    shape = (64, 64, 64)
    geometry = Geometry(
        shape_zyx=shape, spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(-27.0, -39.0, 88.0)
    )
    hu = np.random.default_rng(0).normal(-850, 30, shape).astype(np.float32)
    hu[away_mm(geometry, BALL_LPS_MM) < RADIUS_MM] = 40.0
    volume = Volume(array_zyx=hu, geometry=geometry)
    elsewhere = replace(CANDIDATE, center_lps_mm=(-10.0, 10.0, 100.0))
    scored = ScoreMalignancy().run(volume=volume, candidates=(elsewhere, CANDIDATE))
    (ball,) = [each for each in scored if each.candidate == CANDIDATE]
    assessment = Assessment(
        probability=ball.probability,
        malignancy=ball.malignancy,
        characteristics=ball.characteristics,
    )
    finding = replace(made_finding("N1", BALL_LPS_MM), assessment=assessment)
    return volume, scored, (finding,)


@pytest.fixture(scope="module")
def maps(made: Made) -> dict[str, SaliencyMap]:
    volume, scored, findings = made
    stages = [MapSaliency(answer=answer) for answer in ("malignancy", "nodule")]
    return {
        stage.answer: stage.run(volume=volume, scored=scored, findings=findings)[0]
        for stage in stages
    }


@pytest.mark.parametrize("answer", ["malignancy", "nodule"])
def test_the_heat_lies_on_the_ball_in_patient_coordinates(
    maps: dict[str, SaliencyMap], answer: str
) -> None:
    seen = maps[answer]
    # the middle of the cube that was judged, not of the finding
    np.testing.assert_allclose(
        seen.geometry.index_to_lps((15.5, 15.5, 15.5)), CENTER_LPS_MM, atol=1e-6
    )
    mirrored = tuple(2 * c - b for c, b in zip(CENTER_LPS_MM, BALL_LPS_MM, strict=True))
    ball = away_mm(seen.geometry, BALL_LPS_MM) < RADIUS_MM
    only_mirrored = (away_mm(seen.geometry, mirrored) < RADIUS_MM) & ~ball
    heat = seen.saliency_zyx.astype(float)
    assert heat[ball].mean() > 5 * heat[~ball].mean()
    assert heat[ball].mean() > 2 * heat[only_mirrored].mean()
    assert heat.max() == 1.0


def test_what_is_explained_is_what_is_reported(made: Made, maps: dict[str, SaliencyMap]) -> None:
    _, _, (finding,) = made
    assert maps["malignancy"].checks.score == pytest.approx(
        finding.assessment.malignancy.score, abs=0.02
    )
    # the report's is the geometric mean with the detector's score
    own = finding.assessment.probability**2 / CANDIDATE.score
    assert maps["nodule"].checks.score == pytest.approx(own, abs=0.02)


def test_hiding_what_is_hot_changes_the_answer_more_than_hiding_elsewhere(
    maps: dict[str, SaliencyMap],
) -> None:
    checks = maps["nodule"].checks
    assert checks.change_hottest < -0.4
    assert len(checks.scores_without_elsewhere) == 8
    assert abs(checks.change_elsewhere) < 0.5 * abs(checks.change_hottest)
    rating = maps["malignancy"].checks
    assert abs(rating.change_elsewhere) < 0.5 * abs(rating.change_hottest)


@pytest.mark.parametrize("answer", ["malignancy", "nodule"])
def test_the_map_moves_when_what_was_learnt_is_shuffled(
    maps: dict[str, SaliencyMap], answer: str
) -> None:
    checks = maps[answer].checks
    assert checks.likeness_random_head < 0.97
    # a part of every map is the picture's: the ball fills much of the cube
    assert checks.likeness_random_network < 0.9


def test_explains_nothing_where_nothing_was_found(made: Made) -> None:
    volume, scored, _ = made
    done: list[float] = []
    maps = MapSaliency().run(volume=volume, scored=scored, findings=(), progress=done.append)
    assert maps == ()
    assert done == [1.0]


def test_refuses_a_finding_of_another_scan(made: Made) -> None:
    volume, scored, (finding,) = made
    strange = replace(finding, assessment=replace(finding.assessment, probability=0.123))
    with pytest.raises(InputError, match="UNKNOWN_FINDING"):
        MapSaliency().run(volume=volume, scored=scored, findings=(strange,))


def test_refuses_to_compare_with_nothing() -> None:
    with pytest.raises(ConfigError, match=r"BAD_VALUE: draws.*from 1"):
        MapSaliency(draws=0)
