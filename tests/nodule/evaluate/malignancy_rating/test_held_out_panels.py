"""A member never assesses a patient of its training."""

from pathlib import Path

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.evaluate.malignancy_rating._crop_predictions import SurroundingsPrediction
from nodule.evaluate.malignancy_rating._held_out_panels import join_surroundings, panels
from nodule.weights import Weights


def member(name: str, *saw: str) -> Weights:
    return Weights(
        sha256=name, path=Path(f"{name}.safetensors"), stage="malignancy", architecture={},
        training_patients=saw,
    )  # fmt: skip


A, B = member("a", "P1", "P2"), member("b", "P2", "P3")


def test_patients_are_assessed_by_members_that_held_them_out() -> None:
    found = {panel.members: panel.patients for panel in map(_named, panels([A, B], ["P1", "P3"]))}
    assert found == {("b",): {"P1"}, ("a",): {"P3"}}


def test_a_patient_seen_under_another_name_was_seen() -> None:
    (panel,) = panels([A, B], ["Q1"], also_called={"Q1": {"P1"}})
    assert panel.members == (B,)


def test_a_patient_of_another_collection_is_assessed_by_all() -> None:
    (panel,) = panels([A, B], ["Q1", "Q2", "Q1"])
    assert panel.members == (A, B)
    assert panel.patients == {"Q1", "Q2"}


def test_says_how_many_patients_have_no_member_and_what_to_do() -> None:
    with pytest.raises(InputError, match="1 of 2 patients") as refused:
        panels([A, B], ["P1", "P2"])
    assert refused.value.code == "NO_UNSEEN_MEMBER"
    assert "held_out_folds" in str(refused.value)


def test_places_of_several_panels_are_one() -> None:
    parts = [
        SurroundingsPrediction(
            patients=(name,), is_nodule=np.array([name == "P1"]), probability=np.array([p], "f4")
        )
        for name, p in (("P1", 0.75), ("P2", 0.25))
    ]
    whole = join_surroundings(parts)
    assert whole.patients == ("P1", "P2")
    assert whole.is_nodule.tolist() == [True, False]
    assert whole.probability.tolist() == [0.75, 0.25]


class _named:
    """A panel by its members' digests, which can be a key."""

    def __init__(self, panel: object) -> None:
        self.members = tuple(each.sha256 for each in panel.members)  # type: ignore[attr-defined]
        self.patients = panel.patients  # type: ignore[attr-defined]
