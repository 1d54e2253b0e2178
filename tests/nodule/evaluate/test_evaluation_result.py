"""One writer for JSON, tables, pictures and model cards."""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import (
    EvaluationResult,
    EvaluationScope,
    write_csv,
)
from nodule.weights import Weights
from nodule.weights.model_card import CardRows


@dataclass(frozen=True, kw_only=True)
class LineFigures:
    scope: EvaluationScope
    auc: Estimate | None
    hd95_mm: float


def result(*, seen: int = 0, perhaps: int = 0) -> EvaluationResult[LineFigures]:
    figures = LineFigures(
        scope=EvaluationScope(
            evaluation="line", patients=3, weights={"line": ("abc",)}, seen_patients=seen,
            perhaps_seen_patients=perhaps, bootstrap=BootstrapSettings(draws=7, seed=2),
        ),
        auc=Estimate(value=0.5, low=0.25, high=0.75, n=4, draws=7),
        hd95_mm=math.inf,
    )  # fmt: skip
    return EvaluationResult(
        figures=figures,
        files={"rows.csv": lambda path: write_csv(path, ("a", "b"), [(1, "x"), (2, "y")])},
        card=CardRows(
            heading="Fold 4", measured_on="Fold 4.", figures=(figures.auc.card_figure("AUC"),)
        ),
    )


def test_json_holds_the_scope_and_null_for_what_is_not_finite() -> None:
    assert json.loads(result().to_json()) == {
        "scope": {
            "evaluation": "line",
            "patients": 3,
            "weights": {"line": ["abc"]},
            "seen_patients": 0,
            "perhaps_seen_patients": 0,
            "bootstrap": {"draws": 7, "seed": 2, "confidence": 0.95},
        },
        "auc": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 4, "draws": 7},
        "hd95_mm": None,
    }


def test_a_folder_gets_the_same_json_and_every_file(tmp_path: Path) -> None:
    result().write(tmp_path / "new" / "out")
    out = tmp_path / "new" / "out"
    assert json.loads((out / "line.json").read_text()) == json.loads(result().to_json())
    with (out / "rows.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]


@pytest.mark.parametrize(
    ("seen", "perhaps", "said"),
    [(0, 0, []), (2, 0, ["2 patients were seen"]), (1, 3, ["1 patients were", "3 patients are"])],
)
def test_warns_of_patients_that_training_saw(seen: int, perhaps: int, said: list[str]) -> None:
    warnings = result(seen=seen, perhaps=perhaps).figures.scope.warnings
    assert [text[: len(part)] for text, part in zip(warnings, said, strict=True)] == said


def test_a_card_gets_the_rows_with_the_command_and_who_was_seen(tmp_path: Path) -> None:
    header = (
        '{"architecture": {}, "format": "nodule-weights-v1", "stage": "line", '
        '"training_patients": []}'
    )
    save_file({"k": np.zeros(2, np.float32)}, tmp_path / "w.safetensors", {"nodule": header})
    weights = Weights.open(tmp_path / "w.safetensors")
    result(seen=1).write_card([weights], command="nodule evaluate line")
    card = (tmp_path / "w.md").read_text()
    assert "### Fold 4\n\n`nodule evaluate line`\n" in card
    assert "Training saw 1 of the 3 patients" in card
    assert "| AUC | 0.500 | 0.250 to 0.750 | 4 |" in card
