"""The loop's two halves for Lightning: what happens in a step, and which samples an epoch draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from nodule.errors import StageError
from pipelines.training._finetuning import RateGroup
from pipelines.training._two_slices import compute_two_slices_as_three
from pipelines.training.task import Loop, Sample, Samples, Task


class TrainedModule(pl.LightningModule):
    """A network and the losses of its task.

    Parameters
    ----------
    task, loop : what is trained, and how.
    network : with the weights to begin with.
    groups : all parameters that are trained, by learning rate.
    """

    def __init__(
        self, task: Task, loop: Loop, network: nn.Module, groups: Sequence[RateGroup]
    ) -> None:
        super().__init__()
        self.loop = loop
        compute_two_slices_as_three(network)
        self.network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self.groups = groups
        # a closure, because averaging copies the module deeply and must not copy the data
        self.losses: Callable[[nn.Module, Sample], Mapping[str, Tensor]] = lambda network, batch: (
            task.losses(network, batch)
        )

    def on_train_epoch_start(self) -> None:
        """Seed the epoch, so that dropout of a resumed run draws what an unbroken one's would."""
        entropy = (self.loop.seed, self.current_epoch, self.global_rank)
        torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))

    def training_step(self, batch: Sample, _: int) -> Tensor:
        """Return the loss of a batch.

        Raises
        ------
        StageError : ``LOSS_NOT_FINITE``.
        """
        losses = self.losses(self.network, _channels_last(batch))
        if not bool(torch.isfinite(losses["loss"])):
            raise StageError(
                f"the training loss is not finite at step {self.global_step}",
                code="LOSS_NOT_FINITE",
                got=losses["loss"].item(),
                hint="Lower the learning rate and continue the run with --accept-changes",
            )
        self.log_dict({f"training_{name}": value for name, value in losses.items()})
        return losses["loss"]

    def validation_step(self, batch: Sample, _: int) -> None:
        """Log the losses of a validation batch."""
        losses = self.losses(self.network, _channels_last(batch))
        size = len(next(iter(batch.values())))
        named = {f"validation_{name}": value for name, value in losses.items()}
        self.log_dict(named, batch_size=size, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """Return AdamW with a rate and a schedule for each group."""
        optimizer = torch.optim.AdamW(
            [{"params": group.parameters, "name": group.name} for group in self.groups],
            lr=self.loop.learning_rate,
            weight_decay=self.loop.weight_decay,
        )
        factors = [group.factor for group in self.groups]
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factors)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


class TrainingBatches(pl.LightningDataModule):
    """The batches of the epoch that is about to run, for all devices; Lightning splits them.

    Parameters
    ----------
    task, loop : what is trained, and how.
    validation : samples of each validation, empty for none.
    """

    def __init__(self, task: Task, loop: Loop, validation: Sequence[Sample]) -> None:
        super().__init__()
        self.samples = task.training_samples()
        self.validation = validation
        self.loop = loop

    def train_dataloader(self) -> DataLoader[Sample]:
        """Return the batches of the trainer's current epoch."""
        assert self.trainer is not None
        per_step = self.loop.batch_size * self.trainer.world_size
        length = self.loop.steps_per_epoch * per_step
        epoch = SampleSpan(self.samples, start=self.trainer.current_epoch * length, length=length)
        workers = self.loop.workers
        return DataLoader(epoch, batch_size=self.loop.batch_size, num_workers=workers)

    def val_dataloader(self) -> DataLoader[Sample] | list[Any]:
        """Return the batches of a validation."""
        if not self.validation:
            return []
        span = SampleSpan(self.validation, start=0, length=len(self.validation))
        return DataLoader(span, batch_size=self.loop.batch_size)


class SampleSpan(Dataset[Sample]):
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
