"""Peaks, their suppression in mm and the list's length, against arithmetic by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.candidates import Peak, find_peaks, suppress

EVERYWHERE = np.ones((8, 8, 8), bool)


def cold() -> NDArray[np.float32]:
    answers = np.zeros((5, 8, 8, 8), np.float32)
    answers[0] = -10.0
    return answers


def peak(x: float, *, score: float = 0.5, diameter_mm: float = 6.0) -> Peak:
    return Peak(center_zyx=(0.0, 0.0, x), score=score, diameter_mm=diameter_mm)


def test_a_peak_lies_where_its_cell_points_and_has_the_size_that_it_says() -> None:
    answers = cold()
    answers[:, 2, 3, 4] = [0.0, np.log(1.5), 0.25, -0.5, 0.0]
    (found,) = find_peaks(answers, wanted=EVERYWHERE, threshold=0.1)
    assert found.center_zyx == pytest.approx((4 * 2.25, 4 * 2.5, 4 * 4.0))
    assert found.score == pytest.approx(0.5)  # the sigmoid of 0
    assert found.diameter_mm == pytest.approx(12.0)  # 8 mm times 1.5


def test_the_slope_of_a_peak_is_no_peak() -> None:
    answers = cold()
    answers[0, 4, 4, 4] = 2.0
    answers[0, 4, 4, 5] = 1.0
    answers[0, 3, 3, 3] = 1.5
    assert len(find_peaks(answers, wanted=EVERYWHERE, threshold=0.1)) == 1


def test_peaks_come_hottest_first() -> None:
    answers = cold()
    answers[0, 1, 1, 1], answers[0, 6, 6, 6], answers[0, 1, 6, 1] = 0.0, 2.0, 1.0
    scores = [p.score for p in find_peaks(answers, wanted=EVERYWHERE, threshold=0.1)]
    assert scores == pytest.approx([0.8808, 0.7311, 0.5], abs=1e-4)


def test_peaks_below_the_threshold_or_where_none_is_wanted_are_left_out() -> None:
    answers = cold()
    answers[0, 1, 1, 1], answers[0, 6, 6, 6] = 0.0, 2.0
    elsewhere = EVERYWHERE.copy()
    elsewhere[6, 6, 6] = False
    assert len(find_peaks(answers, wanted=EVERYWHERE, threshold=0.6)) == 1
    (found,) = find_peaks(answers, wanted=elsewhere, threshold=0.1)
    assert found.score == pytest.approx(0.5)


def test_a_peak_at_the_border_counts() -> None:
    answers = cold()
    answers[0, 0, 7, 0] = 1.0
    assert len(find_peaks(answers, wanted=EVERYWHERE, threshold=0.1)) == 1


def test_suppression_keeps_marks_a_distance_apart() -> None:
    kept = suppress([peak(0.0), peak(4.9), peak(5.1)], apart_mm=5.0, limit=10)
    assert [p.center_zyx[2] for p in kept] == [0.0, 5.1]


def test_a_mark_inside_a_larger_hotter_one_is_dropped() -> None:
    kept = suppress([peak(0.0, diameter_mm=24.0), peak(11.9), peak(12.1)], apart_mm=5.0, limit=10)
    assert [p.center_zyx[2] for p in kept] == [0.0, 12.1]


def test_a_dropped_mark_drops_no_other() -> None:
    kept = suppress([peak(0.0), peak(4.0), peak(8.0)], apart_mm=5.0, limit=10)
    assert [p.center_zyx[2] for p in kept] == [0.0, 8.0]


def test_the_list_ends_at_its_limit() -> None:
    far = [peak(20.0 * i, score=1 - i / 200) for i in range(150)]
    assert suppress(far, apart_mm=5.0, limit=100) == far[:100]


@pytest.mark.parametrize(("threshold", "count"), [(0.499, 1), (0.5, 1), (0.501, 0)])
def test_a_peak_at_the_threshold_counts(threshold: float, count: int) -> None:
    answers = cold()
    answers[0, 4, 4, 4] = 0.0  # a score of one half
    assert len(find_peaks(answers, wanted=EVERYWHERE, threshold=threshold)) == count


@pytest.mark.parametrize(("x", "count"), [(4.99, 1), (5.0, 2), (5.01, 2)])
def test_marks_just_as_far_apart_as_asked_both_stay(x: float, count: int) -> None:
    assert len(suppress([peak(0.0), peak(x)], apart_mm=5.0, limit=10)) == count


@pytest.mark.parametrize(("x", "count"), [(11.99, 1), (12.0, 2), (12.01, 2)])
def test_a_mark_on_the_surface_of_a_hotter_one_stays(x: float, count: int) -> None:
    marks = [peak(0.0, diameter_mm=24.0), peak(x)]
    assert len(suppress(marks, apart_mm=5.0, limit=10)) == count
