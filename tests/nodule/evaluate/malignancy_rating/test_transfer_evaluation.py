"""Two groups of networks are compared on the same nodules, each network by itself."""

import numpy as np
import pytest

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate.malignancy_rating._crop_predictions import NodulePrediction
from nodule.evaluate.malignancy_rating._transfer_evaluation import (
    compare,
    member_aucs,
    member_suspicion,
)
from nodule.malignancy._answers import LEVELS
from nodule.training import NoduleRecord


def prediction(patient: str, rating: int, said: tuple[float, ...]) -> NodulePrediction:
    """Return a nodule of one reader, and what members say of a vote above 3 rather than below."""
    record = NoduleRecord(
        kind="stack", file="none.npz", patient_id=patient, fold=4, center_lps_mm=None,
        spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=None, diameter_mm=5.0, n_readers=1,
        readers=(0,), ratings={}, voi_file=None,
    )  # fmt: skip
    votes = {name: (0,) * levels for name, levels in LEVELS.items()}
    votes["malignancy"] = tuple(int(rating == level) for level in range(1, 6))
    rows = [[0.25 * (1 - p), 0.25 * (1 - p), 0.5, 0.25 * p, 0.25 * p] for p in said]
    return NodulePrediction(
        record=record, votes=votes, probability=1.0, distributions=np.array(rows, np.float32),
        diameter_mm=5.0,
    )  # fmt: skip


# the first member orders every pair, the second all but B before C, the third none
NODULES = (
    prediction("A", 1, (0.1, 0.1, 0.9)),
    prediction("B", 2, (0.2, 0.7, 0.8)),
    prediction("C", 4, (0.8, 0.6, 0.2)),
    prediction("D", 5, (0.9, 0.9, 0.1)),
    prediction("E", 3, (0.5, 0.0, 0.0)),
)


def test_suspicion_leaves_the_indeterminate_rating_out() -> None:
    assert member_suspicion(NODULES)[:, 1] == pytest.approx([0.2, 0.7, 0.8])


def test_every_member_is_measured_alone() -> None:
    assert member_aucs(NODULES) == pytest.approx([1.0, 3 / 4, 0.0])


def test_a_group_is_the_mean_of_its_members_and_the_difference_is_paired() -> None:
    found = compare(NODULES, tuned=[0, 1], scratch=[2], bootstrap=BootstrapSettings(draws=50))
    assert found["auc_tuned"].value == pytest.approx(7 / 8)
    assert found["auc_scratch"].value == 0.0
    assert found["auc_difference"].value == pytest.approx(7 / 8)
    # the third member errs on every pair there is, so that each draw differs by the first two
    assert 0.5 <= found["auc_difference"].low <= 7 / 8 <= found["auc_difference"].high <= 1.0


def test_a_group_does_not_differ_from_itself() -> None:
    same = compare(NODULES, tuned=[1], scratch=[1], bootstrap=BootstrapSettings(draws=50))[
        "auc_difference"
    ]
    assert same.low == same.value == same.high == 0.0


def test_one_class_has_no_area() -> None:
    assert member_aucs(NODULES[:2]) == [None, None, None]
