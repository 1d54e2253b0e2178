"""Which mark hits what."""

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.evaluate.luna16_froc._luna16_matching import match_luna16, match_scan
from nodule.lidc import LunaFinding, LunaMark

ORIGIN = (0.0, 0.0, 0.0)


def test_a_mark_on_the_border_misses() -> None:
    matches = match_scan(
        marks_lps_mm=[(3, 0, 0), (0, 2.999, 0)],
        scores=[0.9, 0.4],
        nodules_lps_mm=[ORIGIN],
        diameters_mm=[6],
    )
    assert matches.nodule_scores.tolist() == [0.4]
    assert matches.false_positive_scores.tolist() == [0.9]


def test_the_best_of_several_hits_counts_and_the_others_are_ignored() -> None:
    matches = match_scan(
        marks_lps_mm=[(1, 0, 0), (0, 1, 0), (0, 0, 1)],
        scores=[0.2, 0.7, 0.5],
        nodules_lps_mm=[ORIGIN],
        diameters_mm=[6],
    )
    assert matches.nodule_scores.tolist() == [0.7]
    assert matches.n_double == 2
    assert len(matches.false_positive_scores) == 0


def test_one_mark_may_hit_two_nodules() -> None:
    matches = match_scan(
        marks_lps_mm=[(2, 0, 0)],
        scores=[0.2],
        nodules_lps_mm=[ORIGIN, (4, 0, 0)],
        diameters_mm=[6, 6],
    )
    assert matches.nodule_scores.tolist() == [0.2, 0.2]


def test_a_mark_on_a_nodule_and_an_excluded_finding_counts_for_the_nodule() -> None:
    matches = match_scan(
        marks_lps_mm=[(1, 0, 0), (9, 0, 0)],
        scores=[0.2, 0.1],
        nodules_lps_mm=[ORIGIN],
        diameters_mm=[6],
        excluded_lps_mm=[(1, 0, 0), (9, 0, 0)],
        excluded_diameters_mm=[10, 2],
    )
    assert matches.nodule_scores.tolist() == [0.2]
    assert matches.n_ignored == 1
    assert len(matches.false_positive_scores) == 0


def test_a_scan_without_marks_misses_its_nodules() -> None:
    matches = match_scan(marks_lps_mm=(), scores=(), nodules_lps_mm=[ORIGIN], diameters_mm=[6])
    assert matches.nodule_scores.tolist() == [-np.inf]
    assert matches.n_marks == 0


def test_of_too_many_marks_those_above_the_next_score_are_kept() -> None:
    scores = [0.9, 0.8, 0.5, 0.5, 0.4]
    far = [(100.0 + 10 * i, 0, 0) for i in range(5)]
    matches = match_scan(
        marks_lps_mm=far, scores=scores, nodules_lps_mm=(), diameters_mm=(), max_marks=3
    )
    # the third mark ties with the fourth, so both go
    assert matches.false_positive_scores.tolist() == [0.9, 0.8]
    assert matches.n_marks == 2


def test_refuses_a_mark_that_is_nowhere() -> None:
    with pytest.raises(InputError) as error:
        match_scan(marks_lps_mm=[(np.nan, 0, 0)], scores=[1], nodules_lps_mm=(), diameters_mm=())
    assert error.value.code == "NOT_FINITE"


def test_marks_count_for_their_own_series_only() -> None:
    finding = LunaFinding(series_uid="1.1", center_lps_mm=ORIGIN, diameter_mm=6.0)
    unmeasured = LunaFinding(series_uid="1.2", center_lps_mm=ORIGIN, diameter_mm=None)
    marks = [
        LunaMark(series_uid=uid, center_lps_mm=(2.5, 0.0, 4.3), probability=0.5)
        for uid in ("1.1", "1.2", "1.3")
    ]
    first, second = match_luna16(
        series_uids=("1.1", "1.2"), annotations=[finding], excluded=[unmeasured], marks=marks
    )
    assert len(first.false_positive_scores) == 1  # 4.97 mm away from a radius of 3
    assert second.n_ignored == 1  # but within the 5 mm of an unmeasured finding
