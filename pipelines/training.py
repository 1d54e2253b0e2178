"""The one training loop: how any task is trained, killed and resumed.

A stage's ``learn.py`` knows its data, targets, augmentation and losses (a
:class:`~pipelines.task.Task`). The loop knows steps, schedules, weight averaging, checkpoints
and logs. Every run has one folder::

    RUN/weights.safetensors        the best averaged weights, for the stage to load; kernels are
                                   stored in half precision
    RUN/weights.md                 their model card
    RUN/checkpoints/last.ckpt      where a killed run goes on, with its digest beside it
    RUN/checkpoints/best.ckpt      the epoch with the lowest validation loss
    RUN/metrics.csv, RUN/events*   the curves, as a table and for TensorBoard
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
    TQDMProgressBar,
)
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from nodule.errors import StageError
from nodule.inference import Device, Precision, pick_device, uses_bf16
from nodule.weights import Weights, save_state
from nodule.weights.card_files import write_training
from pipelines.checkpoints import DigestedCheckpoints
from pipelines.history import RunHistory
from pipelines.task import Loop, Sample, Samples, Task

logger = logging.getLogger(__name__)


def train(
    task: Task,
    loop: Loop,
    *,
    folder: Path,
    device: Device = "auto",
    devices: int = 1,
    show_progress: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Train a task, going on from ``folder``'s last checkpoint where there is one.

    Returns
    -------
    Path : the safetensors file with the best weights (the last ones without validation).

    Raises
    ------
    StageError : ``LOSS_NOT_FINITE``; the last good checkpoint stays.
    CacheCorruptError : ``CHECKPOINT_CORRUPT`` when the checkpoint is not the one that was saved.
    """
    pl.seed_everything(loop.seed, verbose=False)
    module = _Module(task, loop)
    history = RunHistory(loop)
    validation = task.validation_samples()
    best = ModelCheckpoint(
        dirpath=folder / "checkpoints",
        filename="best",
        monitor="validation_loss" if validation else None,
        save_last=True,
        enable_version_counter=False,
        save_on_train_epoch_end=not validation,
    )
    trainer = _trainer(
        loop, folder=folder, device=device, devices=devices, show_progress=show_progress,
        callbacks=[best, history, *_callbacks(loop, validates=bool(validation)), *callbacks],
    )  # fmt: skip
    last = folder / "checkpoints" / "last.ckpt"
    with warnings.catch_warnings():
        # a loader without worker processes is a choice here, and epochs are short
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        trainer.fit(
            module,
            datamodule=_Data(task, loop, validation),
            ckpt_path=last if last.is_file() else None,
            weights_only=True,
        )
    kept = Path(best.best_model_path)
    path = _export(task, kept, folder / "weights.safetensors")
    run = history.describe(task, trainer, kept=kept, validated=bool(validation))
    write_training(Weights.open(path), run)
    return path


def _trainer(
    loop: Loop,
    *,
    folder: Path,
    device: Device,
    devices: int,
    show_progress: bool,
    callbacks: list[Callback],
) -> pl.Trainer:
    kind = pick_device(device)
    loggers: list[Logger] = [
        TensorBoardLogger(folder, name="", version=""),
        CSVLogger(folder, name="", version=""),
    ]
    return pl.Trainer(
        accelerator="gpu" if kind.type == "cuda" else "cpu",
        devices=devices,
        precision=_lightning_precision(kind, loop.precision),
        max_epochs=loop.epochs,
        gradient_clip_val=loop.gradient_clip,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        logger=loggers,
        plugins=[DigestedCheckpoints()],
        callbacks=[*callbacks, *([TQDMProgressBar()] if show_progress else [])],
        enable_progress_bar=show_progress,
        enable_model_summary=False,
    )


def _lightning_precision(
    device: torch.device, precision: Precision
) -> Literal["bf16-mixed", "32-true"]:
    return "bf16-mixed" if uses_bf16(device, precision) else "32-true"


def _callbacks(loop: Loop, *, validates: bool) -> list[Callback]:
    callbacks: list[Callback] = [LearningRateMonitor(logging_interval="step")]
    if loop.average_decay > 0:
        callbacks.append(EMAWeightAveraging(decay=loop.average_decay))
    if loop.patience and validates:
        callbacks.append(EarlyStopping(monitor="validation_loss", patience=loop.patience))
    return callbacks


def _export(task: Task, checkpoint: Path, path: Path) -> Path:
    state = DigestedCheckpoints().load_checkpoint(checkpoint, weights_only=True)["state_dict"]
    prefix = "network."
    save_state(
        path,
        {name.removeprefix(prefix): _for_storage(value) for name, value in state.items()},
        stage=task.stage,
        architecture=task.architecture(),
        training_patients=task.training_patients(),
    )
    return path


def _for_storage(value: Tensor) -> Tensor:
    """Halve kernels, which are most of a file; bfloat16, in which they run, is coarser still."""
    return value.half() if value.ndim > 1 and value.is_floating_point() else value


class _Module(pl.LightningModule):
    """A network and the losses of its task."""

    def __init__(self, task: Task, loop: Loop) -> None:
        super().__init__()
        self.loop = loop
        self.network = task.network().to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        # a closure, because averaging copies the module deeply and must not copy the data
        self.losses: Callable[[nn.Module, Sample], Mapping[str, Tensor]] = lambda network, batch: (
            task.losses(network, batch)
        )

    def training_step(self, batch: Sample, _: int) -> Tensor:
        losses = self.losses(self.network, _channels_last(batch))
        if not bool(torch.isfinite(losses["loss"])):
            raise StageError(
                f"the training loss is not finite at step {self.global_step}",
                code="LOSS_NOT_FINITE",
                got=losses["loss"].item(),
                hint="Lower the learning rate and run again: it resumes before this step",
            )
        self.log_dict({f"training_{name}": value for name, value in losses.items()})
        return losses["loss"]

    def validation_step(self, batch: Sample, _: int) -> None:
        losses = self.losses(self.network, _channels_last(batch))
        size = len(next(iter(batch.values())))
        named = {f"validation_{name}": value for name, value in losses.items()}
        self.log_dict(named, batch_size=size, sync_dist=True)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(
            (p for p in self.network.parameters() if p.requires_grad),
            lr=self.loop.learning_rate,
            weight_decay=self.loop.weight_decay,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.loop.rate_factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


class _Data(pl.LightningDataModule):
    """The batches of the epoch that is about to run."""

    def __init__(self, task: Task, loop: Loop, validation: Sequence[Sample]) -> None:
        super().__init__()
        self.samples = task.training_samples()
        self.validation = validation
        self.loop = loop

    def train_dataloader(self) -> DataLoader[Sample]:
        assert self.trainer is not None
        length = self.loop.steps_per_epoch * self.loop.batch_size
        epoch = _Span(self.samples, start=self.trainer.current_epoch * length, length=length)
        workers = self.loop.workers
        return DataLoader(epoch, batch_size=self.loop.batch_size, num_workers=workers)

    def val_dataloader(self) -> DataLoader[Sample] | list[Any]:
        if not self.validation:
            return []
        span = _Span(self.validation, start=0, length=len(self.validation))
        return DataLoader(span, batch_size=self.loop.batch_size)


class _Span(Dataset[Sample]):
    """A stretch of a source of samples, counted from zero."""

    def __init__(self, source: Samples | Sequence[Sample], *, start: int, length: int) -> None:
        self.source = source
        self.start = start
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        return self.source[self.start + index]


def _channels_last(batch: Sample) -> Sample:
    return {
        name: value.contiguous(memory_format=torch.channels_last_3d)
        if value.ndim == 5 and value.is_floating_point()
        else value
        for name, value in batch.items()
    }
