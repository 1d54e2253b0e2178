"""Change over time on phantom pairs and by arithmetic."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made_findings import with_nodule

from nodule.detection import Detection
from nodule.errors import InputError
from nodule.followup import Comparison, compare_exams, days_between
from nodule.guidelines.growth import doubling_time_days
from nodule.nodules import Measurement
from nodule.study import PatientHeader, SeriesHeader
from nodule.volume import LungMask

DAYS = 365  # from 2024-03-01 to 2025-03-01


@pytest.fixture(scope="module")
def found(pair: Any) -> Comparison:
    return compare_exams(current=pair.current, prior=pair.prior)


def test_every_nodule_of_both_scans_is_matched_and_the_others_told(
    pair: Any, found: Comparison
) -> None:
    assert [(c.current.nodule.id, c.prior.nodule.id) for c in found.changes] == [
        ("N1", "N1"),
        ("N2", "N2"),
        ("N3", "N3"),
        ("N4", "N4"),
    ]
    assert max(c.distance_mm for c in found.changes) < 2.5
    assert not any(c.ambiguous for c in found.changes)
    (new,), (resolved,) = found.new, found.resolved
    assert (new.finding.nodule.id, resolved.finding.nodule.id) == ("N5", "N5")
    assert new.covered
    assert resolved.covered
    there = pair.to_prior(np.array(new.finding.nodule.center_lps_mm))
    assert new.place_in_other_lps_mm == pytest.approx(there, abs=2.5)
    assert found.warnings == ()


def test_doubling_times_on_measured_masks_are_within_15_per_cent(
    pair: Any, found: Comparison
) -> None:
    """True volumes by quadrature over each nodule's surface, times the stretch of the grid."""
    assert found.days == DAYS
    grown = []
    for change, (now, then) in zip(found.changes, pair.true_volumes_mm3, strict=True):
        truth = doubling_time_days(then, now, DAYS)
        if truth is not None and now / then > 1.25:
            assert change.doubling_time is not None
            assert change.doubling_time.value == pytest.approx(truth, rel=0.15)
            assert change.doubling_time.low is not None
            assert change.doubling_time.high is not None
            assert change.doubling_time.low < truth < change.doubling_time.high
            grown.append(change.current.nodule.id)
    assert grown == ["N1", "N4"]


def test_changes_have_the_sign_and_class_that_they_were_made_with(found: Comparison) -> None:
    growth = [change.growth for change in found.changes]
    assert growth == [
        "growing, VDT up to 400 days",
        "stable",
        "decreasing",
        "growing, VDT up to 400 days",
    ]
    assert found.changes[2].doubling_time is None
    for change in found.changes:
        now, then = change.current.nodule.measurement, change.prior.nodule.measurement
        assert now is not None
        assert then is not None
        assert change.volume_change_mm3 == pytest.approx(now.volume_mm3 - then.volume_mm3)
        assert change.volume_change is not None
        percent = 100 * change.volume_change_mm3 / then.volume_mm3
        assert change.volume_change.value == pytest.approx(percent)
    assert found.changes[0].diameter_change_mm == pytest.approx(12 * 1.06 ** (1 / 3) - 9, abs=0.4)


def test_swapping_the_studies_swaps_new_and_resolved(pair: Any, found: Comparison) -> None:
    undated = PatientHeader()
    swapped = compare_exams(
        current=replace(pair.prior, patient=undated), prior=replace(pair.current, patient=undated)
    )
    assert [c.prior for c in swapped.changes] == [c.current for c in found.changes]
    assert [c.current for c in swapped.changes] == [c.prior for c in found.changes]
    assert [n.finding for n in swapped.new] == [r.finding for r in found.resolved]
    assert [r.finding for r in swapped.resolved] == [n.finding for n in found.new]


def still_exam(pair: Any, **header: Any) -> Detection:
    exam: Detection = replace(pair.prior, **header)
    return exam


def test_without_a_date_growth_is_judged_and_no_doubling_time(pair: Any, quick: Any) -> None:
    undated = still_exam(pair, patient=PatientHeader())
    found = compare_exams(current=undated, prior=pair.prior, effort=quick)
    assert found.days is None
    assert [w.code for w in found.warnings] == ["NO_INTERVAL"]
    for change in found.changes:
        assert change.growth == "stable"
        assert change.volume_change is not None
        assert change.volume_change.value == 0.0
        assert change.doubling_time is None
        assert any("No doubling time" in note for note in change.notes)


def test_what_was_not_measured_is_matched_and_has_no_change(pair: Any, quick: Any) -> None:
    blind = still_exam(
        pair, findings=tuple(with_nodule(f, measurement=None) for f in pair.prior.findings)
    )
    found = compare_exams(current=blind, prior=pair.prior, effort=quick)
    assert len(found.changes) == 5
    for change in found.changes:
        assert change.growth is None
        assert change.volume_change_mm3 is None
        assert change.notes == ("Not measured in the current study: no change computed.",)


def test_a_place_that_the_other_scan_does_not_show_is_not_covered(pair: Any, quick: Any) -> None:
    lowest = min(pair.prior.findings, key=lambda f: f.nodule.center_lps_mm[2])
    x_mm, y_mm, _ = lowest.nodule.center_lps_mm
    beyond = with_nodule(lowest, center_lps_mm=(x_mm, y_mm, -400.0), measurement=None)
    current = still_exam(pair, findings=(beyond,))
    found = compare_exams(current=current, prior=pair.prior, effort=quick)
    assert [each.covered for each in found.new] == [False]
    assert all(each.covered for each in found.resolved)


def test_says_what_makes_the_studies_hard_to_compare(pair: Any, quick: Any) -> None:
    study = replace(
        pair.prior.study,
        series=SeriesHeader(source_format="dicom", convolution_kernel="B70f", contrast_agent="I"),
    )
    other = still_exam(pair, study=study, patient=replace(pair.prior.patient, patient_id="another"))
    known = still_exam(pair, patient=replace(pair.prior.patient, patient_id="one"))
    found = compare_exams(current=other, prior=known, effort=quick)
    assert [w.code for w in found.warnings] == [
        "NO_INTERVAL",
        "PATIENT_MISMATCH",
        "KERNEL_DIFFERS",
        "CONTRAST_DIFFERS",
    ]
    assert "another" not in " ".join(w.message for w in found.warnings)


def test_warns_of_a_scan_that_ends_within_the_lungs(pair: Any, quick: Any) -> None:
    labels = pair.prior.lungs.labels_zyx
    widest = int(np.count_nonzero(labels, axis=(1, 2)).argmax())
    geometry = replace(
        pair.prior.lungs.geometry, shape_zyx=(widest + 1, *pair.prior.lungs.geometry.shape_zyx[1:])
    )
    cut = still_exam(pair, lungs=LungMask(labels_zyx=labels[: widest + 1], geometry=geometry))
    found = compare_exams(current=pair.prior, prior=cut, effort=quick)
    assert "LUNGS_CUT" in [w.code for w in found.warnings]


@pytest.mark.parametrize(
    ("current", "prior", "days"),
    [
        ("20250301", "20240301", 365),
        ("20240301", "20240228", 2),  # a leap year
        ("20240301", "20240301", 0),
        ("20240301", None, None),
        ("", "20240301", None),
    ],
)
def test_counts_days_between_dicom_dates(
    current: str | None, prior: str | None, days: int | None
) -> None:
    headers = [PatientHeader(study_date=text) for text in (current, prior)]
    assert days_between(current=headers[0], prior=headers[1]) == days


def test_refuses_a_prior_that_is_later_and_dates_that_are_none() -> None:
    early, late = PatientHeader(study_date="20240101"), PatientHeader(study_date="20240401")
    with pytest.raises(InputError, match="PRIOR_IS_LATER"):
        days_between(current=early, prior=late)
    with pytest.raises(InputError, match="BAD_DATE") as refused:
        days_between(current=PatientHeader(study_date="CANARY"), prior=early)
    assert "CANARY" not in str(refused.value)


def test_the_volumes_measured_lie_within_their_stated_errors(pair: Any) -> None:
    for k, (now, then) in enumerate(pair.true_volumes_mm3):
        for exam, truth in ((pair.current, now), (pair.prior, then)):
            measured: Measurement = exam.findings[k].nodule.measurement
            assert measured.volume_mm3 is not None
            assert measured.volume_error_share is not None
            error = abs(math.log(measured.volume_mm3 / truth))
            assert error <= math.log1p(measured.volume_error_share)
