"""The one training loop: configuration, checkpoints, fine-tuning, history."""

from typing import TYPE_CHECKING

import lazy_loader

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

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "finetune_config": ["Finetune"],
        "loop": ["train"],
        "task": ["Loop", "Task"],
        "training_file": ["Training", "check_training", "read_training"],
        "training_request": ["TrainingRequest", "check_installed", "train_stage"],
    },
)
