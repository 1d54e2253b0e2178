"""Reviews as labels: the ball of 12 mm, 905 mm³, about LPS (20, 30, -40)."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodule.candidates.training import CandidatesTask
from nodule.candidates.training._crop_regions import nodule_sources
from nodule.candidates.training._patch_samples import plain_sample
from nodule.errors import InputError
from nodule.evaluate.nodule_detection._crop_scores import certain_records
from nodule.geometry import Geometry
from nodule.lidc import fold_of
from nodule.malignancy.training import MalignancyTask, load_examples
from nodule.malignancy.training import _cube_sampler as cube_sampler
from nodule.malignancy.training._backgrounds import Background
from nodule.masks import NoduleMask
from nodule.measure.segment import GrowthRules
from nodule.report import Report
from nodule.report.reader_review import Review
from nodule.review.apply import apply_review
from nodule.review.resegment import Resegmenter
from nodule.review.training_labels import Labels, LeftOut, pseudonym, review_labels
from nodule.study import Study
from nodule.training import CropSet, Kind, NoduleStack, distinct, write_table
from nodule.training._crop_set_writing import read_rows, write_stacks
from nodule.volume import LungMask, Volume

BALL = (20.0, 30.0, -40.0)
SECOND = (36.0, 46.0, -22.8)


def review_of(report: Report, **content: Any) -> Review:
    return Review.model_validate(
        {
            "format": "nodule-review-1",
            "report_sha256": report.sha256,
            "input_sha256": report.provenance.input_sha256,
            "series_instance_uid": report.study.series.series_instance_uid,
            "saved_at": datetime(2026, 1, 2, tzinfo=UTC),
        }
        | content
    )


@pytest.fixture
def segmenter(study: Study, lungs: LungMask) -> Resegmenter:
    return Resegmenter(study=study, lungs=lungs, rules=GrowthRules())


def accepted(report: Report, **more: Any) -> Review:
    return review_of(report, decisions=[{"id": "N1", "verdict": "accepted"}], **more)


def test_an_accepted_finding_is_a_nodule_with_its_mask(
    report: Report, segmenter: Resegmenter, masks: dict[str, NoduleMask]
) -> None:
    labels = review_labels(report, [accepted(report)], masks=masks, segmenter=segmenter)
    (stack,) = labels.stacks
    assert stack.center_lps_mm == pytest.approx(BALL, abs=0.3)
    assert stack.volume_mm3 == pytest.approx(905, rel=0.1)
    assert (stack.n_readers, stack.nodule_ids, stack.ratings) == (1, ("N1",), {})
    assert [(each.id, each.why) for each in labels.left_out] == [
        ("N2", "not judged"),
        ("N3", "not judged"),
    ]


def rejected(*ids: str) -> list[dict[str, str]]:
    return [{"id": id_, "verdict": "rejected"} for id_ in ids]


def why(labels: Labels) -> dict[str, str]:
    return {each.id: each.why for each in labels.left_out}


def test_what_all_readers_rejected_is_a_place_without_a_nodule(
    report: Report, segmenter: Resegmenter, study: Study, masks: dict[str, NoduleMask]
) -> None:
    reviews = [
        review_of(report, decisions=rejected("N1", "N2", "N3")),
        review_of(report, decisions=rejected("N1")),  # silent about the others
    ]
    labels = review_labels(report, reviews, masks=masks, segmenter=segmenter)
    assert labels.stacks == ()
    assert [place.nodule_ids for place in labels.negatives] == [("N1",), ("N2",), ("N3",)]
    first = labels.negatives[0]
    assert first.center_lps_mm == (20.0, 30.0, -40.4)
    assert (first.diameter_mm, first.n_readers, first.ratings) == (12.6, 0, {})
    assert not first.reader_bits.any()
    # 20 mm and the radius on either side along z, where the scan of 60 mm shows so much
    z = first.box[0]
    assert [z.start, z.stop] == [1, 29]


def test_a_rejected_place_teaches_nothing_where_something_near_it_was_left_open(
    report: Report, segmenter: Resegmenter, masks: dict[str, NoduleMask]
) -> None:
    review = review_of(report, decisions=rejected("N1", "N2"))
    labels = review_labels(report, [review], masks=masks, segmenter=segmenter)
    assert labels.negatives == ()
    near = "rejected, but what lies near it is undecided"
    assert why(labels) == {"N1": near, "N2": near, "N3": "not judged"}


def test_where_readers_disagree_a_nodule_remains(
    report: Report, segmenter: Resegmenter, masks: dict[str, NoduleMask]
) -> None:
    reviews = [accepted(report), review_of(report, decisions=rejected("N1", "N2", "N3"))]
    labels = review_labels(report, reviews, masks=masks, segmenter=segmenter)
    assert [(stack.nodule_ids, stack.n_readers) for stack in labels.stacks] == [(("N1",), 1)]
    # N2's centre lies more than 8 mm from the ball, N3's too
    assert [place.nodule_ids for place in labels.negatives] == [("N2",), ("N3",)]
    assert why(labels)["N1"] == "rejected by one reader, accepted by another"


def test_a_nodule_that_another_reader_marked_there_keeps_a_place_from_being_without(
    report: Report, segmenter: Resegmenter, masks: dict[str, NoduleMask]
) -> None:
    reviews = [
        review_of(report, decisions=rejected("N1", "N2", "N3")),
        review_of(report, additions=[{"center_lps_mm": (20.5, 29.5, -39.5)}]),
    ]
    labels = review_labels(report, reviews, masks=masks, segmenter=segmenter)
    assert [stack.nodule_ids for stack in labels.stacks] == [("R1",)]
    assert why(labels)["N1"] == "rejected, but a nodule lies beside it"


def test_what_a_reader_accepted_before_is_in_dispute(
    report: Report,
    segmenter: Resegmenter,
    study: Study,
    lungs: LungMask,
    masks: dict[str, NoduleMask],
) -> None:
    folded = apply_review(
        report,
        accepted(report, additions=[{"center_lps_mm": (40.0, 50.0, -20.0)}]),
        study=study,
        lungs=lungs,
        masks=masks,
    )
    before = folded.report
    review = review_of(before, decisions=rejected("N1", "N2", "N3", "R1"))
    labels = review_labels(before, [review], masks=folded.masks, segmenter=segmenter)
    disputed = "rejected by one reader, accepted by another"
    assert (why(labels)["N1"], why(labels)["R1"]) == (disputed, disputed)


def test_an_addition_is_a_nodule_where_a_mask_can_be_grown(
    report: Report, segmenter: Resegmenter, masks: dict[str, NoduleMask]
) -> None:
    places = [BALL, (6.0, 16.0, -60.0)]  # the ball, and plain lung
    review = review_of(report, additions=[{"center_lps_mm": place} for place in places])
    labels = review_labels(report, [review], masks=masks, segmenter=segmenter)
    assert [stack.nodule_ids for stack in labels.stacks] == [("R1",)]
    assert labels.left_out[-1] == LeftOut(id="R2", why="no mask can be grown there")


def test_readers_of_one_nodule_are_counted_together(
    report: Report, segmenter: Resegmenter, masks: dict[str, NoduleMask]
) -> None:
    reviews = [
        accepted(report),
        review_of(report, additions=[{"center_lps_mm": (20.5, 29.5, -39.5)}]),
        accepted(report, additions=[{"center_lps_mm": BALL}]),  # twice by one reader: once
    ]
    (stack,) = review_labels(report, reviews, masks=masks, segmenter=segmenter).stacks
    assert (stack.n_readers, stack.nodule_ids) == (3, ("N1", "R1", "N1"))
    assert np.bitwise_or.reduce(stack.reader_bits, axis=None) == 0b111


def test_a_reader_s_word_may_count_for_several(
    report: Report, segmenter: Resegmenter, masks: dict[str, NoduleMask]
) -> None:
    (stack,) = review_labels(
        report, [accepted(report)], masks=masks, segmenter=segmenter, count_as=3
    ).stacks
    assert stack.n_readers == 3
    with pytest.raises(InputError, match="TOO_MANY_READINGS"):
        review_labels(report, [accepted(report)] * 3, masks=masks, segmenter=segmenter, count_as=3)


def test_a_review_of_another_report_is_refused(
    report: Report, segmenter: Resegmenter, masks: dict[str, NoduleMask]
) -> None:
    with pytest.raises(InputError, match="REVIEW_OF_OTHER_REPORT"):
        review_labels(
            report, [accepted(report, report_sha256="0" * 64)], masks=masks, segmenter=segmenter
        )


def test_a_person_is_known_by_a_pseudonym_that_all_studies_share(report: Report) -> None:
    other = report.model_copy(
        update={
            "study": replace(
                report.study, series=replace(report.study.series, study_instance_uid="9.9")
            )
        }
    )
    assert pseudonym(report) == pseudonym(other)
    assert "P-17" not in pseudonym(report)


@pytest.fixture
def square(study: Study) -> Study:
    """The format holds square pixels only: the ball on such a grid, and a second one like it."""
    geometry = Geometry(
        shape_zyx=(30, 64, 64), spacing_zyx_mm=(2.0, 0.8, 0.8), origin_lps_mm=(-5.2, 4.8, -69.0)
    )
    where = geometry.index_to_lps(np.moveaxis(np.indices(geometry.shape_zyx), 0, -1))
    away_mm = np.min([np.linalg.norm(where - ball, axis=-1) for ball in (BALL, SECOND)], axis=0)
    hu = np.where(away_mm < 6.0, 30.0, -870.0).astype(np.float32)
    return replace(study, volume=Volume(array_zyx=hu, geometry=geometry))


@pytest.fixture
def crop_set(
    report: Report, square: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> Path:
    """The second ball as a nodule of three readings; all that the report found is rejected."""
    review = review_of(
        report,
        decisions=rejected("N1", "N2", "N3"),
        additions=[{"center_lps_mm": SECOND, "long_axis_mm": 12.0}],
    )
    segmenter = Resegmenter(study=square, lungs=lungs, rules=GrowthRules())
    labels = review_labels(report, [review], masks=masks, segmenter=segmenter, count_as=3)
    written: dict[Kind, tuple[NoduleStack, ...]] = {
        "negative": labels.negatives,
        "stack": labels.stacks,
    }
    for kind, stacks in written.items():
        rows = write_stacks(
            tmp_path, study=square, patient_id=pseudonym(report), stacks=stacks, kind=kind
        )
        write_table(tmp_path, [*read_rows(tmp_path, kind=kind), *rows], kind=kind)
    return tmp_path


def test_the_labels_are_a_crop_set_that_training_reads(crop_set: Path, report: Report) -> None:
    crops = CropSet.open(crop_set)
    (record,) = crops.records
    assert (record.n_readers, record.patient_id, record.ratings) == (3, pseudonym(report), {})
    crop = crops.load(record)
    assert crop.reader_masks.shape[0] == 3
    center = np.argwhere(crop.consensus()).mean(axis=0)
    np.testing.assert_allclose(crop.volume.geometry.index_to_lps(center), SECOND, atol=0.4)
    # a ball of 12 mm
    volume_mm3 = crop.consensus().sum() * 2.0 * 0.8 * 0.8
    assert volume_mm3 == pytest.approx(904.8, rel=0.1)


def test_what_is_no_nodule_counts_as_none(crop_set: Path) -> None:
    crops = CropSet.open(crop_set)
    assert [record.kind for record in crops.negatives] == ["negative"] * 3
    assert crops.negatives[0].center_lps_mm == pytest.approx((20.0, 30.0, -40.4))
    assert distinct((*crops.negatives, *crops.records)) == crops.records
    assert certain_records(crops) == crops.records
    assert len(nodule_sources(crops, folds=tuple(crops.folds))) == 1
    assert len(load_examples(crops, keep=lambda record: True)) == 1
    assert [packed.record for packed in crops.pack_all()] == list(crops.records)


def test_the_detector_learns_that_nothing_is_where_readers_rejected(
    crop_set: Path, report: Report
) -> None:
    task = CandidatesTask(crop_set=crop_set)
    assert task.training_patients() == (pseudonym(report),)
    _, first, *_ = task.training_samples().slabs
    # the other ball, 16, 16 and 17.6 mm away, is known to be a nodule
    (lesion,) = first.lesions
    offset_mm = np.subtract(lesion.center_mm, first.focus_mm[0])
    assert offset_mm == pytest.approx(np.subtract(SECOND, (20.0, 30.0, -40.4))[::-1], abs=0.5)
    sample = plain_sample(first, size=64)
    cells = sample["heat"].shape[-1] // 2
    assert sample["image"][0, 31:33, 31:33, 31:33].mean() == pytest.approx(1030 / 1400, abs=0.01)
    assert sample["known"][0, cells, cells, cells] == 1
    assert sample["heat"][0, cells, cells, cells] < 1e-3
    held_out = CandidatesTask(crop_set=crop_set, held_out_folds=(fold_of(pseudonym(report)),))
    assert held_out.training_samples().slabs == ()


def test_the_second_network_learns_that_it_is_no_nodule(
    crop_set: Path, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cube_sampler, "_SHARES", (0.0, 0.0, 1.0, 0.0))
    monkeypatch.setattr(cube_sampler, "_REJECTED", 1.0)
    task = MalignancyTask(crop_set=crop_set, scans=(), held_out_folds=())
    assert task.training_patients() == (pseudonym(report),)
    middle = np.full((1, 3), 60.0, np.float32)
    lung = Background(
        hu=np.full((120, 120, 120), -900, np.int16),
        spacing_zyx_mm=(1.0, 1.0, 1.0),
        places={"parenchyma": middle, "structure": middle},
    )
    samples = replace(task.training_samples(), backgrounds=[lung])
    drawn = [samples[index] for index in range(12)]
    assert {(d["nodule"].item(), d["nodule_weight"].item()) for d in drawn} == {(0.0, 1.0)}
    middles = [d["cubes"][0, 15:17, 15:17, 15:17].mean().item() for d in drawn]
    # N1 is the ball, the others are plain lung
    assert max(middles) == pytest.approx(1030 / 1400, abs=0.1)
    assert min(middles) < 0.3
    held_out = replace(task, held_out_folds=(fold_of(pseudonym(report)),))
    assert held_out.training_patients() == ()
