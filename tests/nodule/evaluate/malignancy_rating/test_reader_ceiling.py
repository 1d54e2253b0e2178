"""The readers' ceiling, pairs of one size and the ends of the scale, counted by hand."""

import numpy as np
import pytest
from predictions import FOUR, PLAIN, prediction

from nodule.evaluate import BootstrapSettings
from nodule.evaluate.malignancy_rating._calibrated_ratings import calibrated_ratings
from nodule.evaluate.malignancy_rating._reader_ceiling import (
    reader_ceiling,
    scale_ends,
    size_matched,
)

DRAWS = BootstrapSettings(draws=20)


def found(*predicted):
    return calibrated_ratings(predicted, lambda _: PLAIN)


def test_readers_who_all_agree_reach_the_top() -> None:
    two = (
        prediction((4, 0, 0, 0, 0), 1, patient="A"),
        prediction((0, 0, 0, 0, 4), 1, patient="B"),
        prediction((0, 0, 0, 0, 3), 1, patient="C"),  # three ratings do not count
    )
    ceiling = reader_ceiling(found(*two), bootstrap=DRAWS)
    assert ceiling is not None
    assert ceiling.reader_auc.value == ceiling.reader_kappa.value == 1.0
    assert ceiling.network_auc.value == 0.5  # both are called 1
    assert ceiling.reader_auc.n == 2


def test_every_way_to_split_four_readers_counts_once() -> None:
    # 1|1|5|5 against itself: of six splits two are 1 against 5 and 5 against 1, four 3 against 3
    torn = prediction((2, 0, 0, 0, 2), 3, patient="A")
    sure = (
        prediction((4, 0, 0, 0, 0), 1, patient="B"),
        prediction((0, 0, 0, 0, 4), 5, patient="C"),
    )
    ceiling = reader_ceiling(found(torn, *sure), bootstrap=DRAWS)
    # at 3 against 3 the torn one has no class: AUC 1; at 1 against 5 and 5 against 1 it is half
    # right, tied with the sure one of its rating
    assert ceiling.reader_auc.value == pytest.approx((4 * 1.0 + 2 * 0.75) / 6)


def test_what_two_of_two_against_two_readers_say_more_the_others_say_less() -> None:
    # of each nodule's readers two say 1 and two say 5
    torn = [prediction((2, 0, 0, 0, 2), 3, patient=f"P{number}") for number in range(300)]
    ceiling = reader_ceiling(found(*torn), bootstrap=DRAWS)
    # x is 1 or 5 in a sixth of the pairs each, else 3, and the others' mean is 6 - x: the squared
    # difference is 16/3 on average, 8/3 if they were independent, so kappa is 1 - 2
    assert ceiling.reader_kappa.value == pytest.approx(-1.0, abs=0.05)
    assert ceiling.reader_auc.value == 0.0


def test_without_four_ratings_there_is_no_ceiling() -> None:
    three = prediction((3, 0, 0, 0, 0), 1, patient="A")
    assert reader_ceiling(found(three), bootstrap=DRAWS) is None


def test_only_pairs_of_one_size_are_compared() -> None:
    some = (
        prediction((4, 0, 0, 0, 0), 2, patient="A", diameter_mm=10.0),
        prediction((4, 0, 0, 0, 0), 5, patient="B", diameter_mm=20.0),  # nothing is so large
        prediction((0, 0, 0, 0, 4), 4, patient="C", diameter_mm=10.9),
        prediction((0, 0, 0, 0, 4), 1, patient="D", diameter_mm=11.1),  # more than 10 % larger
    )
    matched = size_matched(found(*some), bootstrap=DRAWS)
    assert matched.n_pairs == 1
    assert matched.auc.value == matched.diameter_auc.value == 1.0


def test_the_ends_of_the_scale_are_those_of_the_readers() -> None:
    ends = scale_ends(found(*FOUR), bootstrap=DRAWS)
    assert (ends.of_high.n, ends.of_low.n) == (1, 1)
    at = 0.84 * np.array([1, 5]) + 0.04 * (15 - np.array([1, 5]))
    assert [ends.of_low.value, ends.of_high.value] == pytest.approx(at.tolist())
    assert ends.split_abstained is None  # no nodule of these is in dispute


def test_a_dispute_is_a_rating_below_3_and_one_above() -> None:
    disputed = prediction((0, 1, 1, 1, 0), 3, patient="A")
    ends = scale_ends(found(disputed, *FOUR), bootstrap=DRAWS)
    assert (ends.split_abstained.value, ends.split_abstained.n) == (0.0, 1)
