from dataclasses import replace
from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.evaluate._leakage import (
    cannot_be_told,
    patients_of,
    seen_in_training,
    unseen_members,
)
from nodule.lidc import find_scans
from nodule.weights import Weights

WEIGHTS = Weights(
    sha256="abc",
    path=Path("mine.safetensors"),
    stage="candidates",
    architecture={},
    training_patients=("P1", "P2"),
)


def test_refuses_training_patients_and_tells_how_many_without_naming_them():
    with pytest.raises(InputError, match=r"SEEN_IN_TRAINING.*1 of 2") as refused:
        seen_in_training([WEIGHTS], ["P2", "P3"])
    assert "P2" not in str(refused.value)


def test_counts_whom_any_member_saw_once():
    other = replace(WEIGHTS, training_patients=("P2", "P3"))
    with pytest.raises(InputError, match=r"SEEN_IN_TRAINING.*3 of 4"):
        seen_in_training([WEIGHTS, other], ["P1", "P2", "P3", "P4"])


def test_names_them_where_they_are_allowed():
    assert seen_in_training([WEIGHTS], ["P2", "P3"], allow_seen=True) == {"P2"}


def test_new_patients_pass():
    assert seen_in_training([WEIGHTS], ["P3", "P4"]) == frozenset()


SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.179049373636438705059720603192"


def test_a_patient_is_seen_by_any_name():
    weights = replace(WEIGHTS, training_patients=(SERIES,))
    people = {"LIDC-IDRI-0001": {SERIES}, "LIDC-IDRI-0002": set()}
    with pytest.raises(InputError, match=r"SEEN_IN_TRAINING.*1 of 2"):
        seen_in_training([weights], people, also_called=people)


def test_a_member_that_saw_a_patient_by_another_name_does_not_assess():
    by_series = replace(WEIGHTS, training_patients=(SERIES,))
    people = {"LIDC-IDRI-0001": {SERIES}}
    assert unseen_members([WEIGHTS, by_series], people, also_called=people) == (WEIGHTS,)
    assert unseen_members([by_series], people, also_called=people) == (by_series,)


def test_numbers_say_nothing_on_whom_only_a_series_names():
    by_number = replace(WEIGHTS, training_patients=("LIDC-IDRI-0003",))
    people = {SERIES: set(), "LIDC-IDRI-0001": {SERIES}, "CASE-1": {"1.2.3"}}
    assert cannot_be_told([by_number], people) == {SERIES}
    by_series = replace(WEIGHTS, training_patients=(SERIES.replace("179", "180"),))
    assert cannot_be_told([by_series], people) == frozenset()
    assert cannot_be_told([by_series], {"LIDC-IDRI-0001": set()}) == {"LIDC-IDRI-0001"}
    assert cannot_be_told([WEIGHTS], people) == frozenset()


def test_a_real_scan_goes_by_its_folder_its_number_and_its_series(shared: Path, tmp_path: Path):
    scan = tmp_path / "CASE-7"
    scan.symlink_to(shared / "data/ct/LIDC-IDRI-0001")
    people = patients_of(find_scans(scan))
    assert people == {"CASE-7": {"CASE-7", "LIDC-IDRI-0001", SERIES}}
    known = {"LIDC-IDRI-0001": {SERIES, "1.2.3"}}
    assert patients_of(find_scans(scan), known=known) == {
        "LIDC-IDRI-0001": {"CASE-7", "LIDC-IDRI-0001", SERIES, "1.2.3"}
    }
    weights = replace(WEIGHTS, training_patients=(SERIES,))
    with pytest.raises(InputError, match="SEEN_IN_TRAINING"):
        seen_in_training([weights], people, also_called=people)
