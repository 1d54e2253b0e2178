"""FROC and CPM against LUNA16's own evaluation."""

import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate.luna16_froc._froc import FP_RATES, bootstrap_froc, froc
from nodule.evaluate.luna16_froc._luna16_matching import ScanMatches, match_luna16, match_scan
from nodule.lidc import read_findings, read_series_uids, read_submission


def scan(nodule_scores: list[float], false_positive_scores: list[float]) -> ScanMatches:
    return ScanMatches(
        nodule_scores=np.array(nodule_scores, float),
        false_positive_scores=np.array(false_positive_scores, float),
        n_marks=0,
        n_ignored=0,
        n_double=0,
    )


def test_counts_every_scan_and_every_nodule() -> None:
    # thresholds .9, .8, .7, .6: hits 1, 1, 2, 2 of 3; false 0, 1, 1, 2 on 4 scans
    scans = [scan([0.9, -np.inf], [0.8]), scan([0.7], []), scan([], [0.6]), scan([], [])]
    curve = froc(scans, fp_rates=(0.0, 0.125, 0.25, 0.5, 8.0))
    np.testing.assert_allclose(curve.fp_per_scan, [0, 0, 0.25, 0.25, 0.5])
    np.testing.assert_allclose(curve.sensitivity, np.array([0, 1, 1, 2, 2]) / 3)
    np.testing.assert_allclose(curve.sensitivities, np.array([1, 1, 2, 2, 2]) / 3)
    assert (curve.true_positives, curve.false_negatives, curve.false_positives) == (2, 1, 2)


def test_equal_scores_pass_the_threshold_together() -> None:
    curve = froc([scan([0.5], [0.5, 0.5])], fp_rates=(1.0,))
    np.testing.assert_allclose(curve.fp_per_scan, [0, 2])
    np.testing.assert_allclose(curve.sensitivities, [0.5])


@pytest.mark.parametrize(
    ("scans", "expected"),
    [([scan([0.4], [])], 1.0), ([scan([-np.inf], [0.3])], 0.0), ([scan([-np.inf], [])], 0.0)],
)
def test_holds_without_false_positives_or_without_hits(
    scans: list[ScanMatches], expected: float
) -> None:
    assert froc(scans).cpm == expected


def test_refuses_scans_without_any_nodule() -> None:
    with pytest.raises(InputError) as error:
        froc([scan([], [0.5])])
    assert error.value.code == "NO_NODULES"


def test_a_detector_that_finds_all_has_no_spread() -> None:
    scans = [scan([0.9], []), scan([0.8], []), scan([], [0.1])]
    band = bootstrap_froc(scans, bootstrap=BootstrapSettings(draws=50))
    assert band.low.tolist() == band.high.tolist() == [1.0] * 7
    assert band.cpm == (1.0, 1.0)


def test_the_toy_vector(shared: Path) -> None:
    toy = json.loads((shared / "clinical/vectors/froc_toy.json").read_text())
    scans = []
    for name in toy["nodules"]:
        nodules = np.reshape(toy["nodules"][name], (-1, 4))
        excluded = np.reshape(toy["excluded"][name], (-1, 4))
        marks = np.reshape(toy["candidates"][name], (-1, 4))
        matches = match_scan(
            marks_lps_mm=marks[:, :3],
            scores=marks[:, 3],
            nodules_lps_mm=nodules[:, :3],
            diameters_mm=nodules[:, 3],
            excluded_lps_mm=excluded[:, :3],
            excluded_diameters_mm=np.where(excluded[:, 3] < 0, 10.0, excluded[:, 3]),
        )
        scans.append(matches)
    curve, expected = froc(scans), toy["expected"]
    assert curve.true_positives == expected["true_positives"]
    assert curve.false_negatives == expected["false_negatives"]
    assert curve.false_positives == expected["false_positives"]
    np.testing.assert_allclose(curve.sensitivities, list(expected["sensitivity_at"].values()))
    assert curve.cpm == pytest.approx(expected["cpm"], abs=1e-9)


@pytest.fixture(scope="module")
def reference_scans(shared: Path) -> dict[str, ScanMatches]:
    """Return the official evaluation's marks of subset 9, by the series their scores belong to."""
    series = {
        f"{mark.probability:.9f}": mark.series_uid
        for mark in read_submission(shared / "froc/submission_subset9.csv")
    }
    uids = read_series_uids(shared / "froc/seriesuids_subset9.csv")
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    with (shared / "froc/reference_marks.csv").open() as stream:
        for label, score in csv.reader(stream):
            missed = float(score) < -1e8
            # the one missed nodule has no score; any scan can hold it
            uid = uids[0] if missed else series[score]
            scores[uid, label].append(-np.inf if missed else float(score))
    return {uid: scan(scores[uid, "1"], scores[uid, "0"]) for uid in uids}


def test_the_official_sensitivities(reference_scans: dict[str, ScanMatches]) -> None:
    curve = froc(list(reference_scans.values()))
    assert (curve.true_positives, curve.false_negatives, curve.false_positives) == (104, 1, 986)
    # what the official script printed, to the digits that it is quoted with
    printed = [0.7619, 0.8762, 0.8952, 0.9238, 0.9333, 0.9810, 0.9905]
    np.testing.assert_allclose(curve.sensitivities, printed, atol=5e-5)
    # and as counts of 105 nodules
    counted = np.array([80, 92, 94, 97, 98, 103, 104]) / 105
    np.testing.assert_allclose(curve.sensitivities, counted, atol=1e-6)
    assert curve.cpm == pytest.approx(0.90884, abs=5e-6)


def test_the_official_interval_within_its_noise(
    shared: Path, reference_scans: dict[str, ScanMatches]
) -> None:
    with (shared / "froc/reference_bootstrap.csv").open() as stream:
        rows = [[float(cell) for cell in row.values()] for row in csv.DictReader(stream)]
    reference = np.array(rows)
    nearest = np.abs(reference[:, :1] - np.array(FP_RATES)).argmin(axis=0)
    _, mean, lower, upper = reference[nearest].T
    band = bootstrap_froc(list(reference_scans.values()), bootstrap=BootstrapSettings(seed=1))
    # one draw of 1000 against another: about 0.01 in the tails
    np.testing.assert_allclose(band.mean, mean, atol=0.01)
    np.testing.assert_allclose(band.low, lower, atol=0.025)
    np.testing.assert_allclose(band.high, upper, atol=0.025)


def test_hits_and_false_positives_are_the_official_ones_scan_by_scan(
    shared: Path, reference_scans: dict[str, ScanMatches]
) -> None:
    tables = shared / "data/annotations"
    known = set(read_series_uids(tables / "luna16_seriesuids.csv"))
    uids = [uid for uid in reference_scans if uid in known]
    matches = match_luna16(
        series_uids=uids,
        annotations=read_findings(tables / "luna16_annotations.csv"),
        excluded=read_findings(tables / "luna16_annotations_excluded.csv"),
        marks=read_submission(shared / "froc/submission_subset9.csv"),
    )
    assert len(uids) == 65  # the other 23 scans' annotations are kept apart
    for uid, found in zip(uids, matches, strict=True):
        reference = reference_scans[uid]
        for ours, theirs in (
            (found.nodule_scores, reference.nodule_scores),
            (found.false_positive_scores, reference.false_positive_scores),
        ):
            np.testing.assert_allclose(
                np.sort(ours[np.isfinite(ours)]), np.sort(theirs[np.isfinite(theirs)]), atol=1e-9
            )
