"""What is stated about the person, and what the header says."""

import re
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from nodule.advice._person import age_in_years, known_person
from nodule.advice.context import Context, FindingFacts, read_context
from nodule.advice.statement import months_after
from nodule.errors import InputError
from nodule.guidelines.lung_rads import ReaderStatement
from nodule.study import PatientHeader

STATED = """
setting = "incidental"
age_years = 61
smoking = "former"
known_cancer = false
risk_factors = ["asbestos"]

[findings.N1]
lobe = "RUL"
spiculation = true
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "person.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_what_is_stated_and_leaves_the_rest_unknown(tmp_path: Path) -> None:
    context = read_context(written(tmp_path, STATED))
    assert (context.setting, context.age_years, context.known_cancer) == ("incidental", 61, False)
    assert context.immunosuppressed is None
    assert context.findings["N1"].lobe == "RUL"
    assert context.findings["N1"].benign_feature is None


def test_the_example_file_states_every_field_and_may_be_read() -> None:
    example = Path(__file__).parents[3] / "configs" / "person.toml"
    context = read_context(example)
    assert context.model_fields_set == Context.model_fields.keys() - {"findings", "reader"}
    text = example.read_text(encoding="utf-8")
    statement = {each.name for each in fields(ReaderStatement)}
    for table, keys in (
        ("findings.N1", FindingFacts.model_fields.keys()),
        ("reader", statement),
    ):
        lines = text.split(f"# [{table}]\n")[1].split("\n\n")[0].splitlines()
        named = {line.removeprefix("# ").split(" =")[0] for line in lines}
        assert named == keys


def test_every_line_of_the_example_file_may_be_stated(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "configs" / "person.toml").read_text(encoding="utf-8")
    whole = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    context = read_context(written(tmp_path, whole))
    assert context.reader == ReaderStatement(
        upgrade_to_4x=True,
        significant_other_finding=True,
        incomplete="suspected infection",
        diffuse_disease_judged=True,
    )
    assert context.findings["N1"].earlier_category == "3"


def test_what_is_given_beside_the_file_replaces_it(tmp_path: Path) -> None:
    context = read_context(
        written(tmp_path, STATED), setting="screening-baseline", indication="Round 1"
    )
    assert (context.setting, context.indication) == ("screening-baseline", "Round 1")
    assert context.smoking == "former"


def test_nothing_stated_is_nothing_known() -> None:
    assert read_context() == Context()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("smokes = true", "smokes"),
        ("age_years = 999", "age_years"),
        ("[findings.nodule]\nlobe = 'RUL'", "findings.nodule"),
        ("[findings.N1]\nlobe = 'Ms Doe'", "findings.N1.lobe"),
        ("[reader]\nincomplete = 'Ms Doe'", "reader.incomplete"),
        ("[reader]\ncategory = '4X'", "reader.category"),
        ("age_years = ", "not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_place_not_value(
    tmp_path: Path, text: str, place: str
) -> None:
    with pytest.raises(InputError, match="BAD_PERSON_FILE") as error:
        read_context(written(tmp_path, text))
    assert place in str(error.value)
    assert "Doe" not in str(error.value)
    assert "999" not in str(error.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_context(tmp_path / "person.toml")


@pytest.mark.parametrize(
    ("header", "years"),
    [
        (PatientHeader(age="061Y"), 61),
        (PatientHeader(age="011M"), 0),
        (PatientHeader(age="030M"), 2),
        (PatientHeader(birth_date="19500301", study_date="20200229"), 69),
        (PatientHeader(birth_date="19500229", study_date="20200301"), None),  # no such day
        (PatientHeader(birth_date="19500301", study_date="20200301"), 70),
        (PatientHeader(age="sixty"), None),
        (PatientHeader(birth_date="20200302", study_date="20200301"), None),
        (PatientHeader(), None),
    ],
)
def test_the_age_is_the_header_s_in_completed_years(
    header: PatientHeader, years: int | None
) -> None:
    assert age_in_years(header) == years


def test_a_statement_wins_over_the_header_and_the_difference_is_told() -> None:
    header = PatientHeader(age="061Y", sex="F")
    known = known_person(Context(age_years=16, sex="female"), header)
    assert known.person.age_years == 16
    assert len(known.notes) == 1
    assert "age" in known.notes[0]
    facts = {fact.name: (fact.value, fact.source) for fact in known.facts}
    assert facts["Age"] == ("16 years", "stated")
    assert facts["Known cancer"] == (None, None)


def test_the_header_s_sex_and_age_are_used_where_nobody_states_them() -> None:
    known = known_person(Context(), PatientHeader(age="061Y", sex="F"))
    assert (known.person.age_years, known.female) == (61, True)
    assert {f.source for f in known.facts if f.value is not None} == {"DICOM header"}
    assert known_person(Context(), PatientHeader(sex="O")).female is None


@pytest.mark.parametrize(
    ("context", "excluding"),
    [
        (Context(), None),
        (Context(prior_lung_cancer=False), None),
        (Context(prior_lung_cancer=False, cancer_within_5_years=False), False),
        (Context(cancer_within_5_years=True), True),
        (Context(known_cancer=True), True),
    ],
)
def test_a_history_is_free_of_cancer_only_where_all_of_it_is_stated(
    context: Context, excluding: bool | None
) -> None:
    assert known_person(context, PatientHeader()).excluding_cancer is excluding


@pytest.mark.parametrize(
    ("day", "months", "due"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 2), 12, date(2027, 1, 2)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2023, 8, 31), 6, date(2024, 2, 29)),
    ],
)
def test_months_are_counted_by_the_calendar(day: date, months: int, due: date) -> None:
    assert months_after(day, months) == due
