"""``nodule benchmark`` on a phantom, by untrained networks."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nodule.candidates import HeatmapNetwork
from nodule.chain import Chain
from nodule.errors import StageError
from nodule.evaluate.speed import _yardstick
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
    monkeypatch.setattr(_yardstick, "_EDGE", 16)
    options = ["--sample", "2", "--passes", "2", "--engine", "torch"]
    ran = CliRunner().invoke(app, [str(phantom_study), *options], catch_exceptions=False)
    *table, last = ran.stdout.splitlines()
    summary = json.loads(last)
    unit = summary["yardstick"]["core_seconds"]
    assert [each["stage"] for each in summary["stages"]] == [
        "inventory",
        *Chain().stages,
        "report",
    ]
    for each in summary["stages"]:
        expected = each["steady"]["core_seconds"] / unit
        assert summary["ratios"][each["stage"]] == pytest.approx(expected)
    total = sum(each["steady"]["core_seconds"] for each in summary["stages"])
    assert summary["ratios"]["study"] == pytest.approx(total / unit)
    assert sum(each["share"] for each in summary["stages"]) == pytest.approx(1.0)
    assert summary["study"] == phantom_study.name
    assert summary["compute"].startswith("torch on ")
    assert len({len(line) for line in table}) == 1
    # the same figures, so nothing is slower; and half of them, so all is
    (tmp_path / "earlier.json").write_text(last)
    halved = {**summary, "ratios": {k: v / 100 for k, v in summary["ratios"].items()}}
    (tmp_path / "faster.json").write_text(json.dumps(halved))
    with pytest.raises(StageError, match=r"SLOWER.*study"):
        CliRunner().invoke(
            app,
            [str(phantom_study), *options, "--against", str(tmp_path / "faster.json")],
            catch_exceptions=False,
        )
