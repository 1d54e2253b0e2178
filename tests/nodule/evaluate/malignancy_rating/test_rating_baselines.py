"""Plain models are scored on folds that they were not fitted on."""

import numpy as np
import pytest
from predictions import FOUR, PLAIN
from sklearn.linear_model import LogisticRegression

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate.malignancy_rating._calibrated_ratings import calibrated_ratings
from nodule.evaluate.malignancy_rating._rating_baselines import against_baselines, cross_validated


def test_a_fold_is_scored_by_a_model_of_the_others() -> None:
    rng = np.random.default_rng(0)
    value = rng.normal(size=60)
    truth = np.where(value + rng.normal(size=60) > 0, 4.0, 2.0)
    truth[:5] = 3.0
    fold = np.arange(60) % 3
    found = cross_validated(value, truth, fold)
    fitted = (fold != 1) & (truth != 3.0)
    mean, deviation = value[fold != 1][truth[fold != 1] != 3].mean(), value[fitted].std()
    model = LogisticRegression().fit((value[fitted, None] - mean) / deviation, truth[fitted] > 3)
    expected = model.decision_function((value[fold == 1, None] - mean) / deviation)
    np.testing.assert_allclose(found[fold == 1], expected)


def test_a_fold_that_turns_things_round_is_not_fitted_on() -> None:
    value, fold = np.tile([0.0, 1.0], 20), np.repeat([0, 1], 20)
    truth = np.where((value > 0) ^ (fold == 1), 5.0, 1.0)
    found = cross_validated(value, truth, fold)
    # what holds in one fold is wrong in the other
    assert not ((found > 0) == (truth > 3)).any()


def test_differences_are_paired() -> None:
    found = calibrated_ratings(FOUR, lambda each: PLAIN)
    figures = against_baselines(
        found, {"diameter": found.diameter_mm}, bootstrap=BootstrapSettings(draws=20)
    )
    # 8 mm beats 4 but not 9, 20 beats both; the networks have 3 of 4 pairs too
    assert figures["diameter"].auc.value == pytest.approx(3 / 4)
    assert figures["diameter"].auc_beyond.value == pytest.approx(0.0)


def test_a_fold_whose_others_hold_one_class_has_no_score_and_no_baseline() -> None:
    value, fold = np.arange(8.0), np.repeat([0, 1], 4)
    truth = np.array([1.0, 2.0, 4.0, 5.0, 1.0, 1.0, 2.0, 3.0])  # fold 1 is benign
    scores = cross_validated(value, truth, fold)
    assert np.isnan(scores).tolist() == [True] * 4 + [False] * 4
    found = calibrated_ratings(FOUR, lambda each: PLAIN)
    baselines = {"partial": np.array([np.nan, 1.0, 2.0, 3.0, 4.0]), "diameter": found.diameter_mm}
    figures = against_baselines(found, baselines, bootstrap=BootstrapSettings(draws=5))
    assert set(figures) == {"diameter"}
