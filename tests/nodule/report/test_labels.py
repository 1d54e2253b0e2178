"""Reviews as labels: the ball of 12 mm, 905 mm³, about LPS (20, 30, -40)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.lidc.crops import CropSet
from nodule.lidc.writing import read_rows, write_stacks, write_table
from nodule.report import Report
from nodule.report.labels import LeftOut, pseudonym, review_labels
from nodule.report.regrow import Regrower
from nodule.report.review_file import Review
from nodule.study import Study
from nodule.volume import LungMask

BALL = (20.0, 30.0, -40.0)


def review_of(report: Report, **content: Any) -> Review:
    return Review.model_validate(
        {
            "format": "nodule-review-1",
            "report_sha256": report.sha256,
            "input_sha256": report.provenance.input_sha256,
            "series_instance_uid": report.study.series_instance_uid,
            "saved_at": datetime(2026, 1, 2, tzinfo=UTC),
        }
        | content
    )


@pytest.fixture
def grower(study: Study, lungs: LungMask) -> Regrower:
    return Regrower(study=study, lungs=lungs)


def accepted(report: Report, **more: Any) -> Review:
    return review_of(report, decisions=[{"id": "N1", "verdict": "accepted"}], **more)


def test_an_accepted_finding_is_a_nodule_with_its_mask(report: Report, grower: Regrower) -> None:
    labels = review_labels(report, [accepted(report)], grower=grower)
    (stack,) = labels.stacks
    assert stack.center_lps_mm == pytest.approx(BALL, abs=0.3)
    assert stack.volume_mm3 == pytest.approx(905, rel=0.1)
    assert (stack.n_readers, stack.nodule_ids, stack.ratings) == (1, ("N1",), {})
    assert [(each.id, each.why) for each in labels.left_out] == [
        ("N2", "not judged"),
        ("N3", "not judged"),
    ]


def test_what_was_rejected_is_left_out_and_said_so(report: Report, grower: Regrower) -> None:
    review = review_of(report, decisions=[{"id": "N1", "verdict": "rejected"}])
    labels = review_labels(report, [review], grower=grower)
    assert labels.stacks == ()
    assert labels.left_out[0].why.startswith("rejected")


def test_an_addition_is_a_nodule_where_a_mask_can_be_grown(
    report: Report, grower: Regrower
) -> None:
    places = [BALL, (6.0, 16.0, -60.0)]  # the ball, and plain lung
    review = review_of(report, additions=[{"center_lps_mm": place} for place in places])
    labels = review_labels(report, [review], grower=grower)
    assert [stack.nodule_ids for stack in labels.stacks] == [("R1",)]
    assert labels.left_out[-1] == LeftOut(id="R2", why="no mask can be grown there")


def test_readers_of_one_nodule_are_counted_together(report: Report, grower: Regrower) -> None:
    reviews = [
        accepted(report),
        review_of(report, additions=[{"center_lps_mm": (20.5, 29.5, -39.5)}]),
        accepted(report, additions=[{"center_lps_mm": BALL}]),  # twice by one reader: once
    ]
    (stack,) = review_labels(report, reviews, grower=grower).stacks
    assert (stack.n_readers, stack.nodule_ids) == (3, ("N1", "R1", "N1"))
    assert np.bitwise_or.reduce(stack.reader_bits, axis=None) == 0b111


def test_a_reader_s_word_may_count_for_several(report: Report, grower: Regrower) -> None:
    (stack,) = review_labels(report, [accepted(report)], grower=grower, count_as=3).stacks
    assert stack.n_readers == 3
    with pytest.raises(InputError, match="TOO_MANY_READINGS"):
        review_labels(report, [accepted(report)] * 3, grower=grower, count_as=3)


def test_a_review_of_another_report_is_refused(report: Report, grower: Regrower) -> None:
    with pytest.raises(InputError, match="REVIEW_OF_OTHER_REPORT"):
        review_labels(report, [accepted(report, report_sha256="0" * 64)], grower=grower)


def test_a_person_is_known_by_a_pseudonym_that_all_studies_share(report: Report) -> None:
    other = report.model_copy(
        update={"study": report.study.model_copy(update={"study_instance_uid": "9.9"})}
    )
    assert pseudonym(report) == pseudonym(other)
    assert "P-17" not in pseudonym(report)


def test_the_labels_are_a_crop_set_that_training_reads(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path
) -> None:
    """The format holds square pixels only, so the ball is looked at on a grid of its own."""
    from dataclasses import replace

    from nodule.geometry import Geometry
    from nodule.volume import Volume

    geometry = Geometry(
        shape_zyx=(30, 64, 64), spacing_zyx_mm=(2.0, 0.8, 0.8), origin_lps_mm=(-5.2, 4.8, -69.0)
    )
    index = np.moveaxis(np.indices(geometry.shape_zyx), 0, -1)
    away_mm = np.linalg.norm(geometry.index_to_lps(index) - BALL, axis=-1)
    hu = np.where(away_mm < 6.0, 30.0, -870.0).astype(np.float32)
    square = replace(study, volume=Volume(array_zyx=hu, geometry=geometry))
    grower = Regrower(study=square, lungs=lungs)
    labels = review_labels(report, [accepted(report)], grower=grower, count_as=3)
    person = pseudonym(report)
    rows = write_stacks(tmp_path, study=square, patient_id=person, stacks=labels.stacks)
    write_table(tmp_path, [*read_rows(tmp_path), *rows])
    crops = CropSet.open(tmp_path)
    (record,) = crops.records
    assert (record.n_readers, record.patient_id, record.ratings) == (3, person, {})
    crop = crops.load(record)
    assert crop.reader_masks.shape[0] == 3
    center = np.argwhere(crop.consensus()).mean(axis=0)
    np.testing.assert_allclose(crop.volume.geometry.index_to_lps(center), BALL, atol=0.4)
    # a ball of 12 mm
    volume_mm3 = crop.consensus().sum() * 2.0 * 0.8 * 0.8
    assert volume_mm3 == pytest.approx(904.8, rel=0.1)
