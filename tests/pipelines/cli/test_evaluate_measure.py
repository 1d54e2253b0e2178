"""``nodule evaluate measure`` on three real nodules of a crop set without volumes of interest."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from nodule.errors import InputError
from pipelines.cli._evaluate_measure import measure

app = typer.Typer()
app.command()(measure)


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)


def test_measures_the_nodules_of_a_phantom_as_its_readers_did(
    phantom_crops: Path, tmp_path: Path
) -> None:
    ran = _run("--data", phantom_crops, "--draws", 20, "-o", tmp_path / "rows.csv")
    figures = json.loads(ran.stdout.splitlines()[-1])
    dice = figures["overall"]["dice"]
    assert figures["overall"]["n"] == dice["n"] == 3
    assert 0.7 < dice["low"] <= dice["value"] <= dice["high"] <= 1.0
    sizes = {name: group["n"] for name, group in figures["by_size"].items() if group["n"]}
    assert sum(sizes.values()) == 3
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 1 + 3


@pytest.fixture(scope="module")
def crop_set(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, folder = shared / "data/nodules", tmp_path_factory.mktemp("set")
    (folder / "stacks").mkdir()
    with (source / "stacks.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["n_readers"] == "4"]
    chosen = [row for row in rows if row["fold"] == "0" and float(row["eq_diameter_mm"]) > 8][:3]
    with (folder / "stacks.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(chosen[0]))
        writer.writeheader()
        writer.writerows(chosen)
    for row in chosen:
        shutil.copy(source / row["file"], folder / row["file"])
    return folder


def test_prints_figures_and_writes_a_row_a_nodule(crop_set: Path, tmp_path: Path) -> None:
    ran = _run("--data", crop_set, "--draws", 20, "-o", tmp_path / "rows.csv")
    figures = json.loads(ran.stdout.splitlines()[-1])
    dice = figures["overall"]["dice"]
    assert figures["overall"]["n"] == dice["n"] == 3
    assert 0.4 < dice["low"] <= dice["value"] <= dice["high"] <= 1.0
    assert sum(group["n"] for group in figures["by_size"].values()) == 3
    with (tmp_path / "rows.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert sorted(float(row["dice"]) for row in rows)[1] == pytest.approx(dice["value"], abs=1e-4)


def test_says_so_where_no_nodule_is_left(crop_set: Path) -> None:
    with pytest.raises(InputError) as caught:
        _run("--data", crop_set, "--fold", 3)
    assert caught.value.code == "NO_NODULES"
