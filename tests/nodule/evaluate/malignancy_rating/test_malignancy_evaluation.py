"""The summary counts, groups and lists what was judged."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from judgements import PLAIN, judgement

from nodule.evaluate.malignancy_rating.calibrated_ratings import Assessment, assess
from nodule.evaluate.malignancy_rating.crop_predictions import Discernment, Judgement
from nodule.evaluate.malignancy_rating.malignancy_evaluation import (
    BootstrapSettings,
    rows,
    summarise,
)

NOBODY = Discernment(
    patients=(), is_nodule=np.zeros(0, np.bool_), probability=np.zeros(0, np.float32)
)


def judged() -> list[Judgement]:
    """Return 24 nodules of two folds: small benign, large malignant, every twelfth in between."""
    made = []
    for number in range(24):
        malignant = number % 2 == 1
        votes = (
            (0, 0, 3, 0, 0)
            if number % 12 == 0
            else (0, 0, 0, 3, 0)
            if malignant
            else (0, 3, 0, 0, 0)
        )
        made.append(
            judgement(
                votes, 4 if malignant else 2, patient=f"P{number}", fold=number // 12,
                diameter_mm=12.0 if malignant else 5.0 - number / 100,
                by_kind={"stack": 4 if malignant else 2},
            )
        )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def found() -> Assessment:
    return assess(judged(), lambda each: PLAIN)


@pytest.fixture(scope="module")
def summary(found: Assessment) -> dict[str, Any]:
    return summarise(
        found,
        choose=lambda each: PLAIN,
        features=np.log(found.diameter_mm)[:, None],
        around=NOBODY,
        draws=BootstrapSettings(count=10),
    )


def test_counts_the_classes_and_those_between(summary: dict[str, Any]) -> None:
    assert summary["n"] == summary["n_patients"] == summary["n_rated_by_several"] == 24
    counts = (summary["n_benign"], summary["n_malignant"], summary["n_dropped_at_3"])
    assert counts == (10, 12, 2)
    assert summary["thresholds"] == [0.5]


def test_figures_stand_beside_their_intervals(summary: dict[str, Any]) -> None:
    assert summary["auc"] == summary["auc_diameter"] == summary["auc_radiomics"] == 1.0
    assert summary["auc_interval"] == [1.0, 1.0]
    assert summary["auc_beyond_diameter"] == 0.0
    assert "false_removed_at_98_kept" not in summary


def test_rounded_ratings_are_tabled(summary: dict[str, Any]) -> None:
    table = np.array(summary["confusion_matrix"])
    # rows are the readers': 2, 3 and 4; the two between were called 2
    assert (table[1, 1], table[2, 1], table[3, 3], table.sum()) == (10, 2, 12, 24)
    assert summary["classification_report"]["4"]["recall"] == 1.0


def summed_up(found: Assessment) -> dict[str, Any]:
    return summarise(
        found,
        choose=lambda each: PLAIN,
        features=found.diameter_mm[:, None],
        around=NOBODY,
        draws=BootstrapSettings(count=5),
    )


def test_groups_too_small_for_figures_are_only_counted(summary: dict[str, Any]) -> None:
    assert summary["by_size"]["<6 mm"]["n"] == summary["by_size"]["10-<20 mm"]["n"] == 12
    assert "mae" in summary["by_size"]["<6 mm"]
    assert summary["by_texture"]["solid"]["auc"] == 1.0
    assert set(summary["by_source"]) == {"stack"}
    few = assess(judged()[:9], lambda each: PLAIN)
    told = summed_up(few)
    assert told["by_size"] == {"10-<20 mm": {"n": 4}, "<6 mm": {"n": 5}}


def test_every_nodule_has_a_row(found: Assessment) -> None:
    table = list(rows(found))
    assert len(table) == 24
    assert table[1]["votes"] == "0|0|0|3|0"
    assert (table[1]["called"], table[0]["called"]) == (1, 0)
    assert table[1]["p4"] == table[1]["raw_p4"] == "0.8400"


def test_texture_is_the_readers() -> None:
    misty = [replace(each, votes={**each.votes, "texture": (2, 1, 0, 0, 0)}) for each in judged()]
    dense = assess(misty, lambda each: PLAIN)
    told = summed_up(dense)
    assert set(told["by_texture"]) == {"ground-glass"}


def test_one_class_is_summed_up_without_what_needs_two() -> None:
    benign = assess([each for each in judged() if each.votes["malignancy"][1]], lambda each: PLAIN)
    told = summed_up(benign)
    assert (told["n_benign"], told["n_malignant"]) == (10, 0)
    assert not {"auc", "auc_diameter", "auc_beyond_diameter", "sensitivity"} & told.keys()
    assert told["mae_interval"][0] <= told["mae"] <= told["mae_interval"][1]
    assert "NaN" not in json.dumps(told)
