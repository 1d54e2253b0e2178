"""Reports, tables, SR and SEG of one person's studies, from the files on."""

import pins
import pytest
import studies


@pytest.mark.parametrize("name", studies.WHOLE)
def test_a_study_says_what_it_said_before(name: str) -> None:
    pins.hold(f"study-{name}", studies.results(name))


def test_rules_are_asked_as_before() -> None:
    pins.hold("study-advice", studies.advice())
