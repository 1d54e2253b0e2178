from dataclasses import replace
from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.evaluate.leakage import seen_in_training
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
