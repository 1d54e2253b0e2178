import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk
from pydantic import ValidationError

from nodule.advice.context import Context
from nodule.errors import InputError
from nodule.followup import Comparison
from nodule.guidelines.lung_rads import ReaderStatement
from nodule.masks import NoduleMask
from nodule.outputs import read_lungs, read_masks, write_report_files
from nodule.report import Report
from nodule.report.reader_review import Review
from nodule.report.reported_nodule import ReaderMark
from nodule.report.tables import findings_csv
from nodule.review.apply import apply_review
from nodule.review.review_file import read_report, read_review
from nodule.study import Study
from nodule.volume import LungMask


def review_of(report: Report, **content: Any) -> Review:
    return Review.model_validate(
        {
            "format": "nodule-review-1",
            "report_sha256": report.sha256,
            "input_sha256": report.provenance.input_sha256,
            "series_instance_uid": report.study.series.series_instance_uid,
            "saved_at": datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
            **content,
        }
    )


def fold(
    report: Report,
    review: Review,
    *,
    study: Study,
    lungs: LungMask,
    masks: Mapping[str, NoduleMask],
    context: Context | None = None,
) -> Report:
    return apply_review(
        report, review, study=study, lungs=lungs, masks=masks, context=context
    ).report


def test_a_rejected_finding_is_set_apart(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    review = review_of(report, decisions=[{"id": "N2", "verdict": "rejected"}])
    reviewed = fold(report, review, study=study, lungs=lungs, masks=masks)
    assert [f.nodule.id for f in reviewed.findings] == ["N1", "N3"]
    assert reviewed.rejected == (replace(report.findings[1], mask=None),)
    assert report.rejected == ()


def test_the_dominant_nodule_is_one_that_stands(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    """N1 has the highest rating; of N2 and N3, rated alike, N2 is the more probable."""
    review = review_of(report, decisions=[{"id": "N1", "verdict": "rejected"}])
    assert report.dominant == "N1"
    assert fold(report, review, study=study, lungs=lungs, masks=masks).dominant == "N2"


def test_a_small_move_keeps_sizes_and_a_large_one_drops_them(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    near, far = (20.0, 33.0, -40.4), (14.0, 24.0, -62.0)
    moved = [
        fold(
            report,
            review_of(report, decisions=[{"id": "N1", "moved_to_lps_mm": place}]),
            study=study,
            lungs=lungs,
            masks=masks,
        ).findings[0]
        for place in (near, far)
    ]
    assert [f.nodule.center_lps_mm for f in moved] == [near, far]
    assert moved[0].nodule.measurement == report.findings[0].nodule.measurement
    assert moved[1].nodule.measurement is None
    # z = -62 is index 4 of slices 2 mm apart from -70; image numbers fall from 30
    image = moved[1].nodule.image
    assert (image.number, image.instance_number) == (5, 26)
    assert moved[1].assessment == report.findings[0].assessment


def test_the_readers_size_type_and_lung_win_everywhere(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    size = {
        "long_axis_mm": 11.0,
        "short_axis_mm": 9.0,
        "texture": "part-solid",
        "solid_axes_mm": (6.0, 5.0),
    }
    review = review_of(report, decisions=[{"id": "N1", "size": size, "lung": "right"}])
    reviewed = fold(report, review, study=study, lungs=lungs, masks=masks)
    first = reviewed.findings[0]
    measured = first.nodule.measurement
    assert measured is not None
    assert (measured.long_axis_mm, measured.short_axis_mm) == (11.0, 9.0)
    assert (measured.texture, measured.solid_axes_mm) == ("part-solid", (6.0, 5.0))
    assert measured.volume_mm3 is None  # that of the software's mask is not the reader's
    assert first.mean_diameter_mm == 10.0
    assert (first.nodule.lung, first.nodule.lung_zone) == ("right", None)
    row = findings_csv(reviewed).splitlines()[1]
    assert ",11.0,9.0,10.0," in row
    assert reviewed.decisions["N1"].size == review.decisions[0].size
    assert reviewed.findings[1:] == report.findings[1:]


def test_a_reader_who_corrects_the_type_alone_leaves_the_volume(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    before = report.findings[0].nodule.measurement
    assert before is not None
    size = {
        "long_axis_mm": before.long_axis_mm,
        "short_axis_mm": before.short_axis_mm,
        "texture": "ground-glass",
    }
    review = review_of(report, decisions=[{"id": "N1", "size": size}])
    after = fold(report, review, study=study, lungs=lungs, masks=masks).findings[0]
    assert after.nodule.measurement == replace(before, texture="ground-glass")


@pytest.mark.parametrize(
    "size",
    [
        {"long_axis_mm": 8.0, "short_axis_mm": 9.0},
        {"long_axis_mm": 8.0, "short_axis_mm": 7.0, "solid_axes_mm": (9.0, 5.0)},
        {"long_axis_mm": 8.0, "short_axis_mm": 7.0, "solid_axes_mm": (4.0, 5.0)},
        {"long_axis_mm": 8.0, "short_axis_mm": 7.0, "texture": "solid", "solid_axes_mm": (4, 3)},
        {"long_axis_mm": 0.0, "short_axis_mm": 7.0},
        {"long_axis_mm": 8.0},
    ],
)
def test_a_size_that_contradicts_itself_is_refused(report: Report, size: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        review_of(report, decisions=[{"id": "N1", "size": size}])


def test_what_the_reader_states_of_person_and_findings_is_asked_again(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    stated = {
        "setting": "screening-baseline",
        "age_years": 60,
        "known_cancer": False,
        "findings": {"N1": {"lobe": "LUL", "spiculation": True}},
        "reader": {"significant_other_finding": True},
    }
    review = review_of(report, context=stated)
    reviewed = fold(report, review, study=study, lungs=lungs, masks=masks)
    assert reviewed.findings[0].lobe == "LUL"
    (exam,) = reviewed.management.exam
    assert exam.rule_set == "Lung-RADS"
    assert any(each.startswith("The reader states S") for each in exam.caveats)
    assert report.management.exam == ()
    over = fold(report, review, study=study, lungs=lungs, masks=masks, context=Context())
    assert over.management.exam == ()  # what is stated beside the command wins


def test_warns_of_what_stands_alone(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    review = review_of(
        report,
        decisions=[
            {"id": "N1", "moved_to_lps_mm": (14.0, 24.0, -62.0)},
            {"id": "N2", "verdict": "rejected"},
        ],
    )
    reviewed = fold(report, review, study=study, lungs=lungs, masks=masks)
    assert [w.code for w in report.warnings] == [
        "RESCALED",
        "SMALL_LUNGS",
        "MASS",
        "NOT_MEASURED",
    ]
    assert [(w.code, w.message[:14]) for w in reviewed.warnings] == [
        ("RESCALED", "Slices differ "),
        ("SMALL_LUNGS", "The lungs meas"),
        ("NOT_MEASURED", "N1 could not b"),
        ("NOT_MEASURED", "N3 could not b"),
    ]
    again = fold(reviewed, review_of(reviewed), study=study, lungs=lungs, masks=masks)
    assert again.warnings == reviewed.warnings


def test_an_added_nodule_gets_its_slice_and_its_side(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    index = (10, 10, 5)  # a voxel of the right lung, and one between the lungs
    places = [tuple(lungs.geometry.index_to_lps(i)) for i in (index, (4, 10, 12))]
    additions = [{"center_lps_mm": p, "long_axis_mm": 6.5, "comment": "faint"} for p in places]
    reviewed = fold(
        report, review_of(report, additions=additions), study=study, lungs=lungs, masks=masks
    )
    assert [(a.nodule.id, a.nodule.lung) for a in reviewed.added] == [("R1", "right"), ("R2", None)]
    # z = -70 + 10 x 3 = -40 is index 15
    assert reviewed.added[0].nodule.image.number == 16
    assert reviewed.added[0].reader == ReaderMark(long_axis_mm=6.5, comment="faint")


def test_what_a_reader_points_at_is_measured_there(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    """The ball has a diameter of 12 mm, 905 mm³, and its centre at (20, 30, -40)."""
    review = review_of(
        report,
        decisions=[{"id": "N3", "moved_to_lps_mm": (19.0, 31.0, -41.0)}],
        additions=[
            {"center_lps_mm": (20.5, 29.5, -39.0), "long_axis_mm": 11.0},
            {"center_lps_mm": (20.5, 29.5, -39.0), "long_axis_mm": 4.0},
        ],
    )
    reviewed = fold(report, review, study=study, lungs=lungs, masks=masks)
    moved, added, contradicted = reviewed.findings[2], *reviewed.added
    for each in (moved, added):
        measured = each.nodule.measurement
        assert measured is not None
        assert each.nodule.center_lps_mm == pytest.approx((20.0, 30.0, -40.0), abs=0.3)
        assert measured.effective_diameter_mm == pytest.approx(12.0, abs=0.6)
        assert measured.long_axis_ends_lps_mm is not None
        assert measured.texture == "solid"
    assert added.reader is not None
    assert added.reader.long_axis_mm == 11.0
    # a mask three times as long as the reader says is of something else
    assert contradicted.nodule.measurement is None
    assert [w.message for w in reviewed.warnings if "added" in w.message] == [
        "R2 could not be measured where the reader added it."
    ]


def only_n1_stands(
    report: Report, study: Study, lungs: LungMask, context: Context, masks: dict[str, NoduleMask]
) -> Report:
    decisions = [{"id": id_, "verdict": "rejected"} for id_ in ("N2", "N3")]
    review = review_of(report, decisions=decisions)
    return fold(report, review, study=study, lungs=lungs, masks=masks, context=context)


def test_the_rules_are_asked_again(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    """The mass is rejected and N3 too: what is left is a solid nodule of 12.3 mm, 4A."""
    context = Context(setting="screening-baseline")
    reviewed = only_n1_stands(report, study, lungs, context, masks)
    assert report.management.exam == ()
    assert [(a.answer, a.subject) for a in reviewed.management.exam] == [("4A", "N1")]
    assert reviewed.software.status == "AI-generated draft, reviewed by a reader, not verified"


def test_a_reader_s_4x_counts_where_the_rules_are_asked_again(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    """ACR 2022: category 4A with further signs of cancer is 4X, where the reader says so."""
    context = Context(setting="screening-baseline", reader=ReaderStatement(upgrade_to_4x=True))
    reviewed = only_n1_stands(report, study, lungs, context, masks)
    assert [(a.answer, a.subject) for a in reviewed.management.exam] == [("4X", "N1")]


def test_the_comparison_forgets_what_was_rejected_or_moved_away(
    report: Report,
    study: Study,
    lungs: LungMask,
    comparison: Comparison,
    masks: dict[str, NoduleMask],
) -> None:
    compared = report.model_copy(update={"comparison": comparison})
    decisions = [
        {"id": "N1", "moved_to_lps_mm": (14.0, 24.0, -62.0)},
        {"id": "N2", "verdict": "rejected"},
    ]
    reviewed = fold(
        compared, review_of(compared, decisions=decisions), study=study, lungs=lungs, masks=masks
    )
    assert reviewed.comparison is not None
    assert reviewed.comparison.changes == reviewed.comparison.new == ()
    assert len(reviewed.comparison.resolved) == 1


def test_who_decided_what_stays_with_the_report(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    decision = {"id": "N3", "verdict": "accepted", "moved_to_lps_mm": (6.0, 15.0, -60.0)}
    review = review_of(report, reader="A. Reader", decisions=[decision])
    reviewed = fold(report, review, study=study, lungs=lungs, masks=masks)
    (part,) = reviewed.reviews
    assert (part.reader, part.review_sha256) == ("A. Reader", review.sha256)
    assert part.report_sha256 == report.sha256
    assert part.decisions[0].moved_from_lps_mm == (5.0, 15.0, -60.0)
    assert Report.model_validate_json(reviewed.model_dump_json()) == reviewed


def test_a_second_review_builds_on_the_first(
    report: Report, study: Study, lungs: LungMask, masks: dict[str, NoduleMask]
) -> None:
    addition = {"center_lps_mm": (20.0, 20.0, -50.0)}
    first = fold(
        report, review_of(report, additions=[addition]), study=study, lungs=lungs, masks=masks
    )
    again = review_of(first, decisions=[{"id": "R1", "verdict": "rejected"}], additions=[addition])
    second = fold(first, again, study=study, lungs=lungs, masks=masks)
    assert [a.nodule.id for a in second.added] == ["R2"]
    assert [r.nodule.id for r in second.rejected] == ["R1"]
    assert len(second.reviews) == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"report_sha256": "0" * 64}, "REVIEW_OF_OTHER_REPORT"),
        ({"decisions": [{"id": "N9", "verdict": "accepted"}]}, "UNKNOWN_FINDING"),
        ({"decisions": [{"id": "N1"}, {"id": "N1"}]}, "DOUBLE_DECISION"),
        ({"additions": [{"center_lps_mm": (0, 0, 999)}]}, "OUTSIDE_VOLUME"),
        ({"decisions": [{"id": "N1", "moved_to_lps_mm": (20, 30, 999)}]}, "OUTSIDE_VOLUME"),
    ],
)
def test_refuses_a_review_that_does_not_fit(
    report: Report,
    study: Study,
    lungs: LungMask,
    content: Any,
    code: str,
    masks: dict[str, NoduleMask],
) -> None:
    with pytest.raises(InputError, match=code):
        fold(report, review_of(report, **content), study=study, lungs=lungs, masks=masks)


def test_a_broken_file_is_named_without_its_content(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "review.json"
    path.write_text('{"reader": ["Doe"]}')
    with pytest.raises(InputError, match=r"BAD_REVIEW: review\.json") as caught:
        read_review(path)
    assert "Doe" not in str(caught.value)
    content = json.loads((written / "report.json").read_bytes())
    content["study"]["patient"]["shoe_size"] = "Doe"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="BAD_REPORT") as caught:
        read_report(path)
    assert "Doe" not in str(caught.value)


def test_a_place_that_is_no_number_is_refused(report: Report) -> None:
    with pytest.raises(ValidationError, match="finite"):
        review_of(report, decisions=[{"id": "N1", "moved_to_lps_mm": (20, 30, float("nan"))}])


def test_the_digest_is_that_of_the_file(report: Report, written: Path) -> None:
    content = (written / "report.json").read_bytes()
    assert report.sha256 == hashlib.sha256(content).hexdigest()
    assert read_report(written / "report.json").sha256 == report.sha256


def test_lungs_come_back_as_they_went(written: Path, lungs: LungMask) -> None:
    back = read_lungs(written / "lungs.nii.gz")
    assert (back.labels_zyx == lungs.labels_zyx).all()
    assert back.geometry.is_close(lungs.geometry)
    with pytest.raises(InputError, match="NO_LUNGS"):
        read_lungs(written / "none.nii.gz")


def test_masks_come_back_as_they_went(
    written: Path, report: Report, study: Study, masks: dict[str, NoduleMask]
) -> None:
    assert read_masks(written / "nodules.nii.gz", report=report, study=study) == masks


def test_masks_of_another_report_are_refused(
    written: Path, report: Report, study: Study, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="NO_MASKS"):
        read_masks(written / "none.nii.gz", report=report, study=study)
    with pytest.raises(InputError, match="FOREIGN_MASKS"):
        read_masks(written / "lungs.nii.gz", report=report, study=study)
    shifted = tmp_path / "nodules.nii.gz"
    image = sitk.ReadImage(str(written / "nodules.nii.gz"))
    sitk.WriteImage(sitk.CyclicShift(image, [1, 0, 0]), str(shifted))
    with pytest.raises(InputError, match="FOREIGN_MASKS"):
        read_masks(shifted, report=report, study=study)
    shifted.write_bytes((written / "nodules.nii.gz").read_bytes()[:-400])
    with pytest.raises(InputError, match="NO_MASKS"):
        read_masks(shifted, report=report, study=study)


def test_the_page_and_the_table_say_what_was_decided(
    report: Report, study: Study, lungs: LungMask, tmp_path: Path, masks: dict[str, NoduleMask]
) -> None:
    review = review_of(
        report,
        reader="<b>A. Reader</b>",
        decisions=[
            {"id": "N1", "verdict": "accepted", "comment": "=1+1"},
            {"id": "N2", "verdict": "rejected", "comment": "scar & vessel"},
            {"id": "N3", "moved_to_lps_mm": (6.0, 15.0, -60.0)},
        ],
        additions=[{"center_lps_mm": (20.0, 20.0, -50.0), "long_axis_mm": 4.2}],
    )
    after = apply_review(report, review, study=study, lungs=lungs, masks=masks)
    reviewed = after.report
    write_report_files(reviewed, study=study, lungs=lungs, masks=after.masks, folder=tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for text in (
        "Reviewed draft",
        "Reviewed by <bdi>&lt;b&gt;A. Reader&lt;/b&gt;</bdi> on <time>2026-03-04 05:06 UTC</time>: "
        "1 accepted, 1 rejected, 1 moved, 1 added.",
        "not measured since moved",
        "those of the position that the software found",
        "scar &amp; vessel",
        'id="R1"',
        "4.2 mm by the reader",
    ):
        assert text in page
    assert 'id="N2"' not in page
    rows = findings_csv(reviewed).splitlines()
    assert [row.split(",")[1] for row in rows[1:]] == ["N1", "N3", "R1"]
    assert ",accepted,'=1+1," in rows[1]
    assert ",added,," in rows[3]
