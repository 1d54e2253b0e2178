"""The conformance statements say what the code does."""

import re
import sys
from pathlib import Path

import pydicom
import pytest

sys.path.append(str(Path(__file__).parent))

import statements


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[pydicom.Dataset]:
    return statements.written_objects(tmp_path_factory.mktemp("objects"))


def shipped(name: str) -> str:
    return (statements.FOLDER / name).read_text(encoding="utf-8")


def test_both_are_those_of_the_code(objects: list[pydicom.Dataset]) -> None:
    """After a meant change: ``python tests/conformance/statements.py``."""
    assert shipped(statements.DICOM) == statements.dicom_statement(objects)
    assert shipped(statements.IHE) == statements.ihe_statement(objects)


def test_every_attribute_concept_and_code_that_is_written_is_stated(
    objects: list[pydicom.Dataset],
) -> None:
    text = shipped(statements.DICOM)
    for each in objects:
        assert str(each.SOPClassUID) in text
        for element in each:
            assert f"| {element.keyword} |" in text
        for item in each.iterall():
            if item.keyword == "CodingSchemeDesignator":
                assert re.search(rf"Coding schemes: .*\b{re.escape(item.value)}\b", text)


def test_nothing_of_a_person_is_stated(objects: list[pydicom.Dataset]) -> None:
    for name in (statements.DICOM, statements.IHE):
        for word in ("Doe", "P-17", "Nováková", "Hospital"):
            assert word not in shipped(name)
