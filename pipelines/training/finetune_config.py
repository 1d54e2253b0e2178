"""How a network that begins with trained weights is fine-tuned: the ``[finetune]`` section.

Three phases, as in ULMFiT (Howard and Ruder 2018): the fresh heads first, while the backbone is
frozen, then the backbone's last layers with them, then everything, so that the gradients of fresh
heads do not undo what the backbone has learned. The deeper a layer lies below the heads, the slower
it learns. All of it is a function of the step alone, so that a resumed run continues where it
stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval

from nodule.errors import ConfigError
from nodule.ranges import Share, check_fields
from pipelines.training.task import Count, CountOrNone, Loop

FreezePolicy = Literal["all", "partial", "none", "adaptive"]
PhaseRate = Annotated[float, Interval(gt=0, le=10)]
PHASES = ("heads", "last", "everything")


@dataclass(frozen=True, kw_only=True)
class Finetune:
    """Phases, rates and what stays frozen.

    A backbone's layers are its blocks from the input on; see
    :func:`pipelines.training._backbone_layers.layers_of_backbone`.

    Parameters
    ----------
    phase_epochs : epochs of the three phases, together the loop's; a phase may have none.
    phase_rates : the phases' learning rates as shares of the loop's, whose warm-up and decay they
        follow.
    last_layers : layers at the backbone's end that are trained from the second phase on.
    rate_decay : a layer's rate as a share of that of the layer above it, the heads on top.
    freeze : which layers of the backbone no phase unfreezes. ``all`` of them, ``none``,
        ``partial``: the first ones, or ``adaptive``: those that matter least to the loss on the
        validation samples when training begins; see
        :func:`pipelines.training._backbone_layers.layer_importance`.
    frozen_share : of the layers, for ``partial`` and ``adaptive``.

    Raises
    ------
    ConfigError : ``BAD_VALUE``, or ``BAD_FINETUNE`` where no phase has an epoch.
    """

    phase_epochs: tuple[CountOrNone, CountOrNone, CountOrNone]
    phase_rates: tuple[PhaseRate, PhaseRate, PhaseRate] = (1.0, 0.5, 0.25)
    last_layers: Count = 1
    rate_decay: Annotated[float, Interval(gt=0, le=1)] = 0.7
    freeze: FreezePolicy = "none"
    frozen_share: Share = 0.5

    def __post_init__(self) -> None:
        check_fields(self)
        if not any(self.phase_epochs):
            raise ConfigError("no phase has an epoch", code="BAD_FINETUNE", got=self.phase_epochs)

    def check(self, loop: Loop) -> None:
        """Compare with the loop that it is for.

        Raises
        ------
        ConfigError : ``BAD_FINETUNE`` where the phases are longer or shorter than the loop.
        """
        if sum(self.phase_epochs) != loop.epochs:
            raise ConfigError(
                "the phases of [finetune] do not add up to the epochs of [loop]",
                code="BAD_FINETUNE",
                expected=loop.epochs,
                got=sum(self.phase_epochs),
            )

    def phase(self, epoch: int) -> int:
        """Return which phase an epoch belongs to, 0 to 2; what comes after the last is the last."""
        heads, last, _ = self.phase_epochs
        return int(epoch >= heads) + int(epoch >= heads + last)

    def rate_factor(self, step: int, *, depth: int, loop: Loop) -> float:
        """Return the share of the loop's learning rate at a step, some layers below the heads."""
        phase_rate = self.phase_rates[self.phase(step // loop.steps_per_epoch)]
        return float(loop.rate_factor(step) * phase_rate * self.rate_decay**depth)

    def unfrozen(self, layers: int, *, phase: int) -> range:
        """Return which of so many layers, counted from the input, a phase trains."""
        first = (layers, max(0, layers - self.last_layers), 0)[phase]
        return range(first, layers)
