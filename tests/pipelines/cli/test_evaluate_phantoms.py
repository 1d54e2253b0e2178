"""``nodule evaluate phantoms`` on one small phantom in place of those it would build."""

import csv
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nodule.evaluate.nodule_measurement import _phantom_evaluation as evaluation
from nodule.phantom import NodulePlan, PhantomSpec
from pipelines.cli._evaluate_phantoms import phantoms

app = typer.Typer()
app.command()(phantoms)

SPEC = PhantomSpec(
    seed=3,
    shape_zyx=(36, 110, 150),
    spacing_zyx_mm=(2.0, 2.0, 2.0),
    nodules=(NodulePlan(diameter_mm=14.0), NodulePlan(diameter_mm=16.0, lung="left")),
    vessels_per_ml=0.2,
)


def test_prints_figures_and_writes_a_row_a_nodule(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[int, int]] = []

    def one_spec(scans: int, *, seed: int) -> tuple[PhantomSpec, ...]:
        asked.append((scans, seed))
        return (SPEC,)

    monkeypatch.setattr(evaluation, "phantom_specs", one_spec)
    arguments = ["--scans", "1", "--seed", "5", "--draws", "20", "-o", str(tmp_path / "rows.csv")]
    ran = CliRunner().invoke(app, arguments, catch_exceptions=False)

    assert ran.exit_code == 0
    assert asked == [(1, 5)]
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert (figures["scope"]["patients"], figures["overall"]["n"]) == (1, 2)
    with (tmp_path / "rows.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    errors = [float(row["volume_mm3"]) / float(row["truth_mm3"]) - 1 for row in rows]
    assert [float(row["error"]) for row in rows] == pytest.approx(errors, abs=2e-4)
    assert figures["overall"]["error"]["median"] == pytest.approx(sum(errors) / 2, abs=2e-4)
    assert [float(row["truth_diameter_mm"]) for row in rows] == pytest.approx([14, 16], rel=1e-3)
