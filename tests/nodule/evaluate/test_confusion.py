"""Confusion of classes, by hand."""

import numpy as np
import pytest

from nodule.evaluate._confusion import ConfusionMatrix, kappas, report

TRUTH, GIVEN = np.array([1, 1, 2, 2, 2, 3]), np.array([1, 2, 2, 2, 3, 3])


def test_rows_are_the_true_classes() -> None:
    matrix = ConfusionMatrix.of(TRUTH, GIVEN, labels=(1, 2, 3, 4))
    assert matrix.labels == ("1", "2", "3", "4")
    assert matrix.counts == ((1, 1, 0, 0), (0, 2, 1, 0), (0, 0, 1, 0), (0, 0, 0, 0))
    assert matrix.n == 6


def test_nothing_is_a_matrix_of_zeros() -> None:
    assert ConfusionMatrix.of([], [], labels=("a", "b")).counts == ((0, 0), (0, 0))


def test_scores_are_those_of_each_class_and_their_means() -> None:
    found = report(TRUTH, GIVEN, labels=(1, 2, 3, 4))
    two = found.by_label["2"]
    assert (two.precision, two.recall, two.support) == pytest.approx((2 / 3, 2 / 3, 3))
    assert found.by_label["4"].f1 == 0.0  # undefined
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.macro_average.recall == pytest.approx((1 / 2 + 2 / 3 + 1 + 0) / 4)
    assert found.weighted_average.recall == pytest.approx(4 / 6)
    assert found.macro_average.support == 6


def test_kappa_is_the_agreement_beyond_chance() -> None:
    # 3 and 3 agree, 1 and 1 do not: 0.75 against 0.5 by chance; of two classes weights are alike
    first = ["a"] * 4 + ["b"] * 4
    second = ["a"] * 3 + ["b"] + ["b"] * 3 + ["a"]
    assert kappas(first, second, labels=("a", "b")) == pytest.approx((0.5, 0.5))
    assert kappas(["a"], ["a"], labels=("a", "b")) is None
