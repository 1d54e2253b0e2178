"""The loop learns, averages, resumes on the same curve and never trusts a changed checkpoint."""

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn

from nodule.errors import CacheCorruptError, ConfigError, StageError
from nodule.inference import SPEED_ONLY
from nodule.weights import Weights, load_state
from pipelines.interrupt import Interrupted, raise_on_signals
from pipelines.training.loop import train
from pipelines.training.task import Loop

LOOP = Loop(
    epochs=3, steps_per_epoch=5, batch_size=4, learning_rate=0.05, warmup_steps=3,
    average_decay=0.5, precision="fp32",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LineTask:
    """Learn y = 2x + 1 from exact points."""

    stage: str = "line"
    broken_from: int | None = field(default=None, metadata=SPEED_ONLY)  # a fault, not a setting
    seen: list[int] = field(default_factory=list, metadata=SPEED_ONLY)

    def network(self) -> nn.Module:
        return nn.Linear(1, 1)

    def architecture(self) -> Mapping[str, object]:
        return {"inputs": 1}

    def training_samples(self) -> "LineTask":
        return self

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        self.seen.append(index)
        x = torch.rand(1, generator=torch.Generator().manual_seed(index))
        y = 2 * x + 1
        if self.broken_from is not None and index >= self.broken_from:
            y = y * torch.nan
        return {"x": x, "y": y}

    def validation_samples(self) -> list[dict[str, Tensor]]:
        return [{"x": torch.tensor([v]), "y": torch.tensor([2 * v + 1])} for v in (0.0, 0.5, 1.0)]

    def losses(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"loss": nn.functional.mse_loss(network(batch["x"]), batch["y"])}

    def training_patients(self) -> tuple[str, ...]:
        return ("P2", "P1")


class StopAfter(Callback):
    """Break a run off as the user would."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch == self.epoch:
            msg = "power cut"
            raise RuntimeError(msg)


def curve(folder: Path) -> list[tuple[str, str]]:
    with (folder / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return [(r["step"], r["validation_loss"]) for r in rows if r["validation_loss"]]


def test_learns_a_line(tmp_path: Path) -> None:
    loop = Loop(epochs=20, steps_per_epoch=20, batch_size=8, learning_rate=0.1, average_decay=0.9,
                weight_decay=0.0, precision="fp32")  # fmt: skip
    state = load_state(Weights.open(train(LineTask(), loop, folder=tmp_path)))
    assert state["weight"].item() == pytest.approx(2.0, abs=0.05)
    assert state["bias"].item() == pytest.approx(1.0, abs=0.05)


def test_names_the_training_patients_in_the_weights(tmp_path: Path) -> None:
    weights = Weights.open(train(LineTask(), LOOP, folder=tmp_path))
    assert weights.training_patients == ("P1", "P2")
    assert weights.stage == "line"
    assert weights.architecture == {"inputs": 1}


def test_stores_kernels_in_half_precision_and_the_rest_in_full(tmp_path: Path) -> None:
    state = load_state(Weights.open(train(LineTask(), LOOP, folder=tmp_path)))
    assert {name: value.dtype for name, value in state.items()} == {
        "weight": torch.float16,
        "bias": torch.float32,
    }


def test_draws_every_sample_once_and_in_order(tmp_path: Path) -> None:
    task = LineTask()
    train(task, LOOP, folder=tmp_path)
    assert task.seen == list(range(3 * 5 * 4))


def test_keeps_the_curves_as_a_table_and_for_tensorboard(tmp_path: Path) -> None:
    train(LineTask(), LOOP, folder=tmp_path)
    assert [step for step, _ in curve(tmp_path)] == ["4", "9", "14"]
    (events,) = tmp_path.glob("events.out.tfevents.*")
    assert b"validation_loss" in events.read_bytes()


def test_resumes_on_the_curve_of_an_unbroken_run(tmp_path: Path) -> None:
    whole = train(LineTask(), LOOP, folder=tmp_path / "whole")
    with pytest.raises(RuntimeError, match="power cut"):
        train(LineTask(), LOOP, folder=tmp_path / "broken", callbacks=[StopAfter(2)])
    again = LineTask()
    resumed = train(again, LOOP, folder=tmp_path / "broken")
    assert again.seen == list(range(2 * 5 * 4, 3 * 5 * 4))
    assert resumed.read_bytes() == whole.read_bytes()
    assert curve(tmp_path / "broken")[-1] == curve(tmp_path / "whole")[-1]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    with pytest.raises(RuntimeError, match="power cut"):
        train(LineTask(), LOOP, folder=tmp_path, callbacks=[StopAfter(1)])
    return tmp_path


def test_refuses_to_go_on_with_another_learning_rate(broken: Path) -> None:
    before = (broken / "checkpoints" / "last.ckpt").read_bytes()
    slower = replace(LOOP, learning_rate=0.025)
    with pytest.raises(
        ConfigError, match=r"RUN_DIFFERS.*got loop\.learning_rate 0\.05 -> 0\.025\. Name another"
    ):
        train(LineTask(), slower, folder=broken)
    assert (broken / "checkpoints" / "last.ckpt").read_bytes() == before


def test_refuses_to_go_on_with_another_task(broken: Path) -> None:
    with pytest.raises(ConfigError, match=r'RUN_DIFFERS.*task\.stage "line" -> "curve"'):
        train(LineTask(stage="curve"), LOOP, folder=broken)


def test_refuses_to_go_on_with_a_run_whose_settings_are_not_known(broken: Path) -> None:
    (broken / "settings.json").unlink()
    with pytest.raises(ConfigError, match=r"RUN_DIFFERS.*no settings\.json"):
        train(LineTask(), LOOP, folder=broken)
    assert train(LineTask(), LOOP, folder=broken, accept_changes=True)


def test_the_number_of_workers_may_change(broken: Path) -> None:
    assert train(LineTask(), replace(LOOP, workers=1), folder=broken)


def test_accepted_changes_stay_on_record(broken: Path) -> None:
    train(LineTask(), replace(LOOP, weight_decay=0.0), folder=broken, accept_changes=True)
    first, second = json.loads((broken / "settings.json").read_bytes())
    assert (first["loop.weight_decay"], second["loop.weight_decay"]) == (0.01, 0.0)
    assert {**first, "loop.weight_decay": 0.0} == second


def test_settings_that_never_trained_a_step_bind_nobody(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        train(LineTask(), LOOP, folder=tmp_path, callbacks=[StopAfter(0)])
    assert train(LineTask(), replace(LOOP, learning_rate=0.025), folder=tmp_path)
    assert len(json.loads((tmp_path / "settings.json").read_bytes())) == 1


def test_stops_on_a_loss_that_is_not_finite_and_keeps_the_last_good(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="LOSS_NOT_FINITE"):
        train(LineTask(broken_from=25), LOOP, folder=tmp_path)
    resumed = train(LineTask(), LOOP, folder=tmp_path)
    assert all(torch.isfinite(t).all() for t in load_state(Weights.open(resumed)).values())


def test_refuses_a_checkpoint_that_has_changed(tmp_path: Path) -> None:
    train(LineTask(), LOOP, folder=tmp_path)
    last = tmp_path / "checkpoints" / "last.ckpt"
    content = bytearray(last.read_bytes())
    content[len(content) // 2] ^= 1
    last.write_bytes(bytes(content))
    with pytest.raises(CacheCorruptError, match="CHECKPOINT_CORRUPT"):
        train(LineTask(), LOOP, folder=tmp_path)


def test_stops_early_when_nothing_improves(tmp_path: Path) -> None:
    frozen = Loop(epochs=50, steps_per_epoch=1, batch_size=1, learning_rate=1e-12, patience=2,
                  precision="fp32")  # fmt: skip
    train(LineTask(), frozen, folder=tmp_path)
    assert len(curve(tmp_path)) < 10


def test_warms_up_then_falls_to_zero() -> None:
    loop = Loop(epochs=2, steps_per_epoch=50, batch_size=1, learning_rate=1.0, warmup_steps=10)
    assert loop.rate_factor(0) == pytest.approx(0.1)
    assert loop.rate_factor(9) == pytest.approx(1.0)
    assert loop.rate_factor(55) == pytest.approx(0.5)
    assert loop.rate_factor(100) == pytest.approx(0.0)


def test_refuses_a_loop_without_steps() -> None:
    with pytest.raises(ConfigError, match=r"BAD_VALUE: steps_per_epoch.*from 1"):
        Loop(epochs=1, steps_per_epoch=0, batch_size=1, learning_rate=1.0)


@pytest.mark.slow
def test_survives_a_kill(tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_loop import LOOP, LineTask, train
        train(LineTask(), LOOP, folder=Path({str(tmp_path / "killed")!r}))
    """)
    whole = train(LineTask(), LOOP, folder=tmp_path / "whole")
    process = subprocess.Popen([sys.executable, "-c", script])
    last = tmp_path / "killed" / "checkpoints" / "last.ckpt"
    while not last.is_file() and process.poll() is None:
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert last.is_file()
    resumed = train(LineTask(), LOOP, folder=tmp_path / "killed")
    assert resumed.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_signal_ends_it_and_it_resumes_on_the_curve(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Lightning has handlers of its own; ours must win."""

    class Signalled(Callback):
        def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            if trainer.current_epoch == 1:
                os.kill(os.getpid(), number)

    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    whole = train(LineTask(), LOOP, folder=tmp_path / "whole")
    try:
        raise_on_signals()
        with pytest.raises(Interrupted, match=number.name):
            train(LineTask(), LOOP, folder=tmp_path / "ended", callbacks=[Signalled()])
    finally:
        for each, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(each, handler)
    resumed = train(LineTask(), LOOP, folder=tmp_path / "ended")
    assert resumed.read_bytes() == whole.read_bytes()


def test_tells_on_a_card_what_was_really_run(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        train(LineTask(), LOOP, folder=tmp_path, callbacks=[StopAfter(1)])
    slower = replace(LOOP, learning_rate=0.025)
    weights = train(LineTask(), slower, folder=tmp_path, accept_changes=True)
    card = weights.with_suffix(".md").read_text()
    # two epochs of five steps after the break, which came after five
    assert "15 steps in 3 epochs; interruptions and resumptions: 1." in card.replace("\n", " ")
    assert "From step 5 on the loop ran with learning_rate 0.05 to 0.025." in card
    assert "| loop.learning_rate | 0.025 |" in card
    assert f"`{Weights.open(weights).sha256}`" in card


def test_leaves_the_card_of_a_finished_run_as_it_is(tmp_path: Path) -> None:
    task = LineTask()
    card = train(task, LOOP, folder=tmp_path).with_suffix(".md")
    once = card.read_bytes()
    train(task, LOOP, folder=tmp_path)
    assert card.read_bytes() == once


@pytest.mark.slow
def test_two_devices_take_as_many_steps_on_samples_of_their_own(tmp_path: Path) -> None:
    # each device is a process that runs the script anew
    script = tmp_path / "two.py"
    script.write_text(
        textwrap.dedent(f"""
        import json, os, sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
        from dataclasses import replace
        from pathlib import Path
        from test_loop import LOOP, LineTask, train
        folder, task = Path({str(tmp_path)!r}), LineTask()
        loop = replace(LOOP, epochs=2, steps_per_epoch=6)
        path = train(task, loop, folder=folder / "run", device="cpu", devices=2)
        said = {{"path": path and path.name, "seen": task.seen}}
        (folder / f"said{{os.environ['LOCAL_RANK']}}.json").write_text(json.dumps(said))
    """)
    )
    subprocess.run([sys.executable, script], check=True, capture_output=True)
    first, second = (json.loads((tmp_path / f"said{n}.json").read_text()) for n in (0, 1))
    assert (first["path"], second["path"]) == ("weights.safetensors", None)
    # 2 epochs of 6 steps of 4 samples for each
    assert len(first["seen"]) == len(second["seen"]) == 48
    assert sorted(first["seen"] + second["seen"]) == list(range(96))
    assert "12 steps in 2 epochs" in (tmp_path / "run" / "weights.md").read_text()
    with (tmp_path / "run" / "metrics.csv").open() as stream:
        rates = [float(r["lr-AdamW"]) for r in csv.DictReader(stream) if r["lr-AdamW"]]
    # the tenth step: two thirds of the way from the warm-up to the end, half a cosine
    assert rates[-1] == pytest.approx(0.05 * 0.25)
