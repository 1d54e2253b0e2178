from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_flows import INTEGERS, Shift, number, toy_flow

from nodule.errors import DicomSeriesError, UsageError
from pipelines.batch import Failure, run_batch, study_name
from pipelines.cache import Cache
from pipelines.runner import run_flow


def test_a_hundred_studies_of_which_ten_are_bad(cache: Cache) -> None:
    """R14: 90 results and 10 rows that say which, why and where."""

    class Refusing(Shift):
        def run(self, *, number: int, progress: object) -> int:
            if number % 10 == 3:
                raise DicomSeriesError("slices are missing", code="MISSING_SLICES", got=number)
            return number + 1

    def process(path: Path) -> int:
        source = number(int(path.name.removesuffix(".nii.gz")))
        flow = toy_flow(shift=Refusing())
        result = run_flow(flow, source, wanted=["shift"], cache=cache, codecs=INTEGERS)
        value: int = result.outputs["shift"]
        return value

    batch = run_batch([Path(f"in/{i}.nii.gz") for i in range(100)], process)
    assert batch.done == tuple(i + 1 for i in range(100) if i % 10 != 3)
    assert len(batch.failures) == 10
    assert batch.failures[1] == Failure(
        study="13",
        code="MISSING_SLICES",
        message="MISSING_SLICES: slices are missing; got 13",
        file="in/13.nii.gz",
    )


def test_a_defect_fails_its_study_alone_and_does_not_quote_it() -> None:
    def process(path: Path) -> str:
        if path.name == "bad":
            raise ValueError("DOE^JANE")
        return path.name

    batch = run_batch([Path("a"), Path("bad"), Path("b")], process)
    assert batch.done == ("a", "b")
    (failure,) = batch.failures
    assert failure.code == "UNEXPECTED"
    assert "ValueError at test_outcomes.py:" in failure.message
    assert "DOE" not in failure.message


def test_a_full_disk_fails_with_a_code() -> None:
    def process(path: Path) -> None:
        raise OSError(28, "No space left on device")

    (failure,) = run_batch([Path("a")], process).failures
    assert failure.code == "DISK_FAILED"
    assert "No space left" in failure.message


def test_wrong_usage_is_told_from_a_study_that_fails() -> None:
    def process(path: Path) -> None:
        error = UsageError if path.name == "typo" else DicomSeriesError
        raise error("it cannot be used", code="SOME_CODE")

    failures = run_batch([Path("typo"), Path("bad")], process).failures
    assert [each.is_usage for each in failures] == [True, False]


def test_an_interrupt_stops_the_batch() -> None:
    def process(path: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch([Path("a")], process)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("in/LIDC-IDRI-0001", "LIDC-IDRI-0001"),
        ("in/LIDC-IDRI-0001/", "LIDC-IDRI-0001"),
        ("scan.nii.gz", "scan"),
        ("scan.NII", "scan"),
        ("1.2.840.113.mhd", "1.2.840.113"),
        ("v1.5 export.zip", "v1.5_export"),
        ("in/case7/DICOMDIR", "case7"),
        ("Müller, Jörg", "Muller_Jorg"),
        ("肺", "study"),
        (".hidden", "hidden"),
        ("a/b/..", "a"),
        ("x" * 79, "x" * 79),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 80),
        ("x" * 300, "x" * 80),
    ],
)
def test_a_study_is_named_after_its_input(path: str, name: str) -> None:
    assert study_name(Path(path)) == name


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_a_study_name_is_always_one_safe_folder(text: str) -> None:
    name = study_name(Path("in") / text)
    assert name.isascii()
    assert Path(name).name == name
    assert not name.startswith(".")
    assert all(c.isalnum() or c in "._-" for c in name)
