"""Calibrations find the distortion that was put in, and never see what they are used on."""

from dataclasses import replace

import numpy as np
import pytest
from predictions import prediction

from nodule.errors import InputError
from nodule.evaluate.malignancy_rating._calibrated_ratings import calibrated_ratings
from nodule.evaluate.malignancy_rating._calibration_fit import cross_fit, fit, split
from nodule.evaluate.malignancy_rating._crop_predictions import NodulePrediction
from nodule.evaluate.malignancy_rating._rating_scale import calibration_error
from nodule.malignancy import temper


def honest(count: int, *, flattened: float, seed: int = 0) -> list[NodulePrediction]:
    """Draw four votes of known chances; the network says these, flattened by a temperature."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        rating = rng.uniform(1.0, 5.0)
        chances = np.exp(-np.square(np.arange(1, 6) - rating))
        chances /= chances.sum()
        votes = tuple(rng.multinomial(4, chances).tolist())
        said = temper(chances, flattened).astype(np.float32)[None]
        shell = prediction(votes, 1, patient=f"P{number}", fold=number % 5)
        made.append(replace(shell, distributions=said))
    return made


@pytest.fixture(scope="module")
def known() -> list[NodulePrediction]:
    return honest(600, flattened=3.0)


def test_finds_the_temperature_that_undoes_the_flattening(known: list[NodulePrediction]) -> None:
    found = fit(known, members=["b", "a"])
    assert found.temperature == pytest.approx(1 / 3, rel=0.1)
    assert found.members == ("a", "b")
    assert found.n_nodules == 600


def test_the_suspicion_that_is_learnt_holds_on_other_nodules(known: list[NodulePrediction]) -> None:
    learned = fit(known, members=["a"])
    other = calibrated_ratings(honest(600, flattened=3.0, seed=1), lambda each: learned)
    has_class = other.truth != 3.0
    label = other.truth[has_class] > 3.0
    after = calibration_error(other.suspicion[has_class], label)
    before = calibration_error(other.raw_suspicion[has_class], label)
    assert after < 0.05 < before


def test_a_fifth_of_the_benign_reach_the_threshold_and_a_tenth_is_abstained_from(
    known: list[NodulePrediction],
) -> None:
    learned = fit(known, members=["a"])
    found = calibrated_ratings(known, lambda each: learned)
    assert found.called[found.truth < 3.0].mean() == pytest.approx(0.2, abs=0.01)
    assert found.abstained.mean() == pytest.approx(0.1, abs=0.01)


def test_ratings_get_the_spread_of_the_readers_on_other_nodules(
    known: list[NodulePrediction],
) -> None:
    learned = fit(known, members=["a"])
    others = calibrated_ratings(honest(600, flattened=3.0, seed=1), lambda _: learned)
    assert others.score.std() == pytest.approx(others.truth.std(), rel=0.05)
    assert others.mean_rating.std() < 0.95 * others.truth.std()
    order = np.argsort(others.mean_rating)
    assert (np.diff(others.score[order]) >= 0).all()


def test_patients_kept_for_testing_calibrate_nothing(known: list[NodulePrediction]) -> None:
    record = replace(known[0].record, patient_id="LIDC-IDRI-0003")
    kept = [replace(known[0], record=record), *known[1:]]
    assert fit(kept, members=["a"]) == fit(known[1:], members=["a"])


def test_a_patients_calibration_comes_from_other_folds_alone(known: list[NodulePrediction]) -> None:
    by_patient = cross_fit(known, members=["a"])
    fold_0 = [each for each in known if each.record.fold == 0]
    # whatever fold 0 says, its calibration stays
    scrambled = [replace(each, votes={"malignancy": (0, 0, 0, 0, 4)}) for each in fold_0]
    others = [each for each in known if each.record.fold != 0]
    changed = cross_fit(scrambled + others, members=["a"])
    assert changed["P0"] == by_patient["P0"] == fit(others, members=["a"])
    assert changed["P1"] != by_patient["P1"]
    assert by_patient["P0"].n_nodules == 480


def test_patients_of_a_single_fold_are_split_by_name() -> None:
    alike = [prediction((1, 0, 0, 0, 0), 1, patient=f"P{n}", fold=2) for n in range(50)]
    assert set(split(alike).values()) == {0, 1, 2, 3, 4}
    two = [*alike, prediction((1, 0, 0, 0, 0), 1, patient="Q", fold=3)]
    assert set(split(two).values()) == {2, 3}


def test_refuses_networks_that_rate_the_wrong_way(known: list[NodulePrediction]) -> None:
    turned = [replace(each, votes={"malignancy": each.votes["malignancy"][::-1]}) for each in known]
    with pytest.raises(InputError, match="UNRELATED_RATINGS"):
        fit(turned, members=["a"])


def test_refuses_one_class(known: list[NodulePrediction]) -> None:
    benign = [replace(each, votes={"malignancy": (4, 0, 0, 0, 0)}) for each in known[:10]]
    with pytest.raises(InputError, match="ONE_CLASS"):
        fit(benign, members=["a"])


def test_refuses_nothing() -> None:
    with pytest.raises(InputError, match="NO_CASES"):
        fit([], members=["a"])
