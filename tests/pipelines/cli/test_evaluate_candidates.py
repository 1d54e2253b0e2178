"""``nodule evaluate candidates`` on a phantom, by an untrained network."""

import csv
import json
from pathlib import Path

import pytest
import torch
import typer
from click.testing import Result
from typer.testing import CliRunner

from nodule.candidates.network import HeatmapNetwork
from nodule.candidates.operating import OperatingTable
from nodule.errors import InputError
from nodule.weights import Weights, save_state
from pipelines.cli.dataset import dataset_app
from pipelines.cli.evaluate_candidates import candidates

TINY = {"channels": [4, 4, 4, 4], "depths": [1, 1, 1, 1]}

app = typer.Typer()
app.command()(candidates)


@pytest.fixture(scope="module")
def crop_set(phantom_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    ran = CliRunner().invoke(dataset_app, ["lidc", str(phantom_study), "-o", str(folder)])
    assert ran.exit_code == 0
    return folder


def untrained(path: Path, *, saw: tuple[str, ...]) -> Path:
    torch.manual_seed(0)
    network = HeatmapNetwork(**TINY)
    torch.nn.init.normal_(network.head.weight, std=0.5)
    save_state(
        path,
        network.state_dict(),
        stage="candidates",
        architecture=TINY,
        training_patients=saw,
    )
    return path


def evaluate(crop_set: Path, study: Path, weights: Path, *more: str) -> Result:
    arguments = ("--data", crop_set, "--scans", study, "--weights", weights, "--draws", 20, *more)
    return CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)


def test_measures_a_phantom_and_calibrates(
    crop_set: Path, phantom_study: Path, tmp_path: Path
) -> None:
    weights = untrained(tmp_path / "mine.safetensors", saw=())
    out = tmp_path / "out"
    ran = evaluate(crop_set, phantom_study, weights, "--calibrate", "-o", str(out))
    summary = json.loads(ran.stdout.splitlines()[-1])
    judges = Weights.shipped_members("malignancy")
    table = OperatingTable.beside(Weights.open(weights), *judges)
    assert table.n_scans == len(summary["scans"]) == 1
    for rate in ("4", "2", "1"):
        point = summary["operating_points"][rate]
        assert point["threshold"] == table.threshold_for(float(rate))
        assert point["fp_per_scan"] <= float(rate)
        assert point["n"] == sum(group["n"] for group in point["by_size_mm"].values())
    assert summary["seen_patients"] == 0
    assert json.loads((out / "candidates.json").read_text()) == summary
    with (out / "nodules.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == summary["n_nodules"]
    with (out / "marks.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == summary["scans"][0]["marks"]


def test_refuses_a_scan_seen_in_training_and_says_so_when_it_may(
    crop_set: Path, phantom_study: Path, tmp_path: Path
) -> None:
    weights = untrained(tmp_path / "mine.safetensors", saw=(phantom_study.name,))
    with pytest.raises(InputError) as refused:
        evaluate(crop_set, phantom_study, weights)
    assert refused.value.code == "SEEN_IN_TRAINING"
    ran = evaluate(crop_set, phantom_study, weights, "--allow-seen")
    assert json.loads(ran.stdout.splitlines()[-1])["seen_patients"] == 1
    assert "no performance" in ran.stderr


def test_refuses_a_fold_without_nodules(
    crop_set: Path, phantom_study: Path, tmp_path: Path
) -> None:
    weights = untrained(tmp_path / "mine.safetensors", saw=())
    with pytest.raises(InputError) as refused:
        evaluate(crop_set, phantom_study, weights, "--fold", "7")
    assert refused.value.code == "NO_NODULES"
