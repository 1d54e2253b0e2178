"""``nodule benchmark`` on a phantom, by an untrained network."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nodule.candidates import HeatmapNetwork
from nodule.weights import Weights, save_state
from pipelines.cli._benchmark import benchmark

TINY = {"channels": [4, 4, 4, 4], "depths": [1, 1, 1, 1]}

app = typer.Typer()
app.command()(benchmark)


def test_prints_a_table_and_ratios_of_its_own_times(
    phantom_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tiny.safetensors"
    save_state(
        path,
        HeatmapNetwork(**TINY).state_dict(),
        stage="candidates",
        architecture=TINY,
        training_patients=(),
    )
    shipped, tiny = Weights.shipped, Weights.open(path)
    monkeypatch.setattr(Weights, "shipped", lambda n: tiny if n == "candidates" else shipped(n))
    ran = CliRunner().invoke(app, [str(phantom_study), "--sample", "2"], catch_exceptions=False)
    *table, last = ran.stdout.splitlines()
    summary = json.loads(last)
    seconds = summary["shipped"]["seconds"]
    assert summary["faster_than_plain"] == summary["plain"]["seconds"] / seconds
    assert summary["faster_than_c3d"] == summary["c3d"]["seconds"] / seconds
    assert summary["c3d"]["timed_windows"] == 2
    assert summary["study"] == phantom_study.name
    assert len(table) == 5
    assert len({len(line) for line in table}) == 1
