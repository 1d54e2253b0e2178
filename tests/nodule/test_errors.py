"""A message says what is wrong, what was expected, what was found and what to do, in that order."""

import pytest

from nodule.errors import DicomSeriesError, GeometryError, InputError, NoduleError, UsageError


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ({}, "A_CODE: it is wrong"),
        ({"expected": 3}, "A_CODE: it is wrong; expected 3"),
        ({"got": 0}, "A_CODE: it is wrong; got 0"),
        ({"hint": "Mend it."}, "A_CODE: it is wrong. Mend it."),
        (
            {"expected": 3, "got": 2, "hint": "Mend it."},
            "A_CODE: it is wrong; expected 3; got 2. Mend it.",
        ),
    ],
)
def test_a_message_is_one_line_with_the_code_first(rest: dict[str, object], text: str) -> None:
    assert str(NoduleError("it is wrong", code="A_CODE", **rest)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [UsageError, DicomSeriesError, GeometryError])
def test_whoever_catches_input_errors_catches_every_kind(kind: type[InputError]) -> None:
    with pytest.raises(InputError) as caught:
        raise kind("it is wrong", code="A_CODE")
    assert caught.value.code == "A_CODE"
