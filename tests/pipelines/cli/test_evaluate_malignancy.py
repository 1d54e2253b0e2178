"""``nodule evaluate malignancy`` on a few made-up nodules."""

import csv
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from made_up_crops import patients_of, write_crops
from typer.testing import CliRunner

from nodule.errors import InputError, WeightsError
from nodule.malignancy import Calibration
from nodule.malignancy._ensemble import raters
from nodule.weights import Weights, load_state, save_state
from pipelines.cli._evaluate_malignancy import malignancy

_PER_CLASS = 4
_FOLDS = ("0", "4")

app = typer.Typer()
app.command()(malignancy)

Evaluate = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def crop_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write four benign and four malignant nodules of fold 0 and of fold 4, a patient each."""
    ratings: dict[str, tuple[int, ...]] = {}
    for fold in map(int, _FOLDS):
        for number, patient in enumerate(itertools.islice(patients_of(fold), 2 * _PER_CLASS)):
            ratings[patient] = (4, 4, 5, 3) if number % 2 else (1, 2, 2, 3)
    return write_crops(tmp_path_factory.mktemp("set"), ratings)


@pytest.fixture
def members(crop_set: Path, tmp_path: Path) -> list[Path]:
    """Return two that rate under new names; each says it saw the other fold's patients."""
    with (crop_set / "stacks.csv").open(newline="") as stream:
        fold_of = {row["patient_id"]: row["fold"] for row in csv.DictReader(stream)}
    paths = []
    shipped = raters(Weights.shipped_members("malignancy"))
    for source, held_out in zip(shipped, _FOLDS, strict=False):
        paths.append(tmp_path / f"own.fold{held_out}.safetensors")
        save_state(
            paths[-1], load_state(source), stage="malignancy", architecture=source.architecture,
            training_patients=tuple(p for p, fold in fold_of.items() if fold != held_out),
        )  # fmt: skip
    return paths


@pytest.fixture
def evaluate(crop_set: Path, members: list[Path]) -> Evaluate:
    def run(*arguments: str, weights: list[Path] | None = None) -> dict[str, Any]:
        named = [f"--weights={path}" for path in weights or members]
        ran = CliRunner().invoke(
            app, [f"--data={crop_set}", "--draws=20", *named, *arguments], catch_exceptions=False
        )
        found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return found

    return run


@pytest.mark.slow
def test_every_nodule_is_assessed_by_the_member_that_held_its_patient_out(
    evaluate: Evaluate, tmp_path: Path, members: list[Path]
) -> None:
    found = evaluate("--folds", "--calibrate", "--card", "-o", str(tmp_path / "out"))
    counts = found["counts"]
    assert counts["n"] == counts["n_patients"] == 4 * _PER_CLASS
    assert counts["n_benign"] == counts["n_malignant"] == 2 * _PER_CLASS
    assert found["scope"]["seen_patients"] == 0
    for figure in (
        *(found["agreement"][name] for name in ("auc", "quadratic_weighted_kappa", "abstained")),
        found["baselines"]["diameter"]["auc_beyond"],
    ):
        assert figure["low"] <= figure["high"]
    assert sum(map(sum, found["confusion"]["counts"])) == counts["n"]
    with (tmp_path / "out/nodules.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["members"] for row in rows} == {"1"}
    assert json.loads((tmp_path / "out/malignancy.json").read_text()) == found
    assert (tmp_path / "out/roc.svg").is_file()
    fitted = Calibration.open(tmp_path / "own.calibration.json")
    assert set(fitted.members) == {Weights.open(path).sha256 for path in members}
    assert fitted.n_nodules == counts["n"]
    card = (tmp_path / "own.md").read_text()
    assert "### Agreement with readers, all patients\n" in card
    assert f"| AUC, benign against malignant | {found['agreement']['auc']['value']:.3f} |" in card
    assert all(Weights.open(path).sha256 in card for path in members)


def test_a_patient_whom_all_members_saw_has_no_member(
    evaluate: Evaluate, members: list[Path]
) -> None:
    with pytest.raises(InputError, match="8 of 16 patients") as refused:
        evaluate("--folds", weights=members[:1])
    assert refused.value.code == "NO_UNSEEN_MEMBER"


@pytest.mark.slow
def test_together_they_assess_nobody_whom_any_saw_unless_allowed(
    evaluate: Evaluate, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="SEEN_IN_TRAINING"):
        evaluate()
    found = evaluate("--allow-seen", "-o", str(tmp_path / "out"))
    assert found["scope"]["seen_patients"] == 16
    with (tmp_path / "out/nodules.csv").open() as stream:
        assert {row["members"] for row in csv.DictReader(stream)} == {"2"}


def test_a_calibration_of_other_weights_is_refused(
    evaluate: Evaluate, members: list[Path], tmp_path: Path
) -> None:
    shipped = Calibration.shipped("malignancy")
    shipped.write(tmp_path / "own.calibration.json")
    with pytest.raises(WeightsError, match="FOREIGN_CALIBRATION"):
        evaluate("--fold=0", weights=members[:1])


def test_says_so_when_no_rated_nodule_is_left(evaluate: Evaluate) -> None:
    with pytest.raises(InputError, match="NO_NODULES"):
        evaluate("--folds", "--min-readers=5")


def test_a_calibration_is_fitted_with_folds_alone(evaluate: Evaluate) -> None:
    with pytest.raises(InputError, match="CALIBRATE_WITHOUT_FOLDS"):
        evaluate("--calibrate", "--allow-seen")


def test_refuses_the_weights_of_another_stage(evaluate: Evaluate) -> None:
    with pytest.raises(WeightsError, match="WRONG_STAGE"):
        evaluate("--allow-seen", weights=[Weights.shipped("candidates").path])
