"""The one training loop: configuration, checkpoints, fine-tuning, history."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.training.finetune_config import Finetune
    from pipelines.training.loop import train
    from pipelines.training.task import Loop, Task
    from pipelines.training.training_file import Training, check_training, read_training
    from pipelines.training.training_request import TrainingRequest, check_installed, train_stage

__all__ = [
    "Finetune",
    "Loop",
    "Task",
    "Training",
    "TrainingRequest",
    "check_installed",
    "check_training",
    "read_training",
    "train",
    "train_stage",
]

_HOMES = {
    "Finetune": "finetune_config",
    "Loop": "task",
    "Task": "task",
    "Training": "training_file",
    "TrainingRequest": "training_request",
    "check_installed": "training_request",
    "check_training": "training_file",
    "read_training": "training_file",
    "train": "loop",
    "train_stage": "training_request",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
