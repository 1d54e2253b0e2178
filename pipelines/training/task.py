"""What the training loop asks for: a task, and how long and how fast to train it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Protocol

from annotated_types import Interval

from nodule.inference import SPEED_ONLY, Precision
from nodule.ranges import RandomSeed, Share, check_fields

if TYPE_CHECKING:
    from torch import Tensor, nn

Sample = Mapping[str, "Tensor"]
Count = Annotated[int, Interval(ge=1, le=1_000_000)]
CountOrNone = Annotated[int, Interval(ge=0, le=1_000_000)]


class Samples(Protocol):
    """An endless, random-access source of training samples.

    Sample ``index`` depends on the task's seed and on ``index`` alone, never on what was drawn
    before, so that a resumed run sees what an unbroken one would.
    """

    def __getitem__(self, index: int) -> Sample:
        """Return one sample without a batch axis."""
        ...


class Task(Protocol):
    """What a stage's room ``training`` gives the loop.

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
    epochs, steps_per_epoch : an epoch is the span between two validations.
    batch_size : samples that each device takes in a step, so that two see twice as many.
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
    ConfigError : ``BAD_VALUE``.
    """

    epochs: Count
    steps_per_epoch: Count
    batch_size: Annotated[int, Interval(ge=1, le=65_536)]
    learning_rate: Annotated[float, Interval(gt=0, le=1)]
    warmup_steps: CountOrNone = 100
    weight_decay: Share = 1e-2
    gradient_clip: Annotated[float, Interval(ge=0, le=1_000_000)] = 1.0
    average_decay: Annotated[float, Interval(ge=0, lt=1)] = 0.999
    patience: CountOrNone = 0
    precision: Precision = "auto"
    workers: Annotated[int, Interval(ge=0, le=1024)] = field(default=0, metadata=SPEED_ONLY)
    seed: RandomSeed = 0

    def __post_init__(self) -> None:
        check_fields(self)

    def rate_factor(self, step: int) -> float:
        """Return the share of the learning rate at a step: linear warm-up, then half a cosine."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        last = self.epochs * self.steps_per_epoch
        share = (step - self.warmup_steps) / max(1, last - self.warmup_steps)
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, share)))
