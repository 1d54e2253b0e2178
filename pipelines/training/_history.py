"""What a training run remembers of itself, through every break and resumption."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from nodule.weights.training_record import TrainingLeg, TrainingRun
from pipelines.training._checkpoints import DigestedCheckpoints
from pipelines.training.task import Loop, Task

_PACKAGES = ("nodule", "torch", "lightning", "monai", "numpy", "scipy")


class RunHistory(Callback):
    """Remembers in the checkpoints at which steps the run began and went on, and how.

    Parameters
    ----------
    loop : the settings from now on.
    """

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.legs: list[dict[str, Any]] = []
        self.running = False

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin a stretch at the first epoch, after those in the checkpoint."""
        if not self.running:
            self.legs.append({"first_step": trainer.global_step, "settings": settings(self.loop)})
        self.running = True

    def state_dict(self) -> dict[str, Any]:
        """Return what goes into a checkpoint."""
        return {"legs": self.legs}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what a checkpoint holds."""
        self.legs = list(state_dict["legs"])

    def describe(self, task: Task, trainer: Trainer, *, kept: Path, validated: bool) -> TrainingRun:
        """Return what a model card states about the run.

        Parameters
        ----------
        task : what was trained.
        trainer : after its run.
        kept : the checkpoint whose weights are kept.
        validated : whether a validation loss chose it.
        """
        checkpoint = DigestedCheckpoints().load_checkpoint(kept, weights_only=True)
        return TrainingRun(
            stage=task.stage,
            task=settings(task),
            legs=tuple(TrainingLeg(**leg) for leg in self.legs)
            # a finished run of before there was a history
            or (TrainingLeg(first_step=trainer.global_step, settings=settings(self.loop)),),
            steps=trainer.global_step,
            epochs=trainer.current_epoch,
            kept_step=checkpoint["global_step"],
            chosen_by="the lowest validation loss" if validated else "its being the last",
            versions={name: importlib.metadata.version(name) for name in _PACKAGES},
        )


def settings(section: Any) -> Mapping[str, object]:
    """Return the fields of a task or a loop, by name."""
    return {each.name: getattr(section, each.name) for each in fields(section)}
