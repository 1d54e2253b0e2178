"""``nodule evaluate malignancy`` on a few real nodules that the shipped weights never saw."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nodule.errors import InputError
from pipelines.cli.evaluate_malignancy import malignancy

NODULES = {
    ("LIDC-IDRI-0001", "n0"), ("LIDC-IDRI-0021", "n2"), ("LIDC-IDRI-0031", "n4"),
    ("LIDC-IDRI-0136", "n6"), ("LIDC-IDRI-0137", "n1"),
}  # fmt: skip

app = typer.Typer()
app.command()(malignancy)


@pytest.fixture
def crop_set(shared: Path, tmp_path: Path) -> Path:
    """Copy five nodules of fold 4 and one of fold 0."""
    source, folder = shared / "data/nodules", tmp_path / "set"
    (folder / "stacks").mkdir(parents=True)
    with (source / "stacks.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    kept = [r for r in rows if (r["patient_id"], r["key"]) in NODULES | {("LIDC-IDRI-0002", "n0")}]
    with (folder / "stacks.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    for row in kept:
        shutil.copy(source / row["file"], folder / row["file"])
    return folder


def test_patients_seen_in_training_are_left_out(crop_set: Path, tmp_path: Path) -> None:
    table = tmp_path / "nodules.csv"
    ran = CliRunner().invoke(
        app, ["--data", str(crop_set), "--draws", "10", "-o", str(table)], catch_exceptions=False
    )
    summary = json.loads(ran.stdout.splitlines()[-1])
    assert summary["n"] == summary["n_patients"] == len(NODULES)
    assert summary["seen_records_left_out"] == 1
    low, high = summary["quadratic_weighted_kappa_interval"]
    assert low <= high <= 1.0
    with table.open() as stream:
        written = {row["patient_id"]: row for row in csv.DictReader(stream)}
    assert set(written) == {patient for patient, _ in NODULES}
    # four readers rated 5, 5, 5 and 4
    assert written["LIDC-IDRI-0001"]["votes"] == "0|0|0|1|3"


def test_says_so_when_no_unseen_nodule_is_left(crop_set: Path) -> None:
    with pytest.raises(InputError) as refused:
        CliRunner().invoke(app, ["--data", str(crop_set), "--fold", "3"], catch_exceptions=False)
    assert refused.value.code == "NO_NODULES"
