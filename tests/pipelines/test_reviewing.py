"""What was stated about the person stays after a review unless it is restated."""

from pathlib import Path

from nodule.advice.context import Context
from pipelines.request import RunRequest
from pipelines.reviewing import restated

STATED = Context(setting="incidental", indication="Cough", age_years=61, risk="low")


def asked(**stated: object) -> RunRequest:
    return RunRequest(studies=(Path("CASE-1"),), **stated)  # type: ignore[arg-type]


def test_what_is_not_restated_stays() -> None:
    assert restated(STATED, asked()) == STATED


def test_an_option_replaces_its_own_fact() -> None:
    after = restated(STATED, asked(indication="Fever"))
    assert after == STATED.model_copy(update={"indication": "Fever"})


def test_a_person_file_replaces_all_facts_but_what_options_state(tmp_path: Path) -> None:
    person = tmp_path / "person.toml"
    person.write_text("age_years = 70\n")
    after = restated(STATED, asked(person=person))
    assert after == Context(setting="incidental", indication="Cough", age_years=70)
