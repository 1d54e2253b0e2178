"""``nodule check`` as its users meet it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from pipelines.cli._check import check


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})


@pytest.fixture
def real(shared: Path) -> Path:
    return shared / "data" / "ct" / "LIDC-IDRI-0001"


def test_shows_the_chosen_series(real: Path) -> None:
    result = run(real)
    assert result.exit_code == 0
    assert "133 x 512 x 512" in result.stdout
    assert "OK, chosen" in result.stdout
    assert "ignored NOT_DICOM: annotations.xml" in result.stdout
    assert "LIDC-IDRI" not in result.stdout


def test_json_names_the_chosen_series_and_its_grid(real: Path) -> None:
    result = run(real, "--json")
    document = json.loads(result.stdout)
    assert document["usable"] is True
    assert document["error"] is None
    (series,) = document["series"]
    assert document["chosen"]["series_uid"] == series["series_uid"]
    assert series["shape_zyx"] == [133, 512, 512]
    assert series["spacing_zyx_mm"] == pytest.approx([2.5, 0.703125, 0.703125])
    assert series["verdict"] == "OK"
    assert document["ignored"][0]["code"] == "NOT_DICOM"


def test_fails_when_nothing_is_usable_and_says_why(shared: Path) -> None:
    folder = shared / "hard/dicom2nifti/tests/data/failing/sliceincrement/001"
    result = run(folder)
    assert result.exit_code == 1
    assert "MISSING_SLICES" in result.stdout
    document = json.loads(run(folder, "--json").stdout)
    assert document["usable"] is False
    assert document["error"]["code"] == "MISSING_SLICES"
    assert document["error"]["expected"] == "one every 5.000 mm"


def test_reads_images_without_dicom(shared: Path) -> None:
    result = run(shared / "data/ct/background-lungfcp.nii.gz", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["series"][0]["spacing_zyx_mm"] == [1.0, 1.0, 1.0]


def test_markup_in_a_description_is_shown_as_text(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "[red]name[!red].txt"
    path.write_text("no image")
    assert "[red]name[!red].txt" in run(tmp_path).stdout
