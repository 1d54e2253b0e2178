"""No field that holds text of a header, or of a person who typed it, gets into a report unseen."""

from dataclasses import fields, replace
from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import TypeAdapter

from nodule.advice import Context
from nodule.pseudonyms import Pseudonyms
from nodule.report import Report, ReportedNodule
from nodule.report.deidentified import (
    deidentified_patient,
    deidentified_report,
    deidentified_study,
)
from nodule.report.reader_review import AppliedDecision, AppliedReview
from nodule.study import PatientHeader, SeriesHeader, Study

PSEUDONYMS = Pseudonyms(key=b"an example, known to all")
ABOUT_THE_SCANNER = {"manufacturer", "model_name", "convolution_kernel"}  # the profile leaves them
OF_A_LIST = {"body_part"}  # one of the words that the reader of headers knows


def texts(kind: type) -> set[str]:
    """Return the fields of a type that hold any text."""
    hints = get_type_hints(kind)
    return {
        name
        for name, hint in hints.items()
        if hint is str or (isinstance(hint, UnionType) and str in get_args(hint))
    }


def silenced(header: SeriesHeader, study: Study) -> SeriesHeader:
    return deidentified_study(replace(study, series=header), PSEUDONYMS).series


def test_every_text_of_a_series_is_replaced_or_is_of_the_scanner(study: Study) -> None:
    names = texts(SeriesHeader)
    assert {"series_description", "study_instance_uid"} < names
    marked: Any = {name: "CANARY" for name in names}
    after = silenced(SeriesHeader(source_format="dicom", **marked), study)
    assert {n for n in names if getattr(after, n) == "CANARY"} == ABOUT_THE_SCANNER | OF_A_LIST


def test_every_text_of_a_patient_is_replaced() -> None:
    names = {field.name for field in fields(PatientHeader)}
    assert texts(PatientHeader) == names
    marked: Any = {name: "CANARY" for name in names}
    after = deidentified_patient(
        PatientHeader(**marked), PSEUDONYMS, study_uid="1.2.3", digest="0" * 64
    )
    assert after == PatientHeader(patient_id=PSEUDONYMS.person("CANARY"))


@pytest.mark.parametrize(
    ("age", "born", "examined", "expected"),
    [
        ("061Y", None, None, "061Y"),
        ("090Y", None, None, "090Y"),
        ("091Y", None, None, "090Y"),
        ("018M", None, None, "001Y"),
        (None, "19600203", "20260202", "065Y"),
        (None, "19600203", "20260203", "066Y"),
        (None, None, "20260203", None),
    ],
)
def test_an_age_stays_up_to_90_years(
    age: str | None, born: str | None, examined: str | None, expected: str | None
) -> None:
    patient = PatientHeader(patient_id="P", age=age, birth_date=born, study_date=examined)
    after = deidentified_patient(patient, PSEUDONYMS, study_uid=None, digest="")
    assert after == PatientHeader(patient_id=PSEUDONYMS.person("P"), age=expected)


def test_a_study_stands_for_a_person_without_a_number() -> None:
    named = [
        deidentified_patient(PatientHeader(), PSEUDONYMS, study_uid=uid, digest="ab").patient_id
        for uid in ("1.2", None)
    ]
    assert named == [PSEUDONYMS.person("1.2"), PSEUDONYMS.person("ab")]


def free_texts(schema: dict[str, Any], part: dict[str, Any]) -> set[str]:
    """Return the keys under which a part of a JSON schema takes any text."""
    if "$ref" in part:
        return free_texts(schema, schema["$defs"][part["$ref"].rpartition("/")[2]])
    found = set()
    for name, field in part.get("properties", {}).items():
        kinds = (field, field.get("items", {}), *field.get("anyOf", ()))
        bound = ("enum", "const", "format")
        if any(k.get("type") == "string" and not any(b in k for b in bound) for k in kinds):
            found.add(name)
        found |= set().union(*(free_texts(schema, kind) for kind in kinds))
    for kind in (part.get("additionalProperties"), part.get("items")):
        found |= free_texts(schema, kind) if isinstance(kind, dict) else set()
    return found


def test_every_text_of_a_review_and_of_a_finding_is_left_out_or_ours() -> None:
    """A new field of free text must be thought of."""
    review, finding = (TypeAdapter(kind).json_schema() for kind in (AppliedReview, ReportedNodule))
    typed = {"reader", "attested_for", "comment", "indication", "risk_factors"}
    ours = {"series_instance_uid", "added", "id"}  # a pseudonym, and R1, R2, …
    ours |= {f"{what}_sha256" for what in ("report", "input", "review")}
    assert free_texts(review, review) == typed | ours
    by_the_software = {"id", "sop_instance_uid", "word", "sha256"}
    assert free_texts(finding, finding) <= by_the_software | {"comment"}


def test_what_is_stated_of_a_person_is_of_lists_but_for_what_is_left_out() -> None:
    """A new field of free text must be thought of."""
    free = {
        name
        for name, field in Context.model_json_schema()["properties"].items()
        if any(
            part.get("type") == "string" and "enum" not in part and "const" not in part
            for part in (field, field.get("items", {}), *field.get("anyOf", ()))
        )
    }
    assert free == {"indication", "risk_factors"}


def test_texts_that_somebody_typed_are_gone_and_a_second_time_changes_nothing(
    report: Report,
) -> None:
    context = Context(indication="CANARY", risk_factors=("CANARY",), age_years=95, setting=None)
    once = deidentified_report(report.model_copy(update={"context": context}), PSEUDONYMS)
    assert once.context == Context(age_years=90)
    assert "CANARY" not in once.model_dump_json()
    assert "Doe" not in once.model_dump_json()
    assert deidentified_report(once, PSEUDONYMS) == once


def test_what_was_found_stays(report: Report) -> None:
    after = deidentified_report(report, PSEUDONYMS)
    for was, now in zip(report.findings, after.findings, strict=True):
        image = replace(was.nodule.image, sop_instance_uid=now.nodule.image.sop_instance_uid)
        assert replace(was, nodule=replace(was.nodule, image=image)) == now
        assert was.nodule.image.sop_instance_uid is not None
        assert now.nodule.image.sop_instance_uid == PSEUDONYMS.uid(
            was.nodule.image.sop_instance_uid
        )
    assert after.quality == report.quality
    assert after.provenance.input_sha256 == PSEUDONYMS.digest(report.provenance.input_sha256)


def test_what_a_reader_typed_and_who_it_was_are_gone(report: Report) -> None:
    said = AppliedReview(
        format="nodule-review-1",
        report_sha256="1" * 64,
        input_sha256=report.provenance.input_sha256,
        series_instance_uid="1.2.3",
        reader="CANARY",
        saved_at="2026-04-05T06:07:08Z",
        decisions=(
            AppliedDecision(id="N1", verdict="accepted", comment="CANARY", moved_from_lps_mm=None),
        ),
        context=Context(indication="CANARY", risk_factors=("CANARY",), age_years=95),
        attested_for="CANARY",
        review_sha256="2" * 64,
        added=(),
    )
    once = deidentified_report(report.model_copy(update={"reviews": (said,)}), PSEUDONYMS)
    text = once.model_dump_json()
    assert "CANARY" not in text
    assert "2026-04-05" not in text
    (review,) = once.reviews
    assert review.context == Context(age_years=90)
    assert review.decisions[0].verdict == "accepted"
