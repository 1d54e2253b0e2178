"""Marks on scans whose nodules and scores are laid out by hand."""

import numpy as np
import pytest

from nodule.evaluate.detection.marks import judge_marks, poisson_interval
from nodule.evaluate.detection.scans import Marked, ReadScan, load_read_scan
from nodule.findings import Candidate
from nodule.geometry import Geometry
from nodule.phantom import NodulePlan, PhantomSpec, make_phantom, write_study
from nodule.study import SeriesHeader, Study
from nodule.volume import Volume

GRID = Geometry(shape_zyx=(2, 2, 2), spacing_zyx_mm=(1.0, 1.0, 1.0))
STUDY = Study(
    volume=Volume(array_zyx=np.zeros((2, 2, 2), np.float32), geometry=GRID),
    series=SeriesHeader(source_format="dicom"),
)


def marked(x_mm: float, diameter_mm: float, readers: int) -> Marked:
    return Marked(center_lps_mm=(x_mm, 0.0, 0.0), diameter_mm=diameter_mm, readers=readers)


def mark(x_mm: float, score: float) -> Candidate:
    return Candidate(center_lps_mm=(x_mm, 0.0, 0.0), score=score, diameter_mm=5.0)


def scan(*outlined: Marked, points: tuple[Marked, ...] = ()) -> ReadScan:
    return ReadScan(
        name="CASE", patients=frozenset({"CASE"}), study=STUDY, outlined=outlined, points=points
    )


def test_only_what_three_readers_outlined_from_3_mm_must_be_found():
    read = scan(marked(0, 3.0, 3), marked(20, 9.0, 2), marked(40, 2.9, 4))
    assert [each.center_lps_mm[0] for each in read.nodules] == [0]
    assert [each.center_lps_mm[0] for each in read.ignored] == [20, 40]


def test_tells_rank_and_distance_of_each_nodule():
    read = scan(marked(0, 6.0, 4), marked(50, 6.0, 1), marked(90, 6.0, 3))
    marks = (mark(200, 0.9), mark(2, 0.8), mark(53, 0.7), mark(51, 0.6))
    found = judge_marks(read, marks).found
    assert [(each.rank, each.score, each.distance_mm) for each in found] == [
        (2, 0.8, 2.0),
        (4, 0.6, 1.0),  # the mark 3.0 mm off a 6 mm nodule misses it
        (None, None, 37.0),
    ]


def test_marks_on_what_is_ignored_are_no_false_positives():
    read = scan(marked(0, 6.0, 1), points=(marked(50, 10.0, 0),))
    result = judge_marks(read, (mark(1, 0.9), mark(54, 0.8), mark(70, 0.3)))
    assert result.matches.false_positive_scores.tolist() == [0.3]
    assert result.matches.n_ignored == 2


def test_a_scan_without_marks_misses_everything():
    (found,) = judge_marks(scan(marked(0, 6.0, 4)), ()).found
    assert (found.rank, found.distance_mm) == (None, None)


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
    assert poisson_interval(count, scans=scans) == pytest.approx(interval, abs=1e-3)


def test_reads_a_scan_and_its_readings(tmp_path):
    plan = NodulePlan(diameter_mm=12.0)
    phantom = make_phantom(
        PhantomSpec(
            seed=1, shape_zyx=(60, 120, 150), spacing_zyx_mm=(4.0, 2.4, 2.4), nodules=(plan,)
        )
    )
    write_study(phantom, tmp_path / "CASE-1")
    read = load_read_scan(tmp_path / "CASE-1")
    (nodule,) = read.nodules
    gap_mm = np.linalg.norm(np.subtract(nodule.center_lps_mm, phantom.nodules[0].center_lps_mm))
    assert gap_mm < 2.4
    assert nodule.readers == 4
    assert "CASE-1" in read.patients


def test_finds_in_a_real_scan_what_luna16_lists(shared):
    read = load_read_scan(shared / "data/ct/LIDC-IDRI-0001")
    (nodule,) = read.nodules
    # annotations.csv, LIDC-IDRI-0001
    assert nodule.center_lps_mm == pytest.approx((56.208, 86.343, -115.868), abs=0.5)
    assert nodule.diameter_mm == pytest.approx(23.35, abs=0.5)
    assert read.patients == {"LIDC-IDRI-0001"}
