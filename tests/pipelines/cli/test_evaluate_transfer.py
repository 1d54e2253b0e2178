"""``nodule evaluate transfer`` on a few made-up nodules, with networks that know nothing."""

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from made_up_crops import patients_of, write_crops
from typer.testing import CliRunner

from nodule.errors import InputError
from nodule.malignancy.network import build
from nodule.weights import save_state
from pipelines.cli._evaluate_transfer import transfer

PATIENTS = tuple(itertools.islice(patients_of(4), 5))
VOTES = ((5, 5, 5, 4), (1, 1, 2, 2), (4, 4, 4, 4), (2, 2, 2, 1), (4, 3, 5, 4))
ARCHITECTURE = {"channels": [4, 4]}

app = typer.Typer()
app.command()(transfer)


@pytest.fixture
def crop_set(tmp_path: Path) -> Path:
    """Write five nodules of fold 4."""
    return write_crops(tmp_path / "set", dict(zip(PATIENTS, VOTES, strict=True)))


def weights(path: Path, *, seed: int, patients: tuple[str, ...] = ()) -> Path:
    torch.manual_seed(seed)
    save_state(
        path,
        build(ARCHITECTURE).state_dict(),
        stage="malignancy",
        architecture=ARCHITECTURE,
        training_patients=patients,
    )
    return path


def run(crop_set: Path, *words: object) -> dict[str, Any]:
    fixed = ("--data", crop_set, "--fold", 4, "--draws", 20, *words)
    ran = CliRunner().invoke(app, list(map(str, fixed)), catch_exceptions=False)
    summary: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return summary


def test_compares_two_groups_on_the_same_nodules(crop_set: Path, tmp_path: Path) -> None:
    one = weights(tmp_path / "one.safetensors", seed=1)
    two = weights(tmp_path / "two.safetensors", seed=2)
    three = weights(tmp_path / "three.safetensors", seed=3)
    table = tmp_path / "nodules.csv"
    found = run(
        crop_set, "--tuned", one, "--tuned", two, "--scratch", two, "--scratch", three, "-o", table
    )
    assert found["counts"]["n"] == found["counts"]["n_patients"] == len(PATIENTS)
    tuned, scratch = found["auc_of_each_tuned"], found["auc_of_each_scratch"]
    assert tuned[1] == scratch[0]
    assert found["auc_difference"]["value"] == pytest.approx((tuned[0] - scratch[1]) / 2)
    assert found["auc_difference"]["low"] <= found["auc_difference"]["high"]
    with table.open() as stream:
        rows = list(csv.DictReader(stream))
    # four readers rated it 5, 5, 5 and 4
    mean = {row["patient_id"]: row["readers_mean"] for row in rows}
    assert mean[PATIENTS[0]] == "4.75"


def test_refuses_weights_that_saw_a_patient_of_the_fold(crop_set: Path, tmp_path: Path) -> None:
    blind = weights(tmp_path / "one.safetensors", seed=1)
    seeing = weights(tmp_path / "two.safetensors", seed=2, patients=PATIENTS[1:2])
    with pytest.raises(InputError, match="SEEN_IN_TRAINING"):
        run(crop_set, "--tuned", seeing, "--scratch", blind)
