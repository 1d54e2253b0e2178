"""Rating agreement against arithmetic and the shared vectors."""

import json
import math
from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.evaluate.malignancy_rating._rating_scale import (
    ClassCounts,
    calibration_error,
    rating_agreement,
    readers_mean,
    suspicion_of,
    suspicious,
)


def test_the_shared_kappa_vectors(shared: Path) -> None:
    vectors = json.loads((shared / "clinical/vectors/weighted_kappa_vectors.json").read_text())
    for vector in vectors:
        found = rating_agreement(vector["a"], vector["b"])
        assert found.quadratic_kappa == pytest.approx(vector["quadratic"], abs=1e-9)
        assert found.exact == pytest.approx(vector["exact"])
        assert found.within_one == pytest.approx(vector["within1"])
        assert found.mean_absolute_error == pytest.approx(vector["mae"])


@pytest.mark.parametrize(
    ("scores", "ratings", "kappa"),
    [
        ([1, 1, 5, 5], [1, 5, 1, 5], 0.0),  # independent
        ([1, 5], [5, 1], -1.0),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], 1.0),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 4], 1 - 1 / 17),  # 1 observed; 85 / 5 by chance
    ],
)
def test_quadratic_kappa_by_hand(scores: list[int], ratings: list[int], kappa: float) -> None:
    """Cohen 1968: one less squared distances observed over those expected by chance."""
    assert rating_agreement(scores, ratings).quadratic_kappa == pytest.approx(kappa)


def test_levels_are_rounded_and_errors_are_not() -> None:
    found = rating_agreement([1.5, 3.4, 4.9], [2, 3, 4])
    assert found.exact == pytest.approx(2 / 3)
    assert found.within_one == 1.0
    assert found.mean_absolute_error == pytest.approx((0.5 + 0.4 + 0.9) / 3)


def test_kappa_of_one_single_value_is_undefined() -> None:
    assert math.isnan(rating_agreement([3, 3], [3, 3]).quadratic_kappa)


def test_a_mean_of_three_has_no_class() -> None:
    has_class, is_suspicious = suspicious([2.9, 3.0, 3.25])
    assert has_class.tolist() == [True, False, True]
    assert is_suspicious.tolist() == [False, False, True]


def test_perfect_and_reversed_confidence_bound_the_calibration_error() -> None:
    assert calibration_error([0.0, 1.0], [0, 1]) == 0.0
    assert calibration_error([1.0, 0.0], [0, 1]) == 1.0


@pytest.mark.parametrize(
    ("scores", "ratings", "code"),
    [([], [], "NO_CASES"), ([1.0], [1.0, 2.0], "SHAPE_MISMATCH"), ([0.0], [1.0], "OFF_SCALE")],
)
def test_refuses_ratings_that_cannot_be_compared(
    scores: list[float], ratings: list[float], code: str
) -> None:
    with pytest.raises(InputError) as error:
        rating_agreement(scores, ratings)
    assert error.value.code == code


def test_a_readers_mean_of_3_is_exactly_3() -> None:
    # shares of a sixth, weighted and added, would come to 2.9999999999999996
    assert readers_mean([[0, 1, 4, 1, 0], [1, 0, 0, 0, 1], [0, 0, 0, 1, 1]]).tolist() == [3, 3, 4.5]


def test_suspicion_leaves_the_indeterminate_rating_out() -> None:
    assert suspicion_of([[0.1, 0.2, 0.6, 0.0, 0.1]]) == pytest.approx([0.1 / 0.4])


def test_classes_are_counted_with_their_patients() -> None:
    votes = [
        (3, 0, 0, 0, 0),  # mean 1
        (0, 1, 3, 0, 0),  # 2.75
        (0, 1, 0, 1, 0),  # 3
        (0, 0, 3, 1, 0),  # 3.25
        (0, 0, 0, 0, 1),  # 5, by one reader
        (0, 0, 0, 2, 0),  # 4
    ]
    counts = ClassCounts.of(votes, ["A", "A", "B", "C", "D", "D"])
    assert (counts.n, counts.n_patients, counts.n_rated_by_several) == (6, 4, 5)
    assert (counts.n_benign, counts.n_malignant, counts.n_dropped_at_3) == (2, 3, 1)
    assert counts.n_classed == 5
