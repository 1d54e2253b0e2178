"""Detections on scans whose nodules and scores are chosen by hand."""

import pytest

from nodule.evaluate.nodule_detection._nodule_location import Location
from nodule.evaluate.nodule_detection._read_scans import ReadScan
from nodule.evaluate.nodule_detection._scan_detections import (
    ScanResult,
    match_detections,
    poisson_rate,
)
from nodule.findings import Candidate
from nodule.training import Annotation
from nodule.training._annotated_scan import AnnotationKind


def marked(x_mm: float, diameter_mm: float, readers: int) -> Annotation:
    kind: AnnotationKind = "outlined" if readers else "small"
    return Annotation(
        kind=kind, center_lps_mm=(x_mm, 0.0, 0.0), measured_mm=diameter_mm, readers=readers
    )


def mark(x_mm: float, score: float) -> Candidate:
    return Candidate(center_lps_mm=(x_mm, 0.0, 0.0), score=score, diameter_mm=5.0)


def scan(*annotations: Annotation) -> ReadScan:
    return ReadScan(name="CASE", series_uid="1.2.3", annotations=annotations)


def judged(read: ReadScan, *marks: Candidate) -> ScanResult:
    return match_detections(read, marks, locations=[Location(side="left")] * len(read.outlined))


def test_only_what_three_readers_outlined_from_3_mm_must_be_found():
    read = scan(marked(0, 3.0, 3), marked(20, 9.0, 2), marked(40, 2.9, 4))
    assert [each.center_lps_mm[0] for each in read.nodules] == [0]
    assert [each.center_lps_mm[0] for each in read.ignored] == [20, 40]


def test_tells_rank_and_distance_of_each_nodule():
    read = scan(marked(0, 6.0, 4), marked(50, 6.0, 1), marked(90, 6.0, 3))
    marks = (mark(200, 0.9), mark(2, 0.8), mark(53, 0.7), mark(51, 0.6))
    found = judged(read, *marks).found
    assert [(each.rank, each.score, each.distance_mm) for each in found] == [
        (2, 0.8, 2.0),
        (4, 0.6, 1.0),  # the mark 3.0 mm off a 6 mm nodule misses it
        (None, None, 37.0),
    ]


def test_marks_on_what_is_ignored_are_no_false_positives():
    read = scan(marked(0, 6.0, 1), marked(50, 10.0, 0))
    result = judged(read, mark(1, 0.9), mark(54, 0.8), mark(70, 0.3))
    assert result.matches.false_positive_scores.tolist() == [0.3]
    assert result.matches.n_ignored == 2


def test_a_scan_without_marks_misses_everything():
    (found,) = judged(scan(marked(0, 6.0, 4))).found
    assert (found.rank, found.distance_mm) == (None, None)
    assert found.location.side == "left"


@pytest.mark.parametrize(
    ("count", "scans", "interval"),
    [
        # tables of Poisson limits, e.g. Garwood 1936: 0 to 3.689; 1.623 to 11.668 of 5
        (0, 1, (0.0, 3.689)),
        (5, 1, (1.623, 11.668)),
        (5, 2, (0.8117, 5.834)),
    ],
)
def test_rates_come_with_their_exact_interval(count, scans, interval):
    rate = poisson_rate(count, scans=scans)
    assert (rate.value, rate.n) == (count / scans, scans)
    assert (rate.low, rate.high) == pytest.approx(interval, abs=1e-3)
