"""Fine-tuning unfreezes layers by phase, leaves frozen ones alone, and survives a kill."""

import csv
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn

from nodule.errors import ConfigError
from nodule.weights import Weights, save_state
from nodule.weights.foreign import read_foreign
from pipelines.training.finetune_config import Finetune
from pipelines.training.loop import train
from pipelines.training.task import Loop

LOOP = Loop(
    epochs=4, steps_per_epoch=3, batch_size=4, learning_rate=0.05, warmup_steps=2,
    average_decay=0.5, precision="fp32",
)  # fmt: skip
PHASES = Finetune(phase_epochs=(1, 2, 1), rate_decay=0.5)


class Small(nn.Module):
    """Three layers with normalisation, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            *(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.1)) for _ in range(3))
        )
        self.head = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.head(self.backbone(x)))


@dataclass(frozen=True, kw_only=True)
class SumTask:
    """Learn to add two numbers."""

    stage: str = "sum"
    watched: int = 8

    def network(self) -> nn.Module:
        return Small()

    def architecture(self) -> Mapping[str, object]:
        return {}

    def training_samples(self) -> "SumTask":
        return self

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        x = torch.randn(2, generator=torch.Generator().manual_seed(index))
        return {"x": x, "y": x.sum(dim=0, keepdim=True)}

    def validation_samples(self) -> list[dict[str, Tensor]]:
        return [self[1000 + index] for index in range(self.watched)]

    def losses(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"loss": nn.functional.mse_loss(network(batch["x"]), batch["y"])}

    def training_patients(self) -> tuple[str, ...]:
        return ("P2",)


class Watch(Callback):
    """Keep every epoch's first and last state, which of it changed, and what has a gradient."""

    def __init__(self, stop_before: int | None = None) -> None:
        self.stop_before = stop_before
        self.changed: list[set[str]] = []
        self.before: dict[str, Tensor] = {}

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        if batch_idx == 0:
            state = pl_module.state_dict()
            self.before = {name: tensor.clone() for name, tensor in state.items()}
        if trainer.current_epoch == self.stop_before and batch_idx == 1:
            raise RuntimeError("power cut")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        now = pl_module.state_dict()
        changed = {name for name, old in self.before.items() if not torch.equal(old, now[name])}
        self.changed.append({".".join(name.split(".")[1:3]) for name in changed})


def learning(watch: Watch) -> list[set[str]]:
    """Return per epoch the layers, such as backbone.0, of which anything changed."""
    return [{name if "backbone" in name else "head" for name in names} for names in watch.changed]


def start(folder: Path) -> Path:
    """Write weights of the same network, of a patient of their own."""
    torch.manual_seed(5)
    path = folder / "start.safetensors"
    save_state(path, Small().state_dict(), stage="sum", architecture={}, training_patients=("P1",))
    return path


def test_trains_heads_then_the_last_layer_then_everything(tmp_path: Path) -> None:
    watch = Watch()
    train(SumTask(), LOOP, folder=tmp_path, finetune=PHASES, callbacks=[watch])
    last = {"head", "backbone.2"}
    # statistics of a normalisation are in its layer's state: they are frozen too
    assert learning(watch) == [{"head"}, last, last, last | {"backbone.0", "backbone.1"}]


@pytest.mark.parametrize(
    ("freeze", "woken"),
    [
        ("all", set()),
        ("partial", {"backbone.2"}),
        ("none", {"backbone.0", "backbone.1", "backbone.2"}),
    ],
)
def test_a_policy_keeps_layers_frozen_in_every_phase(
    tmp_path: Path, freeze: str, woken: set[str]
) -> None:
    finetune = replace(PHASES, freeze=freeze, frozen_share=0.67, phase_epochs=(0, 1, 3))
    watch = Watch()
    train(SumTask(), LOOP, folder=tmp_path, finetune=finetune, callbacks=[watch])
    assert learning(watch)[-1] == woken | {"head"}


def test_adaptive_freezes_the_least_important_layer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    finetune = replace(PHASES, freeze="adaptive", frozen_share=0.34, phase_epochs=(0, 0, 4))
    watch = Watch()
    with caplog.at_level(logging.INFO):
        train(SumTask(), LOOP, folder=tmp_path, finetune=finetune, callbacks=[watch])
    found = dict(re.findall(r"importance of (backbone\.\d)\.0: (\S+)", caplog.text))
    least = min(found, key=lambda name: float(found[name]))
    assert len(found) == 3
    assert learning(watch) == [{"head", *found} - {least}] * 4


def test_adaptive_needs_validation_samples(tmp_path: Path) -> None:
    finetune = replace(PHASES, freeze="adaptive")
    with pytest.raises(ConfigError, match="NO_VALIDATION"):
        train(SumTask(watched=0), LOOP, folder=tmp_path, finetune=finetune)


def test_a_layer_learns_slower_the_deeper_it_lies(tmp_path: Path) -> None:
    train(SumTask(), LOOP, folder=tmp_path, finetune=PHASES)
    with (tmp_path / "metrics.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("lr-AdamW/heads")]
    # step 9 opens the third phase: a quarter of the loop's rate, halved per layer
    rates = {name: float(value) for name, value in rows[-1].items() if name.startswith("lr-")}
    assert rates["lr-AdamW/backbone.2.0"] == pytest.approx(rates["lr-AdamW/heads"] / 2)
    assert rates["lr-AdamW/backbone.0.0"] == pytest.approx(rates["lr-AdamW/heads"] / 8)


def test_a_run_killed_in_its_second_phase_resumes_on_the_curve(tmp_path: Path) -> None:
    begin = read_foreign(start(tmp_path))
    finetune = replace(PHASES, freeze="adaptive", frozen_share=0.34)
    whole = train(SumTask(), LOOP, folder=tmp_path / "whole", start=begin, finetune=finetune)
    with pytest.raises(RuntimeError, match="power cut"):
        train(
            SumTask(), LOOP, folder=tmp_path / "broken", start=begin, finetune=finetune,
            callbacks=[Watch(stop_before=2)],
        )  # fmt: skip
    resumed = train(SumTask(), LOOP, folder=tmp_path / "broken", start=begin, finetune=finetune)
    assert resumed.read_bytes() == whole.read_bytes()


def test_patients_of_the_beginning_count_as_seen(tmp_path: Path) -> None:
    path = train(SumTask(), LOOP, folder=tmp_path / "run", start=read_foreign(start(tmp_path)))
    assert Weights.open(path).training_patients == ("P1", "P2")
    report = json.loads((tmp_path / "run/start.json").read_text())
    assert report["file"] == "start.safetensors"
    assert "backbone.0.0.weight" in report["matched"]
    assert report["fresh"] == report["unused"] == []


def test_the_model_card_tells_of_beginning_and_phases(tmp_path: Path) -> None:
    begin = read_foreign(start(tmp_path))
    train(SumTask(), LOOP, folder=tmp_path / "run", start=begin, finetune=PHASES)
    card = (tmp_path / "run/weights.md").read_text()
    assert f"start.safetensors, sha256 {begin.sha256}" in card
    assert "phase_epochs" in card


def test_says_that_nobody_knows_whose_scans_foreign_weights_saw(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.save(Small().state_dict(), tmp_path / "theirs.pt")
    begin = read_foreign(tmp_path / "theirs.pt")
    train(SumTask(), LOOP, folder=tmp_path / "run", start=begin)
    assert "theirs.pt does not state whose scans it was trained on" in caplog.text


def test_a_network_without_a_backbone_cannot_be_frozen(tmp_path: Path) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Flat(SumTask):
        def network(self) -> nn.Module:
            return nn.Linear(2, 1)

    with pytest.raises(ConfigError, match="NO_BACKBONE"):
        train(Flat(), LOOP, folder=tmp_path, finetune=PHASES)
