"""What a document says of readers: who decided what, when, and on what it follows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import highdicom as hd
import pydicom
import pytest
from dicom_case import Case, groups_of, numbers, ratings
from made_findings import renamed

from nodule.advice.context import Context, FindingFacts
from nodule.dicom import read_predecessor, write_dicom
from nodule.dicom.tracking import tracking_uids
from nodule.errors import InputError
from nodule.report import Report
from nodule.report.reader_review import Addition, AppliedDecision, AppliedReview, ReaderSize
from nodule.report.reported_nodule import ReaderMark

SAVED_AT = datetime(2026, 4, 5, 6, 7, 8, tzinfo=UTC)
VERDICT, PRESENCE = "5", "705057003"


def reviewed(case: Case, **review: Any) -> Report:
    """Return the report after a review: N1 accepted, N2 rejected, N3 left open, R1 added."""
    first, second, third = case.report.findings
    added = replace(
        renamed(third, "R1"),
        assessment=None,
        rating=None,
        reader=ReaderMark(long_axis_mm=7.5, comment="behind the heart"),
    )
    decided = AppliedReview(
        **{
            "format": "nodule-review-1",
            "report_sha256": case.report.sha256,
            "input_sha256": case.report.provenance.input_sha256,
            "series_instance_uid": None,
            "reader": "Dr. Žofie Nováková",
            "saved_at": SAVED_AT,
            "decisions": (
                decision("N1", verdict="accepted", comment="spiculated; 炎症?"),
                decision("N2", verdict="rejected", comment="a vessel"),
            ),
            "additions": (Addition(center_lps_mm=third.nodule.center_lps_mm, long_axis_mm=7.5),),
            "review_sha256": "5" * 64,
            "added": ("R1",),
            **review,
        }
    )
    return case.report.model_copy(
        update={
            "findings": (first, third),
            "added": (added,),
            "rejected": (second,),
            "reviews": (decided,),
        }
    )


def decision(id_: str, **said: Any) -> AppliedDecision:
    return AppliedDecision(id=id_, moved_from_lps_mm=None, **said)


def write(case: Case, report: Report, folder: Path, **more: Any) -> Path:
    masks = {
        id_: mask
        for id_, mask in case.masks.items()
        if id_ in {each.nodule.id for each in report.active}
    }
    write_dicom(report, masks=masks, lungs=case.lungs, source=case.source, folder=folder, **more)
    return folder / "sr.dcm"


@pytest.fixture(scope="module")
def written(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(case, reviewed(case), tmp_path_factory.mktemp("reviewed"))


@pytest.fixture(scope="module")
def groups(written: Path) -> dict[str, Any]:
    return {group.tracking_identifier: group for group in groups_of(written)}


def texts(group: Any, code: str) -> list[str]:
    return [
        item.TextValue
        for item in group[0].ContentSequence
        if item.ValueType == "TEXT" and item.ConceptNameCodeSequence[0].CodeValue == code
    ]


def observers(group: Any) -> set[str]:
    """Return who states a group: 121006 a person, 121007 a device."""
    return {
        item.ConceptCodeSequence[0].CodeValue
        for item in group[0].ContentSequence
        if item.ConceptNameCodeSequence[0].CodeValue == "121005"
    }


def test_states_each_verdict_and_comment(groups: dict[str, Any]) -> None:
    assert {id_: ratings(group).get(VERDICT) for id_, group in groups.items()} == {
        "N1": "6",
        "N2": "7",
        "N3": None,
        "R1": "8",
    }
    assert texts(groups["N1"], "121106") == ["spiculated; 炎症?"]
    assert texts(groups["N2"], "121106") == ["a vessel"]


def test_states_whatever_else_a_review_holds_of_a_finding(case: Case, tmp_path: Path) -> None:
    """Facts without a code of their own, and sizes as the reader drew them, are lines of text."""
    facts = FindingFacts(spiculation=True, benign_feature="fat", lobe="LUL")
    size = ReaderSize(long_axis_mm=13.0, short_axis_mm=9.0)
    report = reviewed(
        case,
        context=Context(findings={"N1": facts, "N3": FindingFacts(pleural_based=False)}),
        decisions=(decision("N1", verdict="accepted", size=size),),
    )
    said = {g.tracking_identifier: g for g in groups_of(write(case, report, tmp_path))}
    assert texts(said["N1"], "9") == [
        "size: long axis mm 13.0; short axis mm 9.0",
        "spiculation: yes",
        "benign feature: fat",
    ]
    assert texts(said["N3"], "9") == ["pleural based: no"]
    assert ratings(said["N3"]).get(VERDICT) is None


def test_a_rejected_finding_is_absent_and_has_no_size(groups: dict[str, Any]) -> None:
    assert {id_ for id_, group in groups.items() if PRESENCE in ratings(group)} == {"N2"}
    assert ratings(groups["N2"])[PRESENCE] == "272519000"
    assert numbers(groups["N2"]) == {("111012", "DCM"): (81.0, "%")}


def test_says_by_whom_each_finding_is_stated(groups: dict[str, Any]) -> None:
    assert {id_: observers(group) for id_, group in groups.items()} == {
        "N1": {"121006", "121007"},
        "N2": {"121006", "121007"},
        "N3": {"121007"},
        "R1": {"121006"},
    }


def test_a_persons_finding_has_the_persons_size_and_no_algorithm(groups: dict[str, Any]) -> None:
    assert numbers(groups["R1"]) == {("103339001", "SCT"): (7.5, "mm")}
    assert texts(groups["R1"], "111001") == []
    assert texts(groups["N3"], "111001") == ["nodule"]


def test_names_the_reader_and_when_each_word_was_said(written: Path, groups: Any) -> None:
    document = hd.sr.srread(written)
    _, person = document.content.get_observer_contexts()
    assert person.observer_identifying_attributes.name == "Dr. Žofie Nováková^"
    assert [a.ObserverType for a in document.AuthorObserverSequence] == ["DEV", "PSN"]
    assert document.AuthorObserverSequence[1].PersonName == "Dr. Žofie Nováková^"
    assert document.SpecificCharacterSet == "ISO_IR 192"
    said_at = {
        str(item.ObservationDateTime)
        for item in groups["N1"][0].ContentSequence
        if "ObservationDateTime" in item
    }
    assert said_at == {"20260405060708+0000"}
    assert (document.ContentDate, document.ContentTime) == ("20260405", "060708")


def test_is_told_apart_from_the_first_by_its_series(case: Case, written: Path) -> None:
    segmentation = pydicom.dcmread(written.with_name("seg.dcm"))
    document = pydicom.dcmread(written)
    assert (document.SeriesNumber, segmentation.SeriesNumber) == (9712, 9711)
    assert "reviewed by a reader, not verified" in document.SeriesDescription
    assert "reviewed by a reader, not verified" in segmentation.SeriesDescription


def test_is_complete_when_a_reader_decided_on_everything(case: Case, tmp_path: Path) -> None:
    some = pydicom.dcmread(write(case, reviewed(case), tmp_path / "some"))
    everything = (*reviewed(case).reviews[0].decisions, decision("N3", verdict="accepted"))
    all_of_it = reviewed(case, decisions=everything)
    whole = pydicom.dcmread(write(case, all_of_it, tmp_path / "all"))
    assert (some.CompletionFlag, whole.CompletionFlag) == ("PARTIAL", "COMPLETE")
    assert {some.VerificationFlag, whole.VerificationFlag} == {"UNVERIFIED"}
    assert {some.PreliminaryFlag, whole.PreliminaryFlag} == {"PRELIMINARY"}
    assert "VerifyingObserverSequence" not in whole


def test_is_verified_when_a_named_reader_attests_to_it(
    case: Case, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    everything = (*reviewed(case).reviews[0].decisions, decision("N3", verdict="accepted"))
    report = reviewed(case, decisions=everything, attested_for="General Hospital")
    path = write(case, report, tmp_path)
    document = pydicom.dcmread(path)
    (observer,) = document.VerifyingObserverSequence
    assert observer.VerifyingObserverName == "Dr. Žofie Nováková^"
    assert observer.VerifyingOrganization == "General Hospital"
    assert str(observer.VerificationDateTime) == "20260405060708+0000"
    flags = (document.CompletionFlag, document.VerificationFlag, document.PreliminaryFlag)
    assert flags == ("COMPLETE", "VERIFIED", "FINAL")
    assert dciodvfy(path) == []


def test_nobody_attests_without_a_name(case: Case) -> None:
    with pytest.raises(ValueError, match="nobody is named"):
        reviewed(case, reader=" ", attested_for="General Hospital")


def test_follows_the_document_that_was_read(case: Case, tmp_path: Path) -> None:
    first = pydicom.dcmread(write(case, case.report, tmp_path / "first"))
    predecessor = read_predecessor(tmp_path / "first" / "sr.dcm", report=case.report)
    path = write(case, reviewed(case), tmp_path / "next", predecessor=predecessor)
    (study,) = pydicom.dcmread(path).PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    (document,) = series.ReferencedSOPSequence
    assert study.StudyInstanceUID == first.StudyInstanceUID
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    assert document.ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert document.ReferencedSOPClassUID == first.SOPClassUID


def test_refuses_a_predecessor_of_another_study(case: Case, tmp_path: Path) -> None:
    assert read_predecessor(tmp_path / "sr.dcm", report=case.report) is None
    other = pydicom.dcmread(write(case, case.report, tmp_path))
    other.StudyInstanceUID = "1.2.3"
    other.save_as(tmp_path / "other.dcm")
    (tmp_path / "broken.dcm").write_bytes(b"no DICOM")
    for name in ("other.dcm", "seg.dcm", "broken.dcm"):
        with pytest.raises(InputError) as refused:
            read_predecessor(tmp_path / name, report=case.report)
        assert refused.value.code == "FOREIGN_SR"


def test_is_valid(written: Path, dciodvfy: Callable[[Path], list[str]]) -> None:
    assert dciodvfy(written) == []
    assert dciodvfy(written.with_name("seg.dcm")) == []


def test_two_findings_on_one_nodule_have_names_of_their_own(case: Case) -> None:
    """Where a reader moved one onto the other, the one that lay there keeps its name."""
    first, second, third = case.report.findings
    place = first.nodule.measurement
    moved = replace(
        second, nodule=replace(second.nodule, center_lps_mm=first.nodule.center_lps_mm,
                               measurement=place)
    )  # fmt: skip
    (review,) = reviewed(case).reviews
    onto = decision("N2", moved_to_lps_mm=first.nodule.center_lps_mm)
    report = case.report.model_copy(
        update={
            "findings": (moved, first, third),
            "reviews": (review.model_copy(update={"decisions": (onto,), "additions": ()}),),
        }
    )
    before, after = tracking_uids(case.report), tracking_uids(report)
    assert len(set(after.values())) == 3
    assert after["N1"] == before["N1"]
    assert after["N2"] != before["N2"]


def test_a_finding_moved_within_its_nodule_keeps_its_name(case: Case) -> None:
    first, *others = case.report.findings
    x, y, z = first.nodule.center_lps_mm
    moved = replace(first, nodule=replace(first.nodule, center_lps_mm=(x + 1.0, y, z)))
    report = case.report.model_copy(update={"findings": (moved, *others)})
    assert tracking_uids(report) == tracking_uids(case.report)


def test_what_an_earlier_run_wrote_stays_as_it_is_while_nothing_changes(
    case: Case, tmp_path: Path
) -> None:
    then, now = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    earlier = write(case, case.report, tmp_path / "then", made_at=then)
    same = write(case, case.report, tmp_path / "now", made_at=now, earlier=tmp_path / "then")
    other = write(case, case.report, tmp_path / "apart", made_at=now)
    for name in ("sr.dcm", "seg.dcm"):
        first, again, dated = (p.with_name(name).read_bytes() for p in (earlier, same, other))
        assert first == again
        assert first != dated
    uids = {pydicom.dcmread(p).SOPInstanceUID for p in (earlier, other)}
    assert len(uids) == 2
    changed = case.report.model_copy(update={"findings": case.report.findings[:1]})
    kept = {"N1": case.masks["N1"]}
    write_dicom(
        changed, masks=kept, lungs=case.lungs, source=case.source, folder=tmp_path / "changed",
        made_at=now, earlier=tmp_path / "then",
    )  # fmt: skip
    assert pydicom.dcmread(tmp_path / "changed" / "sr.dcm").ContentDate == "20260302"
    (tmp_path / "then" / "sr.dcm").write_bytes(b"damaged")
    again = write(case, case.report, tmp_path / "new", made_at=now, earlier=tmp_path / "then")
    assert pydicom.dcmread(again).ContentDate == "20260302"
