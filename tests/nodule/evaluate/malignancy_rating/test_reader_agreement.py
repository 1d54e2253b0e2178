"""Figures of malignancy agree with arithmetic by hand and are blind to order."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from predictions import FOUR, PLAIN, peaked, prediction
from sklearn.metrics import cohen_kappa_score

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate.malignancy_rating._agreement_figures import SurroundingsFigures
from nodule.evaluate.malignancy_rating._calibrated_ratings import (
    CalibratedRatings,
    calibrated_ratings,
)
from nodule.evaluate.malignancy_rating._crop_predictions import SurroundingsPrediction
from nodule.evaluate.malignancy_rating._rating_scale import calibration_error
from nodule.evaluate.malignancy_rating._reader_agreement import (
    context_shift,
    core_agreement,
    reader_agreement,
    sensitivity_at_specificity,
    surroundings,
)

FEW, SOME = BootstrapSettings(draws=5), BootstrapSettings(draws=20)


@pytest.fixture
def found() -> CalibratedRatings:
    return calibrated_ratings(FOUR, lambda each: PLAIN)


def test_the_shared_calibration_vector(shared: Path) -> None:
    vector = json.loads((shared / "clinical/vectors/calibration_vector.json").read_text())
    probability = np.array(vector["p"])
    votes = [(0, 0, 0, 0, 1) if suspicious else (1, 0, 0, 0, 0) for suspicious in vector["y"]]
    distribution = np.pad(probability[:, None], ((0, 0), (4, 0)))
    distribution[:, 0] = 1.0 - probability
    found = CalibratedRatings(
        predicted=tuple(
            prediction(each, 3, patient=str(number)) for number, each in enumerate(votes)
        ),
        votes=np.array(votes),
        raw=distribution,
        distribution=distribution,
        suspicion=probability,
        score=1.0 + 4.0 * probability,
        called=probability >= 0.5,
        abstained=np.zeros(len(votes), bool),
    )
    figures = reader_agreement(found, bootstrap=FEW)
    for name, reference in {
        "auc": vector["auc"],
        "brier": vector["brier"],
        "brier_before": vector["brier"],
        "sensitivity": vector["sens_at_0_5"],
        "specificity": vector["spec_at_0_5"],
    }.items():
        assert getattr(figures, name).value == pytest.approx(reference)
    error = calibration_error(vector["p"], vector["y"], bins=5)
    assert error == pytest.approx(vector["ece_5_equal_width"])


def test_auc_counts_the_pairs_in_order_and_drops_the_mean_of_three(
    found: CalibratedRatings,
) -> None:
    figures = reader_agreement(found, bootstrap=SOME)
    # malignant C D (said 2, 5) against benign A B (said 1, 4): C beats A, D beats both
    assert figures.auc.value == pytest.approx(3 / 4)
    assert figures.auc.low <= 3 / 4 <= figures.auc.high
    assert core_agreement(found, bootstrap=FEW).auc.value == pytest.approx(3 / 4)


def test_sensitivity_and_specificity_are_those_of_the_threshold(found: CalibratedRatings) -> None:
    figures = reader_agreement(found, bootstrap=SOME)
    # called: B (benign) and D (malignant) of two each
    assert figures.sensitivity.value == pytest.approx(1 / 2)
    assert figures.specificity.value == pytest.approx(1 / 2)


def test_brier_and_calibration_error_before_and_after(found: CalibratedRatings) -> None:
    figures = reader_agreement(found, bootstrap=SOME)
    label = np.array([0, 0, 1, 1])
    after = found.suspicion[:4]
    before = np.array([0.08, 0.88, 0.08, 0.88]) / 0.96
    assert figures.brier.value == pytest.approx(np.mean((after - label) ** 2))
    assert figures.brier_before.value == pytest.approx(np.mean((before - label) ** 2))
    # one bin below 0.2 with A and C, one from 0.8 with B and D, half malignant each
    gap = (abs(before[[0, 2]].sum() - 1) + abs(before[[1, 3]].sum() - 1)) / 4
    assert figures.ece_before.value == pytest.approx(gap)


def test_votes_are_compared_with_the_chance_of_a_vote_above_three() -> None:
    # said 0.88 above 3 where two of four readers voted so, and 0.08 where none of two did
    two = (
        prediction((0, 2, 0, 2, 0), 4, patient="A"),
        prediction((2, 0, 0, 0, 0), 1, patient="B"),
    )
    figures = reader_agreement(
        calibrated_ratings(two, lambda each: PLAIN), bootstrap=BootstrapSettings(draws=5)
    )
    error = (4 * abs(0.88 - 0.5) + 2 * 0.08) / 6
    assert figures.ece_votes.value == pytest.approx(error, abs=1e-6)


def test_ratings_are_compared_after_rounding_half_up(found: CalibratedRatings) -> None:
    figures = reader_agreement(found, bootstrap=FEW)
    # the readers' 1, 2.5, 4, 5, 3 against 1.4, 3.8, 2.2, 4.6, 3: levels 1 3 4 5 3, 1 4 2 5 3
    assert figures.exact.value == pytest.approx(3 / 5)
    assert figures.within_one.value == pytest.approx(4 / 5)
    kappa = cohen_kappa_score(
        [1, 3, 4, 5, 3], [1, 4, 2, 5, 3], labels=[1, 2, 3, 4, 5], weights="quadratic"
    )
    assert figures.quadratic_weighted_kappa.value == pytest.approx(kappa)


def test_the_reader_ceiling_is_of_the_same_nodules(found: CalibratedRatings) -> None:
    figures = reader_agreement(found, bootstrap=SOME)
    # all agree but B's four: each 2 meets (2+3+3)/3, each 3 meets (2+2+3)/3, rounded 3 and 2
    own = [1] * 4 + [2, 2, 3, 3] + [4] * 4 + [5] * 4 + [3] * 4
    others = [1] * 4 + [3, 3, 2, 2] + [4] * 4 + [5] * 4 + [3] * 4
    kappa = cohen_kappa_score(own, others, weights="quadratic")
    reader = figures.reader_quadratic_weighted_kappa
    assert reader.value == pytest.approx(kappa)
    assert reader.low <= reader.value <= reader.high
    gap = figures.quadratic_weighted_kappa.value - kappa
    assert figures.kappa_beyond_reader.value == pytest.approx(gap)


def test_nodules_abstained_from_have_figures_of_their_own() -> None:
    shy = replace(PLAIN, width_limit=0.1)
    found = calibrated_ratings(FOUR, lambda each: shy if each.record.patient_id in "BC" else PLAIN)
    figures = reader_agreement(found, bootstrap=SOME)
    assert figures.abstained.value == pytest.approx(2 / 5)
    # A is 0.4 off and D 0.4, E 0; B is 1.3 off and C 1.8
    assert figures.of_rated.mae.value == pytest.approx(0.8 / 3)
    assert figures.of_abstained.mae.value == pytest.approx(3.1 / 2)
    assert figures.of_rated.auc.value == 1.0
    # of A and D and E the last has no class
    assert (figures.of_rated.mae.n, figures.of_rated.auc.n) == (3, 2)


def test_what_is_undefined_is_none() -> None:
    benign = calibrated_ratings(FOUR[:2], lambda each: PLAIN)
    assert core_agreement(benign, bootstrap=FEW).auc is None


def test_what_the_surroundings_change_is_measured_where_both_views_exist() -> None:
    shown = [
        prediction((4, 0, 0, 0, 0), 1, patient="A", by_kind={"stack": 1, "crop51": 2}),
        prediction((4, 0, 0, 0, 0), 1, patient="B", by_kind={"stack": 4, "crop51": 2, "voi": 5}),
        prediction((4, 0, 0, 0, 0), 1, patient="C", by_kind={"stack": 2}),
    ]
    said = {rating: float(np.dot(peaked(rating), [1, 2, 3, 4, 5])) for rating in (1, 2, 4)}
    figures = context_shift(shown, bootstrap=SOME)
    up, down = said[2] - said[1], said[2] - said[4]
    assert figures.shift.value == pytest.approx((up + down) / 2)
    assert figures.deviation.value == pytest.approx((up - down) / 2)
    assert figures.shift.n == 2
    assert context_shift(FOUR, bootstrap=BootstrapSettings()) is None


def test_readers_who_agree_have_kappa_one() -> None:
    agreed = [
        prediction((4, 0, 0, 0, 0), 1, patient="A"),
        prediction((0, 0, 0, 0, 3), 1, patient="B"),
        prediction((1, 0, 0, 0, 0), 1, patient="C"),
    ]
    figures = reader_agreement(
        calibrated_ratings(agreed, lambda each: PLAIN), bootstrap=BootstrapSettings(draws=20)
    )
    assert figures.reader_quadratic_weighted_kappa.value == pytest.approx(1.0)


def test_sensitivity_is_read_at_the_specificity() -> None:
    probability = np.array([0.1, 0.2, 0.3, 0.4, 0.8, 0.3, 0.6, 0.9])
    label = np.array([0, 0, 0, 0, 0, 1, 1, 1], dtype=bool)
    # above 0.4 one of five negatives and two of three positives
    assert sensitivity_at_specificity(probability, label) == pytest.approx(2 / 3)


def test_false_places_below_nearly_all_nodules_are_removed() -> None:
    seen = SurroundingsPrediction(
        patients=("A", "A", "B", "B"),
        is_nodule=np.array([True, False, True, False]),
        probability=np.array([0.9, 0.2, 0.5, 0.7], np.float32),
    )
    figures = surroundings(seen, bootstrap=SOME)
    assert figures.nodule_auc.value == pytest.approx(3 / 4)
    assert figures.false_removed_at_98_kept.value == pytest.approx(1 / 2)


def test_no_deep_view_gives_no_figure() -> None:
    none = SurroundingsPrediction(
        patients=(), is_nodule=np.zeros(0, np.bool_), probability=np.zeros(0, np.float32)
    )
    assert surroundings(none, bootstrap=BootstrapSettings()) == SurroundingsFigures(
        n_deep_views=0, n_other_places=0
    )
