import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nodule.errors import UsageError
from pipelines.cli._phantom import phantom


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(phantom)
    return app


def test_writes_a_study_and_prints_its_truth(tmp_path: Path) -> None:
    out = tmp_path / "study"
    arguments = ["-o", str(out), "--seed", "3", "--size", "small", "--nodules", "2"]
    result = CliRunner().invoke(_app(), arguments)
    assert result.exit_code == 0, result.output
    known = json.loads(result.stdout)
    assert len(known["nodules"]) == 2
    assert json.loads((out / "truth.json").read_text()) == known
    assert len(list(out.glob("*.dcm"))) == 112
    assert (out / "annotations.xml").is_file()


def test_writes_nifti(tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path), "--size", "small", "--nodules", "0", "--format", "nifti"]
    assert CliRunner().invoke(_app(), arguments).exit_code == 0
    assert (tmp_path / "ct.nii.gz").is_file()


@pytest.mark.parametrize("places", [[], ["-o", "one", "another"]])
def test_asks_for_one_folder(places: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(_app(), [*places, "--size", "small"])
    assert isinstance(result.exception, UsageError)
    assert result.exception.code == "ONE_FOLDER"


def test_takes_the_folder_as_an_argument_too(tmp_path: Path) -> None:
    arguments = [str(tmp_path), "--size", "small", "--nodules", "0", "--format", "nifti"]
    assert CliRunner().invoke(_app(), arguments).exit_code == 0
    assert (tmp_path / "truth.json").is_file()
