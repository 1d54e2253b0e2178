"""What readers move or add is segmented: a ball of 12 mm, 905 mm³, about LPS (20, 30, -40)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from made_findings import ball_mask

from nodule.errors import InputError
from nodule.findings import Candidate, Finding, Malignancy, ScoredCandidate, masks_of
from nodule.geometry import Geometry
from nodule.masks import NoduleMask
from nodule.measure.segment import GrowthRules
from nodule.measure.stage import Measure, measure_mask
from nodule.report import Provenance, Report, build_report
from nodule.report.reader_review import Review
from nodule.review.apply import Reviewed, apply_review
from nodule.review.resegment import Resegmenter, growth_rules
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask

BALL = (20.0, 30.0, -40.0)
PLAIN_LUNG = (6.0, 16.0, -60.0)
RULES = {"edge_fraction": 0.4, "smoothing_mm": 0.7, "opening_fraction": 0.4, "grid_mm": 0.8}


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


def reviewed(
    report: Report, study: Study, lungs: LungMask, masks: Mapping[str, NoduleMask], **content: Any
) -> Reviewed:
    review = Review.model_validate(
        {
            "format": "nodule-review-1",
            "report_sha256": report.sha256,
            "input_sha256": report.provenance.input_sha256,
            "series_instance_uid": report.study.series.series_instance_uid,
            "saved_at": datetime(2026, 3, 4, tzinfo=UTC),
            **content,
        }
    )
    return apply_review(report, review, study=study, lungs=lungs, masks=masks)


def test_what_was_not_moved_keeps_the_mask_that_was_measured_not_one_segmented_again(
    report: Report, study: Study, lungs: LungMask
) -> None:
    """The mask given here is a ball of 4 mm, which no rule grows from this ball of 6 mm."""
    mask = ball_mask(study.volume.geometry, BALL, radius_mm=4.0)
    near = (20.0, 31.0, -40.0)
    for decision in ({"verdict": "accepted"}, {"moved_to_lps_mm": near}):
        after = reviewed(report, study, lungs, {"N1": mask}, decisions=[{"id": "N1", **decision}])
        assert after.masks == {"N1": mask}
        reference = after.report.findings[0].mask
        assert reference is not None
        assert (reference.labels, reference.sha256) == ((1,), mask.sha256)


def test_what_a_reader_points_at_gets_the_mask_that_grows_there(
    report: Report, measured: tuple[Finding, ...], study: Study, lungs: LungMask
) -> None:
    after = reviewed(
        report,
        study,
        lungs,
        masks_of(measured),
        decisions=[
            {"id": "N1", "verdict": "rejected"},
            {"id": "N2", "moved_to_lps_mm": (19.0, 31.0, -41.0)},
        ],
        additions=[
            {"center_lps_mm": (20.5, 29.5, -39.0), "long_axis_mm": 11.0},
            {"center_lps_mm": PLAIN_LUNG},
        ],
    )
    accepted = [{"id": "N2", "verdict": "accepted"}]
    again = reviewed(after.report, study, lungs, after.masks, decisions=accepted)
    assert again.masks == after.masks
    assert list(after.masks) == ["N2", "R1"]
    for mask in after.masks.values():
        assert mask.center_lps_mm == pytest.approx(BALL, abs=0.3)
        assert mask.volume_mm3 == pytest.approx(905, rel=0.1)
    seeds = {each.nodule.id: each.nodule.seed for each in after.report.active}
    assert seeds["N2"] is not None
    assert seeds["N2"].by_reader
    assert seeds["R2"] is None
    # both masks hold the same ball: its voxels have a label of their own
    assert [each.mask and each.mask.labels for each in after.report.active] == [
        (1, 3),
        (2, 3),
        None,
    ]
    (rejected,) = after.report.rejected
    assert rejected.mask is None


def test_a_report_that_does_not_say_how_masks_grew_is_refused_where_one_must_grow(
    report: Report, measured: tuple[Finding, ...], study: Study, lungs: LungMask
) -> None:
    silent = report.model_copy(
        update={"provenance": report.provenance.model_copy(update={"config": {}})}
    )
    masks = masks_of(measured)
    accepted = [{"id": "N1", "verdict": "accepted"}]
    assert reviewed(silent, study, lungs, masks, decisions=accepted).masks == masks
    with pytest.raises(InputError, match="NO_GROWTH_RULES"):
        reviewed(silent, study, lungs, masks, additions=[{"center_lps_mm": BALL}])


def test_new_masks_grow_by_the_report_s_own_rules(report: Report) -> None:
    assert growth_rules(report) == GrowthRules(**RULES)


def resegmenter(study: Study, lungs: LungMask) -> Resegmenter:
    return Resegmenter(study=study, lungs=lungs, rules=GrowthRules(**RULES))


@pytest.mark.parametrize(
    ("share", "taken"), [(0.49, False), (0.51, True), (1.0, True), (1.98, True), (2.02, False)]
)
def test_a_mask_twice_or_half_as_long_as_the_reader_says_is_of_something_else(
    study: Study, lungs: LungMask, share: float, taken: bool
) -> None:
    grower = resegmenter(study, lungs)
    whole = grower.mask(BALL, long_axis_mm=None)
    assert whole is not None
    long_axis_mm = measure_mask(whole, study.volume).long_axis_mm
    found = grower.mask(BALL, long_axis_mm=long_axis_mm / share)
    assert found == (whole if taken else None)


@pytest.mark.parametrize(("beside_mm", "taken"), [(1.95, True), (2.05, False)])
def test_a_point_2_mm_beside_a_mask_does_not_mean_it(
    study: Study, lungs: LungMask, beside_mm: float, taken: bool
) -> None:
    grower = resegmenter(study, lungs)
    whole = grower.mask(BALL, long_axis_mm=12.0)
    assert whole is not None
    voxels = whole.geometry.index_to_lps(np.argwhere(whole.array_zyx))
    x, y, z = voxels[voxels[:, 0].argmax()].tolist()
    assert (grower.mask((x + beside_mm, y, z), long_axis_mm=12.0) is not None) == taken


@pytest.mark.parametrize(("away_mm", "taken"), [(14.9, True), (15.0, True), (15.1, False)])
def test_what_lies_more_than_15_mm_from_both_lungs_is_no_finding(
    study: Study, away_mm: float, taken: bool
) -> None:
    x, y, z = BALL
    voxel = Geometry(
        shape_zyx=(1, 1, 1), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(x, y, z + away_mm)
    )
    lung = LungMask(labels_zyx=np.full((1, 1, 1), LungMask.LEFT, np.uint8), geometry=voxel)
    found = resegmenter(study, lung).finding("R1", BALL, long_axis_mm=None)
    assert (found is not None) == taken
