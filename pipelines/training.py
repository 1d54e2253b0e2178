"""The one training loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


class Samples(Protocol):
    """An endless, random-access source of training samples.

    Sample ``index`` depends on the task's seed and on ``index`` alone, never on what was drawn
    before, so that a resumed run sees what an unbroken one would.
    """

    def __getitem__(self, index: int) -> Mapping[str, Tensor]:
        """Return one sample without a batch axis."""
        ...


class Task(Protocol):
    """What a stage's ``learn.py`` gives the loop."""

    stage: str

    def network(self) -> nn.Module:
        """Build a network with fresh weights."""
        ...

    def architecture(self) -> Mapping[str, object]:
        """Return the arguments that rebuild the network."""
        ...

    def training_samples(self) -> Samples:
        """Return the endless training samples."""
        ...

    def validation_samples(self) -> list[Mapping[str, Tensor]]:
        """Return the held-out samples, empty for none."""
        ...

    def losses(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return named scalar losses of one batch; ``loss`` is the one to minimise."""
        ...

    def training_patients(self) -> tuple[str, ...]:
        """Return every patient whose data the training samples hold."""
        ...
