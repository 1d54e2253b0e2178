"""The one training loop: how any task is trained, killed and resumed.

A stage's room ``training`` knows its data, targets, augmentation and losses (a
:class:`~pipelines.training.task.Task`). The loop knows steps, schedules, weight averaging,
checkpoints and logs. Every run has one folder::

    RUN/weights.safetensors        the best averaged weights, for the stage to load; kernels are
                                   stored in half precision
    RUN/weights.md                 their model card
    RUN/checkpoints/last.ckpt      where a killed run goes on, with its digest beside it
    RUN/checkpoints/best.ckpt      the epoch with the lowest validation loss
    RUN/metrics.csv, RUN/events*   the curves, as a table and for TensorBoard
    RUN/start.json                 which tensors began with given weights, where any did
    RUN/settings.json              the settings of the run, which a resumed one must share
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

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
from torch import Tensor

from nodule.inference import Device, Precision, pick_device, uses_bf16
from nodule.weights import Weights, save_state
from nodule.weights.card_writing import write_training
from nodule.weights.foreign import ForeignWeights
from pipelines.training._checkpoints import DigestedCheckpoints
from pipelines.training._finetuning import Finetuning, begin_with, origin, rate_groups
from pipelines.training._history import RunHistory
from pipelines.training._lightning_modules import TrainedModule, TrainingBatches
from pipelines.training._run_settings import RunSettings
from pipelines.training.finetune_config import Finetune
from pipelines.training.task import Loop, Task


def train(
    task: Task,
    loop: Loop,
    *,
    folder: Path,
    device: Device = "auto",
    devices: int = 1,
    show_progress: bool = False,
    callbacks: Sequence[Callback] = (),
    start: ForeignWeights | None = None,
    finetune: Finetune | None = None,
    accept_changes: bool = False,
) -> Path | None:
    """Train a task, going on from ``folder``'s last checkpoint where there is one.

    Parameters
    ----------
    devices : GPUs, or CPU processes. Each beyond the first runs the whole program again, by its
        command line, and takes its share of every step: ``loop.batch_size`` samples of its own.
    start : weights to begin with instead of fresh ones, as far as they fit. A killed run is given
        them again: their training patients count as this run's.
    finetune : phases, rates and frozen layers; None lets everything learn at one rate.
    accept_changes : go on with a run that had other settings so far.

    Returns
    -------
    Path : the safetensors file with the best weights (the last ones without validation); None in
        all processes but the first, which writes it.

    Raises
    ------
    StageError : ``LOSS_NOT_FINITE``; the last good checkpoint stays.
    CacheCorruptError : ``CHECKPOINT_CORRUPT`` when the checkpoint is not the one that was saved.
    ConfigError : ``RUN_DIFFERS`` when the folder's run has other settings so far;
        ``BAD_FINETUNE``, ``NO_BACKBONE`` or ``NO_VALIDATION``.
    WeightsError : ``NOTHING_MATCHES``.
    """
    settings = RunSettings.of(task, loop, start=start, finetune=finetune, devices=devices)
    settings.claim(folder, accept_changes=accept_changes)
    pl.seed_everything(loop.seed, verbose=False)
    network = task.network()
    if start is not None:
        begin_with(start, network, folder=folder)
    module = TrainedModule(task, loop, network, rate_groups(network, finetune, loop))
    history = RunHistory(loop)
    validation = task.validation_samples()
    best = _keep_best(folder, validates=bool(validation))
    trainer = _trainer(
        loop, folder=folder, device=device, devices=devices, show_progress=show_progress,
        callbacks=[
            best, history, *_callbacks(loop, finetune, validates=bool(validation)), *callbacks,
        ],
        freezes=finetune is not None,
    )  # fmt: skip
    _fit(trainer, module, TrainingBatches(task, loop, validation), folder=folder)
    if not trainer.is_global_zero:
        return None
    kept = Path(best.best_model_path)
    path = _export(task, kept, folder / "weights.safetensors", start=start)
    run = history.describe(task, trainer, kept=kept, validated=bool(validation))
    write_training(Weights.open(path), replace(run, task={**run.task, **origin(start, finetune)}))
    return path


def _keep_best(folder: Path, *, validates: bool) -> ModelCheckpoint:
    """Keep the epoch with the lowest validation loss, or the last one where nothing validates."""
    return ModelCheckpoint(
        dirpath=folder / "checkpoints",
        filename="best",
        monitor="validation_loss" if validates else None,
        save_last=True,
        enable_version_counter=False,
        save_on_train_epoch_end=not validates,
    )


def _fit(
    trainer: pl.Trainer, module: TrainedModule, data: TrainingBatches, *, folder: Path
) -> None:
    last = folder / "checkpoints" / "last.ckpt"
    with warnings.catch_warnings():
        # a loader without worker processes is a choice here, and epochs are short
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        # and so is one without validation
        warnings.filterwarnings("ignore", message=".*`list` across ranks is zero.*")
        trainer.fit(
            module,
            datamodule=data,
            ckpt_path=last if last.is_file() else None,
            weights_only=True,
        )


def _trainer(
    loop: Loop,
    *,
    folder: Path,
    device: Device,
    devices: int,
    show_progress: bool,
    callbacks: list[Callback],
    freezes: bool,
) -> pl.Trainer:
    kind = pick_device(device)
    loggers: list[Logger] = [
        TensorBoardLogger(folder, name="", version=""),
        CSVLogger(folder, name="", version=""),
    ]
    return pl.Trainer(
        accelerator="gpu" if kind.type == "cuda" else "cpu",
        devices=devices,
        # what is frozen has no gradient to wait for
        strategy="ddp_find_unused_parameters_true" if freezes and devices > 1 else "auto",
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


def _callbacks(loop: Loop, finetune: Finetune | None, *, validates: bool) -> list[Callback]:
    callbacks: list[Callback] = [LearningRateMonitor(logging_interval="step")]
    if finetune is not None:
        finetune.check(loop)
        callbacks.append(Finetuning(finetune))
    if loop.average_decay > 0:
        callbacks.append(EMAWeightAveraging(decay=loop.average_decay))
    if loop.patience and validates:
        callbacks.append(EarlyStopping(monitor="validation_loss", patience=loop.patience))
    return callbacks


def _export(task: Task, checkpoint: Path, path: Path, *, start: ForeignWeights | None) -> Path:
    before = start.training_patients if start is not None else None
    state = DigestedCheckpoints().load_checkpoint(checkpoint, weights_only=True)["state_dict"]
    prefix = "network."
    save_state(
        path,
        {name.removeprefix(prefix): _for_storage(value) for name, value in state.items()},
        stage=task.stage,
        architecture=task.architecture(),
        training_patients=tuple({*task.training_patients(), *(before or ())}),
    )
    return path


def _for_storage(value: Tensor) -> Tensor:
    """Halve kernels, which are most of a file; bfloat16, in which they run, is coarser still."""
    return value.half() if value.ndim > 1 and value.is_floating_point() else value
