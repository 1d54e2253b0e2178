"""Figures count, group and list what was rated."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from predictions import PLAIN, prediction

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate._evaluation_result import EvaluationScope
from nodule.evaluate.malignancy_rating._calibrated_ratings import (
    CalibratedRatings,
    calibrated_ratings,
)
from nodule.evaluate.malignancy_rating._crop_predictions import (
    NodulePrediction,
    SurroundingsPrediction,
)
from nodule.evaluate.malignancy_rating._malignancy_evaluation import MalignancyRun
from nodule.evaluate.malignancy_rating._malignancy_figures import MalignancyFigures
from nodule.evaluate.malignancy_rating._malignancy_result import (
    malignancy_figures,
    malignancy_result,
    nodule_rows,
)

NOBODY = SurroundingsPrediction(
    patients=(), is_nodule=np.zeros(0, np.bool_), probability=np.zeros(0, np.float32)
)


def predicted() -> list[NodulePrediction]:
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
            prediction(
                votes, 4 if malignant else 2, patient=f"P{number}", fold=number // 12,
                diameter_mm=12.0 if malignant else 5.0 - number / 100,
                by_kind={"stack": 4 if malignant else 2},
            )
        )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def found() -> CalibratedRatings:
    return calibrated_ratings(predicted(), lambda each: PLAIN)


def run(found: CalibratedRatings, features: np.ndarray) -> MalignancyRun:
    return MalignancyRun(
        scope=EvaluationScope(evaluation="malignancy", patients=len(set(found.patients))),
        folds=(),
        found=found,
        choose=lambda each: PLAIN,
        calibration="none",
        rated_by="nobody",
        features=features,
        around=NOBODY,
    )


@pytest.fixture(scope="module")
def summary(found: CalibratedRatings) -> MalignancyFigures:
    settings = BootstrapSettings(draws=10)
    return malignancy_figures(run(found, np.log(found.diameter_mm)[:, None]), bootstrap=settings)


def test_counts_the_classes_and_those_between(summary: MalignancyFigures) -> None:
    counts = summary.counts
    assert counts.n == counts.n_patients == counts.n_rated_by_several == 24
    assert (counts.n_benign, counts.n_malignant, counts.n_dropped_at_3) == (10, 12, 2)
    assert summary.thresholds == (0.5,)


def test_figures_have_intervals_and_the_nodules_that_they_rest_on(
    summary: MalignancyFigures,
) -> None:
    area = summary.agreement.auc
    assert (area.value, area.low, area.high, area.n) == (1.0, 1.0, 1.0, 22)
    assert summary.agreement.mae.n == 24
    assert {name: each.auc.value for name, each in summary.baselines.items()} == {
        "diameter": 1.0,
        "radiomics": 1.0,
    }
    assert summary.baselines["diameter"].auc_beyond.value == 0.0
    assert summary.surroundings.false_removed_at_98_kept is None


def test_rounded_ratings_are_tabled(summary: MalignancyFigures) -> None:
    table = np.array(summary.confusion.counts)
    # rows are the readers': 2, 3 and 4; the two between were called 2
    assert (table[1, 1], table[2, 1], table[3, 3], table.sum()) == (10, 2, 12, 24)
    assert summary.classification.by_label["4"].recall == 1.0


def summed_up(found: CalibratedRatings) -> MalignancyFigures:
    settings = BootstrapSettings(draws=5)
    return malignancy_figures(run(found, found.diameter_mm[:, None]), bootstrap=settings)


def test_groups_too_small_for_figures_are_only_counted(summary: MalignancyFigures) -> None:
    assert summary.by_size["<6 mm"].counts.n == summary.by_size["10-<20 mm"].counts.n == 12
    assert summary.by_size["<6 mm"].agreement.mae is not None
    assert summary.by_texture["solid"].agreement.auc.value == 1.0
    assert set(summary.by_source) == {"stack"}
    few = summed_up(calibrated_ratings(predicted()[:9], lambda each: PLAIN))
    groups = {name: (group.counts.n, group.agreement) for name, group in few.by_size.items()}
    assert groups == {"10-<20 mm": (4, None), "<6 mm": (5, None)}


def test_every_nodule_has_a_row(found: CalibratedRatings) -> None:
    table = list(nodule_rows(found))
    assert len(table) == 24
    assert table[1]["votes"] == "0|0|0|3|0"
    assert (table[1]["called"], table[0]["called"]) == (1, 0)
    assert table[1]["p4"] == table[1]["raw_p4"] == "0.8400"


def test_texture_is_the_readers() -> None:
    misty = [
        replace(each, votes={**each.votes, "texture": (2, 1, 0, 0, 0)}) for each in predicted()
    ]
    dense = calibrated_ratings(misty, lambda each: PLAIN)
    assert set(summed_up(dense).by_texture) == {"ground-glass"}


def test_one_class_is_summed_up_without_what_needs_two() -> None:
    benign = calibrated_ratings(
        [each for each in predicted() if each.votes["malignancy"][1]], lambda each: PLAIN
    )
    figures = summed_up(benign)
    assert (figures.counts.n_benign, figures.counts.n_malignant) == (10, 0)
    assert figures.agreement.auc is None
    assert figures.agreement.sensitivity is None
    assert figures.baselines == {}
    mae = figures.agreement.mae
    assert mae.low <= mae.value <= mae.high


def test_writes_json_a_row_for_each_nodule_and_pictures(
    found: CalibratedRatings, tmp_path: Path
) -> None:
    result = malignancy_result(
        run(found, found.diameter_mm[:, None]), bootstrap=BootstrapSettings(draws=5, seed=3)
    )
    result.write(tmp_path)
    written = json.loads((tmp_path / "malignancy.json").read_text())
    assert written == json.loads(result.to_json())
    assert written["scope"]["bootstrap"] == {"draws": 5, "seed": 3, "confidence": 0.95}
    assert len((tmp_path / "nodules.csv").read_text().splitlines()) == 25
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".csv", ".png", ".svg"}
