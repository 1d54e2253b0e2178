"""A run's settings are what decides its weights, in terms that a file can hold."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nodule.candidates.training import CandidatesTask
from nodule.errors import ConfigError
from nodule.weights import Weights
from pipelines.training._run_settings import RunSettings
from pipelines.training.finetune_config import Finetune
from pipelines.training.task import Loop

LOOP = Loop(epochs=3, steps_per_epoch=5, batch_size=4, learning_rate=0.05)
TASK = CandidatesTask(crop_set=Path("crops"), scans=(Path("one"), Path("two")), held_out_folds=(4,))


def settings(*, task: Any = TASK, loop: Loop = LOOP, **options: Any) -> RunSettings:
    plain: dict[str, Any] = {"start": None, "finetune": None, "devices": 1}
    return RunSettings.of(task, loop, **plain | options)


def continued(folder: Path, before: RunSettings, now: RunSettings) -> None:
    """Claim a folder in which a run left a checkpoint."""
    before.claim(folder, accept_changes=False)
    (folder / "checkpoints").mkdir(exist_ok=True)
    (folder / "checkpoints" / "last.ckpt").touch()
    now.claim(folder, accept_changes=False)


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"loop": replace(LOOP, epochs=4)}, "loop.epochs 3 -> 4"),
        ({"loop": replace(LOOP, batch_size=8)}, "loop.batch_size 4 -> 8"),
        ({"task": replace(TASK, held_out_folds=())}, r"task.held_out_folds \[4\] -> \[\]"),
        ({"task": replace(TASK, seed=1)}, "task.seed 0 -> 1"),
        ({"task": replace(TASK, scans=(Path("one"),))}, "task.scans .*two"),
        ({"finetune": Finetune(phase_epochs=(1, 1, 1))}, "finetune.freeze null -> .none."),
        ({"devices": 2}, "devices 1 -> 2"),
    ],
)
def test_what_decides_the_weights_must_not_change(
    tmp_path: Path, changed: dict[str, Any], difference: str
) -> None:
    with pytest.raises(ConfigError, match=f"RUN_DIFFERS.*{difference}"):
        continued(tmp_path, settings(), settings(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"loop": replace(LOOP, workers=3)},
        {"task": replace(TASK, store=Path("elsewhere"))},
        {"task": replace(TASK, crop_set=Path.cwd() / "crops")},
    ],
)
def test_what_does_not_may(tmp_path: Path, changed: dict[str, Any]) -> None:
    continued(tmp_path, settings(), settings(**changed))


def test_weights_count_by_their_digest() -> None:
    shipped = Weights.shipped("candidates")
    values = settings(task=replace(TASK, hard_negatives_from=shipped)).values
    assert values["task.hard_negatives_from"] == shipped.sha256


def test_accepted_settings_are_the_ones_to_keep_from_then_on(tmp_path: Path) -> None:
    slower = settings(loop=replace(LOOP, learning_rate=0.01))
    continued(tmp_path, settings(), settings())
    slower.claim(tmp_path, accept_changes=True)
    slower.claim(tmp_path, accept_changes=False)
    with pytest.raises(ConfigError, match=r"loop\.learning_rate 0\.01 -> 0\.05"):
        settings().claim(tmp_path, accept_changes=False)
