"""Judgements are read by the calibration chosen for each."""

from dataclasses import replace

import numpy as np
import pytest
from predictions import FOUR, PLAIN, peaked, prediction

from nodule.evaluate.malignancy_rating._calibrated_ratings import as_seen_in, calibrated_ratings


def test_reads_readers_and_networks() -> None:
    found = calibrated_ratings(FOUR, lambda each: PLAIN)
    np.testing.assert_allclose(found.truth, [1.0, 2.5, 4.0, 5.0, 3.0])
    first = 0.84 * 1 + 0.04 * (2 + 3 + 4 + 5)
    assert found.score[0] == pytest.approx(first)
    assert found.suspicion[0] == pytest.approx(1 / (1 + np.exp(2.9 - first)))
    assert found.called.tolist() == [False, True, False, True, True]


def test_suspicion_before_calibration_leaves_the_middle_rating_out() -> None:
    assert calibrated_ratings(FOUR, lambda each: PLAIN).raw_suspicion[0] == pytest.approx(
        0.08 / 0.96
    )


def test_members_are_calibrated_before_they_are_averaged() -> None:
    squaring = replace(PLAIN, temperature=0.5)
    two = replace(FOUR[0], distributions=np.stack([peaked(1), peaked(5)]))
    found = calibrated_ratings([two], lambda each: squaring)
    high, low = np.array([0.84, 0.04]) ** 2 / (0.84**2 + 4 * 0.04**2)
    np.testing.assert_allclose(
        found.distribution[0, [0, 2, 4]], [(high + low) / 2, low, high / 2 + low / 2]
    )
    np.testing.assert_allclose(found.raw[0, [0, 2, 4]], [0.44, 0.04, 0.44], atol=1e-6)


def test_each_prediction_gets_its_own_calibration() -> None:
    strict = replace(PLAIN, threshold=0.99, width_limit=0.1)
    found = calibrated_ratings(
        FOUR, lambda each: strict if each.record.patient_id == "D" else PLAIN
    )
    assert found.called.tolist() == [False, True, False, False, True]
    assert found.abstained.tolist() == [False, False, False, True, False]


def test_one_kind_of_view_can_be_read_alone() -> None:
    both = prediction((0, 0, 0, 4, 0), 3, patient="A", by_kind={"stack": 2, "voi": 4})
    (voi,) = as_seen_in([both, FOUR[0]], "voi")
    np.testing.assert_allclose(voi.distributions[0], peaked(4))
    assert as_seen_in([both], "crop51") == ()


def test_takes_some_of_the_nodules() -> None:
    some = calibrated_ratings(FOUR, lambda each: PLAIN).take(np.array([3, 0]))
    assert some.patients == ("D", "A")
    np.testing.assert_allclose(some.truth, [5.0, 1.0])
