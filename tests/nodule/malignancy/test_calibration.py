"""Calibrations do their arithmetic, survive their file and know their weights."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nodule.errors import ConfigError, WeightsError
from nodule.malignancy import Calibration, calibration_path, mean_rating, temper, width
from nodule.weights import Weights

KNOWN = Calibration(
    members=("aa", "bb"),
    temperature=0.5,
    slope=2.0,
    intercept=-6.0,
    threshold=0.4,
    width_limit=1.0,
    n_nodules=100,
)
DISTRIBUTION = (0.1, 0.1, 0.2, 0.5, 0.1)


def weights(sha256: str) -> Weights:
    path = Path(f"{sha256}.fold0.safetensors")
    return Weights(
        sha256=sha256, path=path, stage="malignancy", architecture={}, training_patients=()
    )


def test_half_the_temperature_squares_the_shares() -> None:
    squares = np.square(DISTRIBUTION)
    np.testing.assert_allclose(KNOWN.apply(DISTRIBUTION), squares / squares.sum())


def test_temperature_one_changes_nothing() -> None:
    np.testing.assert_allclose(temper(DISTRIBUTION, 1.0), DISTRIBUTION)


def test_a_share_of_nothing_stays_nothing() -> None:
    np.testing.assert_allclose(temper((1, 0, 0, 0, 0), 2.0), (1, 0, 0, 0, 0), atol=1e-5)


def test_suspicion_is_even_at_the_middle_of_the_scale_and_rises() -> None:
    said = KNOWN.suspicion([(0, 0, 1, 0, 0), (0, 0, 0, 1, 0), (0.5, 0, 0, 0, 0.5)])
    np.testing.assert_allclose(said, [0.5, 1 / (1 + np.exp(-2.0)), 0.5])


def test_the_width_of_a_mixture_holds_doubt_and_disagreement() -> None:
    sure = np.array([[1.0, 0, 0, 0, 0], [0, 0, 0, 0, 1.0]])
    np.testing.assert_allclose(width(sure), 0.0)
    # half at 1 and half at 5: each 2 away from the mean
    np.testing.assert_allclose(width(sure.mean(axis=0)), 2.0)
    assert mean_rating(sure).tolist() == [1.0, 5.0]


def test_abstains_beyond_the_limit() -> None:
    assert KNOWN.abstains([(0.5, 0, 0, 0, 0.5), (0, 0, 0.5, 0.5, 0)]).tolist() == [True, False]


def test_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "malignancy.calibration.json"
    KNOWN.write(path)
    assert Calibration.open(path) == KNOWN


def test_lies_beside_its_members_under_their_common_name() -> None:
    path = calibration_path(Path("folder/malignancy.fold3.safetensors"))
    assert path == Path("folder/malignancy.calibration.json")


def test_takes_any_of_its_members_and_no_other() -> None:
    KNOWN.check([weights("bb")])
    with pytest.raises(WeightsError, match=r"FOREIGN_CALIBRATION.*cc\.fold0"):
        KNOWN.check([weights("aa"), weights("cc")])


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"format": "other"}', '{"format": "nodule-calibration-v1", "members": []}'],
)
def test_refuses_a_file_that_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.calibration.json"
    path.write_text(content)
    with pytest.raises(WeightsError, match="BAD_CALIBRATION"):
        Calibration.open(path)


def test_refuses_a_file_of_impossible_values(tmp_path: Path) -> None:
    path = tmp_path / "bad.calibration.json"
    KNOWN.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"temperature": 0.0}))
    with pytest.raises(WeightsError, match="BAD_CALIBRATION"):
        Calibration.open(path)


def test_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="NO_CALIBRATION"):
        Calibration.open(tmp_path / "none.calibration.json")


@pytest.mark.parametrize(
    "wrong",
    [{"slope": 0.0}, {"temperature": -1.0}, {"threshold": 1.1}, {"intercept": float("nan")}],
)
def test_refuses_what_is_no_calibration(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"BAD_VALUE: {next(iter(wrong))}"):
        replace(KNOWN, **wrong)  # type: ignore[arg-type]


def test_the_shipped_one_belongs_to_the_shipped_members() -> None:
    shipped = Calibration.shipped("malignancy")
    members = Weights.shipped_members("malignancy")
    assert set(shipped.members) == {each.sha256 for each in members}


@pytest.mark.parametrize(("limit", "abstains"), [(0.999, True), (1.0, False), (1.001, False)])
def test_abstains_only_beyond_the_limit(limit: float, abstains: bool) -> None:
    """Half at 2 and half at 4: a standard deviation of 1."""
    calibration = replace(KNOWN, width_limit=limit)
    assert bool(calibration.abstains((0, 0.5, 0, 0.5, 0))) == abstains


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"threshold": 0.0}, False),
        ({"threshold": 1.0}, False),
        ({"threshold": -0.001}, True),
        ({"threshold": 1.001}, True),
        ({"temperature": 0.001}, False),
        ({"temperature": 0.0}, True),
        ({"slope": 0.001}, False),
        ({"slope": 0.0}, True),
    ],
)
def test_a_calibration_rises_and_its_threshold_is_a_share(
    change: dict[str, float], refused: bool
) -> None:
    if refused:
        with pytest.raises(ConfigError, match="BAD_VALUE"):
            replace(KNOWN, **change)
    else:
        replace(KNOWN, **change)


def test_a_scale_interpolates_and_holds_at_its_ends() -> None:
    known = replace(KNOWN, scale=((2.0, 1.5), (3.0, 3.0), (4.0, 5.0)))
    at = [(1, 0, 0, 0, 0), (0, 0.5, 0.5, 0, 0), (0, 0, 0, 1, 0), (0, 0, 0, 0, 1)]  # 1, 2.5, 4, 5
    np.testing.assert_allclose(known.rating(at), [1.5, 2.25, 5.0, 5.0])
    np.testing.assert_allclose(KNOWN.rating(at), [1.0, 2.5, 4.0, 5.0])


def test_a_scale_comes_back_from_its_file(tmp_path: Path) -> None:
    known = replace(KNOWN, scale=((2.0, 1.5), (4.0, 5.0)))
    known.write(tmp_path / "malignancy.calibration.json")
    assert Calibration.open(tmp_path / "malignancy.calibration.json") == known


@pytest.mark.parametrize(
    "scale",
    [((3.0, 3.0), (2.0, 4.0)), ((2.0, 2.0), (2.0, 3.0)), ((2.0, 3.0), (3.0, 2.0)), ((2.0, 5.1),)],
)
def test_refuses_a_scale_that_falls_or_leaves_the_ratings(
    scale: tuple[tuple[float, float], ...],
) -> None:
    with pytest.raises(ConfigError, match="BAD_VALUE"):
        replace(KNOWN, scale=scale)
