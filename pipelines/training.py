"""The one training loop: what a task is, and how any task is trained, killed and resumed.

A stage's ``learn.py`` knows its data, targets, augmentation and losses (a :class:`Task`). The
loop knows steps, schedules, weight averaging, checkpoints and logs. Every run has one folder::

    RUN/weights.safetensors        the best averaged weights, for the stage to load
    RUN/checkpoints/last.ckpt      where a killed run goes on, with its digest beside it
    RUN/checkpoints/best.ckpt      the epoch with the lowest validation loss
    RUN/metrics.csv, RUN/events*   the curves, as a table and for TensorBoard
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

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

from nodule.errors import ConfigError, StageError
from nodule.inference import Device, Precision, pick_device, uses_bf16
from nodule.weights import save_state
from pipelines.checkpoints import DigestedCheckpoints

logger = logging.getLogger(__name__)

Sample = Mapping[str, Tensor]


class Samples(Protocol):
    """An endless, random-access source of training samples.

    Sample ``index`` depends on the task's seed and on ``index`` alone, never on what was drawn
    before, so that a resumed run sees what an unbroken one would.
    """

    def __getitem__(self, index: int) -> Sample:
        """Return one sample without a batch axis."""
        ...


class Task(Protocol):
    """What a stage's ``learn.py`` gives the loop.

    A frozen dataclass named after its stage (``LungsTask``, ``CandidatesTask``,
    ``MalignancyTask``), whose fields are the ``[task]`` section of the training file.
    ``crop_set`` (a folder) and ``scans`` (folders or files) name the data, ``held_out_folds``
    the folds that training must not see, ``seed`` the randomness.
    """

    @property
    def stage(self) -> str:
        """Return the name of the stage that the weights are for."""
        ...

    def network(self) -> nn.Module:
        """Build a network with fresh weights."""
        ...

    def architecture(self) -> Mapping[str, object]:
        """Return the arguments that rebuild the network."""
        ...

    def training_samples(self) -> Samples:
        """Return the endless training samples."""
        ...

    def validation_samples(self) -> Sequence[Sample]:
        """Return the held-out samples, empty for none."""
        ...

    def losses(self, network: nn.Module, batch: Sample) -> Mapping[str, Tensor]:
        """Return named scalar losses of one batch; ``loss`` is the one to minimise."""
        ...

    def training_patients(self) -> tuple[str, ...]:
        """Return every patient whose data the training samples hold."""
        ...


@dataclass(frozen=True, kw_only=True)
class Loop:
    """How long and how fast to learn: the ``[loop]`` section of a training file.

    Parameters
    ----------
    epochs, steps_per_epoch, batch_size : an epoch is the span between two validations.
    learning_rate : AdamW's, after a linear warm-up and before a cosine decay to zero.
    warmup_steps : length of the warm-up.
    weight_decay : AdamW's.
    gradient_clip : largest gradient norm.
    average_decay : decay of the exponential moving average of the weights; 0 averages nothing.
    patience : epochs without a lower validation loss before stopping; 0 never stops early.
    precision : ``auto`` is bfloat16 where the machine is fast in it.
    workers : processes that make samples; 0 makes them in the loop.
    seed : of the fresh weights.

    Raises
    ------
    ConfigError : ``BAD_LOOP`` for a length that is not positive.
    """

    epochs: int
    steps_per_epoch: int
    batch_size: int
    learning_rate: float
    warmup_steps: int = 100
    weight_decay: float = 1e-2
    gradient_clip: float = 1.0
    average_decay: float = 0.999
    patience: int = 0
    precision: Precision = "auto"
    workers: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "steps_per_epoch", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ConfigError(
                    f"a training loop needs a positive {name}",
                    code="BAD_LOOP",
                    got=getattr(self, name),
                )

    def rate_factor(self, step: int) -> float:
        """Return the share of the learning rate at a step: linear warm-up, then half a cosine."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        last = self.epochs * self.steps_per_epoch
        share = (step - self.warmup_steps) / max(1, last - self.warmup_steps)
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, share)))


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
        callbacks=[best, *_callbacks(loop, validates=bool(validation)), *callbacks],
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
    return _export(task, Path(best.best_model_path), folder / "weights.safetensors")


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
        {name.removeprefix(prefix): value for name, value in state.items()},
        stage=task.stage,
        architecture=task.architecture(),
        training_patients=task.training_patients(),
    )
    return path


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
