"""Every requirement has tests, and they are there to be collected."""

from dataclasses import replace
from pathlib import Path

import pytest
import requirements

ROWS = requirements.read()
# of the bar for reliability; the numbers between were never given
ASKED = {f"R{n}" for n in (1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13, 14, 15, 18, 19, 20, 21)}
THREATS = {
    *("pickle in weights", "bundle expressions and targets", "archives", "XML entities"),
    *("UIDs as paths", "data file of a header", "decompression bombs"),
    *("HTML and CSV injection", "patient data", "DICOM listener"),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_requirement_has_tests_that_pytest_collects(row: requirements.Requirement) -> None:
    assert list(requirements.missing(row)) == []


def test_each_that_was_asked_for_has_one_row() -> None:
    ids = [row.id for row in ROWS]
    assert len(ids) == len(set(ids))
    assert set(ids) >= ASKED
    assert all(row.requirement and row.risk and row.mitigation for row in ROWS)


def test_every_threat_has_a_row() -> None:
    """R18."""
    assert {row.threat for row in ROWS if row.id.startswith("T")} >= THREATS


def test_a_test_that_is_gone_is_told() -> None:
    here = f"tests/{Path(__file__).name}"
    wrong = ["tests/test_nowhere.py", f"{here}::test_no_such", "tests/conftest.py", "README.md"]
    row = replace(ROWS[0], tests=(*wrong, f"{here}::test_a_test_that_is_gone_is_told", here))
    assert list(requirements.missing(row)) == wrong
    assert list(requirements.missing(replace(row, tests=()))) == ["no test"]


def test_the_page_is_that_of_the_table() -> None:
    assert requirements.PAGE.read_text(encoding="utf-8") == requirements.render(ROWS)
