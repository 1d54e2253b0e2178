"""``nodule check`` as its users meet it."""

import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import typer
from typer.testing import CliRunner, Result

from nodule.ct import read_ct
from nodule.errors import NoduleError
from pipelines.cli._check import check


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def gapped(phantom_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy a study without one of its inner slices."""
    folder = tmp_path_factory.mktemp("gapped") / "CASE-2"
    folder.mkdir()
    slices = sorted(phantom_study.glob("*.dcm"))
    for path in (*slices[:40], *slices[41:]):
        shutil.copy(path, folder)
    return folder


def test_shows_the_chosen_series(phantom_study: Path) -> None:
    result = run(phantom_study)
    assert result.exit_code == 0
    assert "112 x 144 x 144" in result.stdout
    assert "OK, chosen" in result.stdout
    assert "ignored NOT_DICOM: annotations.xml" in result.stdout
    assert "PHANTOM-" not in result.stdout  # who was scanned


def test_json_names_the_chosen_series_and_its_grid(phantom_study: Path) -> None:
    result = run(phantom_study, "--json")
    document = json.loads(result.stdout)
    assert document["usable"] is True
    assert document["error"] is None
    (series,) = document["series"]
    assert document["chosen"]["series_uid"] == series["series_uid"]
    assert series["shape_zyx"] == [112, 144, 144]
    assert series["spacing_zyx_mm"] == pytest.approx([2.5, 2.5, 2.5])
    assert series["verdict"] == "OK"
    assert document["ignored"][0]["code"] == "NOT_DICOM"


def test_shows_a_real_series(shared: Path) -> None:
    result = run(shared / "data" / "ct" / "LIDC-IDRI-0001")
    assert result.exit_code == 0
    assert "133 x 512 x 512" in result.stdout
    assert "LIDC-IDRI" not in result.stdout


def test_fails_when_nothing_is_usable_and_says_why(gapped: Path) -> None:
    result = run(gapped)
    assert result.exit_code == 1
    assert "MISSING_SLICES" in result.stdout
    document = json.loads(run(gapped, "--json").stdout)
    assert document["usable"] is False
    assert document["error"]["code"] == "MISSING_SLICES"
    assert document["error"]["expected"] == "one every 2.500 mm"
    assert document["error"]["got"] == "1 missing"


def test_reads_images_without_dicom(tmp_path: Path) -> None:
    array = np.linspace(-1000, 100, 4 * 5 * 6).reshape(4, 5, 6).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-1.0, -1.0, 1.5, 1.0])), tmp_path / "a.nii.gz")
    result = run(tmp_path / "a.nii.gz", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["series"][0]["spacing_zyx_mm"] == [1.5, 1.0, 1.0]


def test_markup_in_a_name_is_shown_as_text(tmp_path: Path) -> None:
    path = tmp_path / "[red]name[!red].txt"
    path.write_text("no image")
    assert "[red]name[!red].txt" in run(tmp_path).stdout


def test_reads_the_chosen_series_as_a_run_does(phantom_study: Path, tmp_path: Path) -> None:
    """Headers alone cannot tell that every value is 1024 too low."""
    for path in phantom_study.glob("*.dcm"):
        ds = pydicom.dcmread(path)
        ds.RescaleIntercept = float(ds.RescaleIntercept) - 1024
        ds.save_as(tmp_path / path.name)
    result = run(tmp_path, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (document["usable"], document["chosen"]) == (False, None)
    assert document["error"]["code"] == "NOT_HU"
    assert [series["verdict"] for series in document["series"]] == ["NOT_HU"]
    with pytest.raises(NoduleError, match="NOT_HU"):
        read_ct(tmp_path)


def test_tells_what_is_odd_about_the_chosen_series(phantom_study: Path, tmp_path: Path) -> None:
    for path in sorted(phantom_study.glob("*.dcm"))[:40]:  # of 2.5 mm
        shutil.copy(path, tmp_path)
    result = run(tmp_path)
    assert result.exit_code == 0
    assert "warning SHORT_COVERAGE: the series covers 100 mm" in result.stdout
    codes = [warning["code"] for warning in json.loads(run(tmp_path, "--json").stdout)["warnings"]]
    assert codes == ["SHORT_COVERAGE"]


def test_looks_for_the_lungs_where_that_is_asked(tmp_path: Path) -> None:
    """A cylinder of water in air is no chest."""
    _, y, x = np.indices((40, 80, 80))
    array = np.where(np.hypot(y - 40, x - 40) < 30, 40, -990).astype(np.int16)
    array[:, 0] = -1000
    nibabel.save(
        nibabel.Nifti1Image(array.T, np.diag([-4.0, -4.0, 4.0, 1.0])), tmp_path / "a.nii.gz"
    )
    assert run(tmp_path / "a.nii.gz").exit_code == 0
    result = run(tmp_path / "a.nii.gz", "--lungs", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "NO_LUNGS"
