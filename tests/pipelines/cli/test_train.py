"""``nodule train`` takes options in place of the file's, and begins with weights from elsewhere."""

import importlib.util
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
import typer
from torch import Tensor, nn
from typer.testing import CliRunner

from nodule.errors import ConfigError, UsageError
from nodule.lungs.training import LungsTask
from nodule.weights import Weights, load_state
from pipelines import flows
from pipelines.cli._train import train
from pipelines.cli.main import app as nodule_app

CONFIG = """
[task]
held_out_folds = []
patients_share = 0.5

[loop]
epochs = 3
steps_per_epoch = 2
batch_size = 2
learning_rate = 0.01
warmup_steps = 1
weight_decay = 0.0
gradient_clip = 1.0
average_decay = 0.0
patience = 0
precision = "fp32"
workers = 0
seed = 0

[finetune]
phase_epochs = [1, 1, 1]
phase_rates = [1.0, 0.5, 0.25]
last_layers = 1
rate_decay = 0.7
freeze = "all"
frozen_share = 0.5
"""

app = typer.Typer()
app.command()(train)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        self.head = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.head(self.backbone(x)))


@dataclass(frozen=True, kw_only=True)
class ToyTask:
    stage: ClassVar[str] = "toy"

    held_out_folds: tuple[int, ...] | None = None
    patients_share: float | None = None
    hard_negatives_from: Weights | None = None
    seed: int | None = None

    def network(self) -> nn.Module:
        return Small()

    def architecture(self) -> Mapping[str, object]:
        return {}

    def training_samples(self) -> "ToyTask":
        return self

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"x": torch.full((2,), float(index)), "y": torch.ones(1)}

    def validation_samples(self) -> list[dict[str, Tensor]]:
        return []

    def losses(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"loss": nn.functional.mse_loss(network(batch["x"]), batch["y"])}

    def training_patients(self) -> tuple[str, ...]:
        # what the task was told, where the test can read it
        return (f"share {self.patients_share}", f"folds {self.held_out_folds}", f"{self.seed}")


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    yield
    for package in ("nodule", "pipelines"):
        logging.getLogger(package).setLevel(logging.NOTSET)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(flows, "task_type", lambda stage: ToyTask)
    path = tmp_path / "toy.toml"
    path.write_text(CONFIG)
    return path


def refusal(*words: object) -> str:
    """Return what the whole command says of a mistake."""
    with pytest.raises(UsageError, match="WRONG_USAGE") as caught:
        CliRunner().invoke(nodule_app, ["train", *map(str, words)], catch_exceptions=False)
    return str(caught.value)


def run(*arguments: object) -> dict[str, Any]:
    words = ["lungs", *map(str, arguments)]
    ran = CliRunner().invoke(app, words, catch_exceptions=False)
    summary: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return summary


def test_begins_with_foreign_weights_and_keeps_the_frozen_backbone(
    config: Path, tmp_path: Path
) -> None:
    theirs = {
        f"module.{k}": torch.full_like(v, 0.5) for k, v in Small().backbone.state_dict().items()
    }
    torch.save({"state_dict": theirs}, tmp_path / "theirs.pth")
    summary = run(
        "--config", config, "-o", tmp_path / "run", "--start-from", tmp_path / "theirs.pth",
        "--patients-share", 0.1, "--held-out-fold", 3, "--seed", 5,
    )  # fmt: skip
    assert summary["start"] == {
        "file": "theirs.pth",
        "matched": 4,
        "widened": 0,
        "fresh": 2,
        "reshaped": 0,
        "unused": 0,
    }
    weights = Weights.open(Path(summary["weights"]))
    assert set(weights.training_patients) == {"share 0.1", "folds (3,)", "5"}
    state = load_state(weights)
    assert all((state[name] == 0.5).all() for name in state if name.startswith("backbone."))
    assert not (state["head.bias"] == 0.5).all()


def test_a_network_for_each_fold_is_one_command_that_goes_on(config: Path, tmp_path: Path) -> None:
    words = ("--config", config, "-o", tmp_path / "run", "--each-fold", 3)
    first = run(*words)["folds"]
    files = [Path(each["weights"]) for each in first]
    assert [each.parent.name for each in files] == ["fold0", "fold1", "fold2"]
    for fold, file in enumerate(files):
        assert f"folds ({fold},)" in Weights.open(file).training_patients
    shutil.rmtree(files[2].parent)  # as if it had not been reached
    again = run(*words)["folds"]
    assert [each["sha256"] for each in again] == [each["sha256"] for each in first]


def test_folds_in_turn_are_neither_held_out_always_nor_trained_by_several(
    config: Path, tmp_path: Path
) -> None:
    words = ("--config", config, "-o", tmp_path / "run", "--each-fold", 2)
    for more, code in ((("--held-out-fold", 0), "ONE_OF_BOTH"), (("--devices", 2), "ONE_DEVICE")):
        with pytest.raises(UsageError, match=code):
            run(*words, *more)


def test_says_nothing_of_a_beginning_where_there_was_none(config: Path, tmp_path: Path) -> None:
    summary = run("--config", config, "-o", tmp_path / "run")
    assert "start" not in summary
    assert summary["training_patients"] == 3


def test_refuses_weights_that_are_not_there(config: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"NO_WEIGHTS: .*none\.pt"):
        run("--config", config, "-o", tmp_path / "run", "--start-from", tmp_path / "none.pt")


def test_refuses_a_share_where_the_task_has_none(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "task_type", lambda stage: LungsTask)
    config.write_text(CONFIG.replace("held_out_folds = []\n", ""))
    with pytest.raises(ConfigError, match=r"UNKNOWN_KEY: .*patients_share"):
        run(
            "--config", config, "-o", tmp_path / "run", "--scans", tmp_path, "--patients-share", 0.1
        )


def test_refuses_what_cannot_be_on_the_command_line(tmp_path: Path) -> None:
    assert "'foo' is not one of 'lungs', 'candidates'" in refusal("foo", "-o", tmp_path)
    for option, value in {
        "--devices": 0,
        "--seed": -1,
        "--detections": tmp_path / "none.csv",
        "--hard-negatives-from": tmp_path / "none.safetensors",
    }.items():
        told = refusal("lungs", "-o", tmp_path, option, value)
        assert f"Invalid value for '{option}'" in told


def test_tells_which_options_name_the_data(tmp_path: Path) -> None:
    words = ["train", "candidates", "-o", str(tmp_path)]
    with pytest.raises(UsageError, match=r"NO_DATA.*--crop-set SET and --scans SCAN"):
        CliRunner().invoke(nodule_app, words, catch_exceptions=False)
    words += ["--crop-set", str(tmp_path)]
    with pytest.raises(UsageError, match=r"NO_DATA.*expected --scans SCAN"):
        CliRunner().invoke(nodule_app, words, catch_exceptions=False)


def test_tells_how_to_install_what_training_needs(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"NO_TRAINING_PACKAGES.*no lightning.*'\.\[train\]'"):
        run("--config", config, "-o", tmp_path / "run")


def test_weights_to_mine_with_are_found_from_where_we_are(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = Weights.shipped("candidates")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mine.safetensors").write_bytes(shipped.path.read_bytes())
    monkeypatch.chdir(tmp_path / "here")
    run("--config", config, "-o", tmp_path / "run", "--hard-negatives-from", "mine.safetensors")
    card = (tmp_path / "run" / "weights.md").read_text()
    assert f"| task.hard_negatives_from | mine.safetensors, sha256 `{shipped.sha256}` |" in card
    assert "that mine.safetensors was trained on are not counted" in card.replace("\n", " ")
