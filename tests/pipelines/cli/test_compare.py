"""``nodule compare`` on two phantoms with quick stand-ins for the networks."""

import csv
import functools
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydantic import TypeAdapter

from nodule.followup import Comparison
from nodule.report import Report
from nodule.report.tables import comparison_csv
from pipelines.cli._compare import summary

Compare = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def nodule_compare(light_nodule: Compare) -> Compare:
    return functools.partial(light_nodule, "compare")


@pytest.fixture(scope="module")
def later_study(phantom_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same chest half a year on: 2000-01-01 and 182 days, 10 mm up the table."""
    folder = tmp_path_factory.mktemp("later") / "CASE-2"
    shutil.copytree(phantom_study, folder)
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, z + 10]
        dataset.StudyDate = "20000701"
        dataset.SeriesInstanceUID += ".1"
        dataset.PatientName = "CANARY"
        dataset.save_as(path)
    return folder


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def test_writes_a_report_prints_a_table_and_ends_with_json(
    nodule_compare: Compare, phantom_study: Path, later_study: Path, tmp_path: Path
) -> None:
    done = nodule_compare(
        later_study, phantom_study, "-o", tmp_path / "out", "--context", "screening-annual"
    )
    out = tmp_path / "out" / "CASE-2"
    assert told(done) == {
        "folder": str(out),
        "matched": 2,
        "new": 0,
        "resolved": 0,
        "growth": {"not measured": 2},
        "days": 182,
        "warnings": ["LUNGS_CUT"],  # the stand-in takes the air about the body for lung
    }
    assert "doubling" in done.stdout
    assert "CANARY" not in done.stdout + done.stderr
    assert {path.name for path in out.iterdir()} == {
        "report.html",
        "report.json",
        "findings.csv",
        "management.csv",
        "comparison.csv",
        "lungs.nii.gz",
        "manifest.json",
        "nodules.nii.gz",
    }
    record = Report.model_validate_json((out / "report.json").read_bytes()).comparison
    assert record is not None
    assert (record.current.study_date, record.prior.study_date) == ("20000701", "20000101")
    assert record.registration.overlap > 0.95
    for change in record.changes:
        before, now = change.prior.nodule.center_lps_mm, change.current.nodule.center_lps_mm
        assert now[2] - before[2] == pytest.approx(10.0)
        assert change.distance_mm < 2.0
    rows = list(csv.DictReader(io.StringIO((out / "comparison.csv").read_text("utf-8-sig"))))
    assert [row["status"] for row in rows] == ["matched", "matched"]
    assert rows[0]["notes"].startswith("Not measured")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "prior CT of <time>2000-01-01</time>, 182 days before" in page


def test_a_run_with_a_prior_writes_the_same_bytes(
    nodule_compare: Compare,
    nodule_run: Compare,
    phantom_study: Path,
    later_study: Path,
    tmp_path: Path,
) -> None:
    told(nodule_compare(later_study, phantom_study, "-o", tmp_path / "a"))
    done = nodule_run(later_study, "--prior", phantom_study, "-o", tmp_path / "b")
    assert json.loads(done.stdout.splitlines()[-1])["done"][0]["ran"] == []
    files = sorted((tmp_path / "a" / "CASE-2").iterdir())
    assert len(files) == 8
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / "CASE-2" / path.name).read_bytes()


def test_a_prior_that_is_later_is_one_line_before_anything_runs(
    nodule_compare: Compare, phantom_study: Path, later_study: Path, tmp_path: Path
) -> None:
    done = nodule_compare(phantom_study, later_study, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith("PRIOR_IS_LATER")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "cache").exists()


def test_an_unreadable_prior_is_one_line(
    nodule_compare: Compare, phantom_study: Path, tmp_path: Path
) -> None:
    done = nodule_compare(phantom_study, tmp_path / "nowhere", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("NOT_FOUND")


def test_a_study_is_not_compared_with_itself(
    nodule_compare: Compare, phantom_study: Path, tmp_path: Path
) -> None:
    part = tmp_path / "part"  # other bytes, but the same series
    shutil.copytree(phantom_study, part)
    max(part.glob("*.dcm")).unlink()
    for prior in (phantom_study, part):
        done = nodule_compare(phantom_study, prior, "-o", tmp_path / "out")
        assert done.returncode == 2
        assert done.stderr.startswith("SAME_STUDY")
        assert done.stdout == ""
    assert not (tmp_path / "out").exists()


def finding(id_: str) -> dict[str, Any]:
    measurement = {
        "center_lps_mm": (0.0, 0.0, 0.0),
        "long_axis_mm": 8.0,
        "short_axis_mm": 7.0,
        "volume_mm3": 221.0,
        "texture": "solid",
    }
    nodule = {
        "id": id_,
        "center_lps_mm": (0.0, 0.0, 0.0),
        "image": {"number": 7, "count": 9},
        "lung": "left",
        "measurement": measurement,
    }
    return {"nodule": nodule, "assessment": None}


@pytest.fixture
def record() -> Comparison:
    study = {
        "study_instance_uid": None,
        "series_instance_uid": None,
        "study_date": "20240101",
        "input_sha256": "a" * 64,
    }
    change = {
        "current": finding("N1"),
        "prior": finding("N9"),
        "distance_mm": 1.0,
        "ambiguous": False,
        "volume_change_mm3": -12.0,
        "volume_change": {
            "name": "volume change",
            "value": -5.0,
            "low": -20.0,
            "high": 12.0,
            "unit": "%",
        },
        "diameter_change_mm": -0.1,
        "growth": "stable",
        "doubling_time": None,
        "notes": ("@SUM(A1)",),
    }
    unmatched = {
        "finding": finding("N2"),
        "place_in_other_lps_mm": (0.0, 0.0, 0.0),
        "covered": False,
        "ambiguous": False,
    }
    return TypeAdapter(Comparison).validate_python(
        {
            "current": study,
            "prior": study,
            "days": 100,
            "registration": {"overlap": 0.97, "surface_error_mm": 1.0},
            "changes": (change,),
            "new": (),
            "resolved": (unmatched,),
            "warnings": ({"code": "REGISTRATION_POOR", "message": "Poor."},),
        }
    )


def test_the_table_runs_nothing_in_a_spreadsheet(record: Comparison) -> None:
    matched, resolved = csv.DictReader(io.StringIO(comparison_csv(record)))
    assert matched["prior_id"] == "N9"
    assert matched["notes"] == "'@SUM(A1)"
    assert matched["volume_change_mm3"] == "-12.0"  # a number stays one
    assert matched["doubling_time_days"] == ""
    assert (resolved["status"], resolved["prior_id"], resolved["current_id"]) == (
        "resolved",
        "N2",
        "",
    )
    assert resolved["covered"] == "False"


def test_the_summary_counts_and_names_no_patient(record: Comparison) -> None:
    said = summary(record, Path("out"))
    assert (said["matched"], said["new"], said["resolved"]) == (1, 0, 1)
    assert said["growth"] == {"stable": 1}
    assert said["warnings"] == ["REGISTRATION_POOR"]
    assert "20240101" not in json.dumps(said)
