"""``nodule evaluate``."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli._evaluate import evaluate_app

FINDINGS = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"


@pytest.fixture
def tables(tmp_path: Path) -> list[str]:
    files = {
        "--submission": "seriesuid,coordX,coordY,coordZ,probability\n1.1,1,0,0,0.9\n1.2,0,0,0,0.8\n"
        "1.1,40,0,0,0.7\n1.9,0,0,0,0.5\n",
        "--annotations": f"{FINDINGS}1.1,0,0,0,6\n",
        "--excluded": f"{FINDINGS}1.1,40,0,0,-1\n",
        "--seriesuids": "1.1\n1.2\n",
    }
    arguments = []
    for option, text in files.items():
        path = tmp_path / f"{option[2:]}.csv"
        path.write_text(text)
        arguments += [option, str(path)]
    return arguments


def test_the_last_line_is_the_score_as_json(tables: list[str]) -> None:
    result = CliRunner().invoke(evaluate_app, ["froc", *tables])
    assert result.exit_code == 0, result.output
    score = json.loads(result.stdout.splitlines()[-1])
    whole = {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1, "draws": 1000}
    assert score["cpm"] == whole
    assert score["sensitivities"] == dict.fromkeys(
        ("0.125", "0.25", "0.5", "1", "2", "4", "8"), whole
    )
    counts = {name: score[name] for name in ("true_positives", "false_positives", "ignored")}
    assert counts == {"true_positives": 1, "false_positives": 1, "ignored": 1}
    assert score["marks_outside_series"] == 1
    assert score["scans"] == 2


def test_writes_the_curve_and_its_picture(tables: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(evaluate_app, ["froc", *tables, "-o", str(out), "--draws", "20"])
    assert result.exit_code == 0, result.output
    with (out / "froc.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert float(rows[0]["fp_per_scan"]) == 0.125
    assert float(rows[-1]["fp_per_scan"]) == 8.0
    assert {row["sensitivity"] for row in rows} == {"1.000000000"}
    assert (out / "froc.png").stat().st_size > 1000


def test_a_missing_table_is_a_usage_error(tables: list[str]) -> None:
    assert CliRunner().invoke(evaluate_app, ["froc", *tables[:-1], "absent.csv"]).exit_code == 2
