from pathlib import Path

import pins
import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "PINNED", tmp_path)
    pins.renew("sizes", {"N1": [1.5, {"mm": 2.0}], "N2": None}, versions={"measure": 1})


def test_an_equal_answer_holds() -> None:
    answers = {"N1": (1.5 + 1e-9, {"mm": 2}), "N2": None}
    pins.hold("sizes", answers, versions={"measure": 1})


def test_a_change_is_named_by_its_place() -> None:
    answers = {"N1": [1.5, {"mm": 2.1}], "N3": False}
    with pytest.raises(AssertionError) as failed:
        pins.hold("sizes", answers, versions={"measure": 1})
    assert str(failed.value).splitlines() == [
        "sizes: 3 answers changed under the same versions {'measure': 1}:",
        "  N1[1].mm: 2.0, now 2.1",
        "  N2: gone, was null",
        "  N3: not pinned, now false",
    ]


def test_a_new_version_must_be_pinned_anew() -> None:
    with pytest.raises(AssertionError, match=r"pinned under .*renew\.py sizes"):
        pins.hold("sizes", {}, versions={"measure": 2})


def test_no_answer_changes_under_one_version() -> None:
    with pytest.raises(SystemExit, match="Raise the stage's version"):
        pins.renew("sizes", {"N1": 3.0}, versions={"measure": 1})
    assert pins.renew("sizes", {"N1": 3.0}, versions={"measure": 2}) == 2
    pins.hold("sizes", {"N1": 3.0}, versions={"measure": 2})
