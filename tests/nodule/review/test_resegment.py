"""Masks grown again: a ball of 12 mm, 905 mm³, about LPS (20, 30, -40)."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from nodule.masks import NoduleMask
from nodule.findings import Candidate, Finding, Malignancy, ScoredCandidate
from nodule.measure.stage import Measure
from nodule.report import Provenance, Report, build_report
from nodule.review.apply import apply_review
from nodule.review.resegment import masks_of
from nodule.review.review_file import Review
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask

BALL = (20.0, 30.0, -40.0)
PLAIN_LUNG = (6.0, 16.0, -60.0)
RULES = {"edge_fraction": 0.4, "smoothing_mm": 0.7}


@pytest.fixture
def measured(study: Study, lungs: LungMask) -> tuple[Finding, ...]:
    """The ball, from a point aside that no report prints in full, and a place without a mask."""
    scored = tuple(
        ScoredCandidate(
            candidate=Candidate(center_lps_mm=place, score=0.9, diameter_mm=10.1234567),
            probability=probability,
            malignancy=Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, 0.2)),
        )
        for place, probability in (((21.0123456, 29.4, -40.7654321), 0.9), (PLAIN_LUNG, 0.8))
    )
    return Measure(**RULES).run(study=study, lungs=lungs, scored=scored)


@pytest.fixture
def report(
    study: Study,
    lungs: LungMask,
    measured: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
) -> Report:
    rules = {"measure": {"probability_threshold": 0.5, **RULES}}
    made = build_report(
        study=study,
        lungs=lungs,
        findings=measured,
        patient=patient,
        provenance=provenance.model_copy(update={"config": rules}),
    )
    return Report.model_validate_json(made.model_dump_json())


def reviewed(report: Report, study: Study, lungs: LungMask, **content: Any, masks: dict[str, NoduleMask]) -> Report:
    review = Review.model_validate(
        {
            "format": "nodule-review-1",
            "report_sha256": report.sha256,
            "input_sha256": report.provenance.input_sha256,
            "series_instance_uid": report.study.series_instance_uid,
            "saved_at": datetime(2026, 3, 4, tzinfo=UTC),
            **content,
        }
    )
    return apply_review(report, review, study=study, lungs=lungs, masks=masks)


def test_a_report_that_was_read_back_gives_the_very_mask_that_was_measured(
    report: Report, measured: tuple[Finding, ...], study: Study, lungs: LungMask
) -> None:
    masks = masks_of(report, study=study, lungs=lungs)
    assert list(masks) == ["N1"]  # the other could not be measured
    assert measured[0].measurement is not None
    assert masks["N1"].volume_mm3 == measured[0].measurement.volume_mm3
    assert masks["N1"].center_lps_mm == measured[0].measurement.center_lps_mm


def test_a_small_move_leaves_the_mask_as_it_was(
    report: Report, study: Study, lungs: LungMask
) -> None:
    moved = reviewed(
        report, study, lungs, decisions=[{"id": "N1", "moved_to_lps_mm": (22.0, 32.0, -42.0)}]
    )
    before, after = (masks_of(each, study=study, lungs=lungs)["N1"] for each in (report, moved))
    assert after.start_zyx == before.start_zyx
    np.testing.assert_array_equal(after.array_zyx, before.array_zyx)


def test_what_a_reader_points_at_gets_the_mask_that_grows_there(
    report: Report, study: Study, lungs: LungMask
) -> None:
    after = reviewed(
        report,
        study,
        lungs,
        decisions=[
            {"id": "N1", "verdict": "rejected"},
            {"id": "N2", "moved_to_lps_mm": (19.0, 31.0, -41.0)},
        ],
        additions=[
            {"center_lps_mm": (20.5, 29.5, -39.0), "long_axis_mm": 11.0},
            {"center_lps_mm": PLAIN_LUNG},
        ],
    )
    again = reviewed(after, study, lungs, decisions=[{"id": "N2", "verdict": "accepted"}])
    for report_then in (after, again):
        masks = masks_of(report_then, study=study, lungs=lungs)
        assert list(masks) == ["N2", "R1"]
        for mask in masks.values():
            assert mask.center_lps_mm == pytest.approx(BALL, abs=0.3)
            assert mask.volume_mm3 == pytest.approx(905, rel=0.1)
    seeds = {each.id: each.seed for each in after.standing}
    assert seeds["N2"] is not None
    assert seeds["N2"].by_reader
    assert seeds["R2"] is None
