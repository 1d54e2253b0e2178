"""Fine-tuning inside the loop: groups of rates, and what is frozen in which epoch.

Every parameter is in the optimiser from the first step on, in a group per layer; a frozen one
has no gradient, which leaves its moments and its weight decay alone. Groups never change, so the
optimiser of a killed run is restored like any other. (Lightning's ``BaseFinetuning`` adds groups
as it goes, and freezes a batch normalisation by letting it forget its statistics, in evaluation
too; neither is wanted here.)
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn

from nodule.errors import ConfigError
from nodule.weights.foreign import ForeignWeights, fill
from nodule.whole_files import write_whole
from pipelines.training._backbone_layers import (
    Layers,
    head_parameters,
    layer_importance,
    layer_parameters,
    layers_of_backbone,
    least_important,
)
from pipelines.training._history import settings
from pipelines.training.finetune_config import PHASES, Finetune
from pipelines.training.task import Loop, Sample

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class RateGroup:
    """Parameters that learn at one rate.

    Parameters
    ----------
    name : in the logs, None for an only group.
    parameters : of the network.
    factor : share of the loop's learning rate at a step.
    """

    name: str | None
    parameters: list[nn.Parameter]
    factor: Callable[[int], float]


def rate_groups(network: nn.Module, finetune: Finetune | None, loop: Loop) -> list[RateGroup]:
    """Return the heads, and below them each layer of the backbone; without fine-tuning, everything.

    Raises
    ------
    ConfigError : ``NO_BACKBONE``.
    """
    if finetune is None:
        learning = [each for each in network.parameters() if each.requires_grad]
        return [RateGroup(name=None, parameters=learning, factor=loop.rate_factor)]
    layers = layers_of_backbone(network)

    def slower(depth: int) -> Callable[[int], float]:
        # a function's state is not saved with the schedule, an object's is
        return lambda step: finetune.rate_factor(step, depth=depth, loop=loop)

    groups = [
        RateGroup(name=name, parameters=layer_parameters(modules), factor=slower(depth))
        for depth, (name, modules) in enumerate(reversed([*layers.items()]), start=1)
    ]
    heads = RateGroup(name="heads", parameters=head_parameters(network, layers), factor=slower(0))
    return [heads, *groups]


def begin_with(start: ForeignWeights, network: nn.Module, *, folder: Path) -> None:
    """Fill a network as far as the weights fit, and write what fitted to ``folder/start.json``.

    Raises
    ------
    WeightsError : ``NOTHING_MATCHES``.
    """
    transfer = fill(network, start)
    if start.training_patients is None:
        logger.warning("%s does not state whose scans it was trained on", start.file)
    _write_start(folder, {"file": start.file, "sha256": start.sha256, **asdict(transfer)})


@rank_zero_only
def _write_start(folder: Path, report: Mapping[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "start.json", json.dumps(report, indent=1).encode())


def origin(start: ForeignWeights | None, finetune: Finetune | None) -> dict[str, object]:
    """Return what a model card states about fine-tuning, beside the settings of task and loop."""
    begun = {} if start is None else {"start": f"{start.file}, sha256 {start.sha256}"}
    return {**begun, **({} if finetune is None else settings(finetune))}


class Finetuning(Callback):
    """Unfreezes layers phase by phase; frozen ones keep their statistics as well.

    Parameters
    ----------
    finetune : what to do.

    Raises
    ------
    ConfigError : when training starts, ``NO_VALIDATION`` for ``adaptive`` where the task has no
        validation samples.
    """

    def __init__(self, finetune: Finetune) -> None:
        self.finetune = finetune
        self.frozen: tuple[str, ...] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return which layers were chosen to stay frozen."""
        return {"frozen": self.frozen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the choice of the run that was killed, which had other weights before it."""
        self.frozen = state_dict["frozen"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Choose the layers that stay frozen, unless a killed run did."""
        if self.frozen is None:
            self.frozen = self._choose(trainer, pl_module)
            logger.info("frozen throughout: %s", ", ".join(self.frozen) or "nothing")

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Unfreeze what this epoch's phase trains, freeze the rest."""
        layers = layers_of_backbone(_network(pl_module))
        phase = self.finetune.phase(trainer.current_epoch)
        unfrozen, frozen = self.finetune.unfrozen(len(layers), phase=phase), self.frozen or ()
        trained = [n for i, n in enumerate(layers) if i in unfrozen and n not in frozen]
        for name, modules in layers.items():
            for module in modules:
                module.train(name in trained).requires_grad_(name in trained)
        logger.info(
            "epoch %d, phase %s: training the heads and %s",
            trainer.current_epoch,
            PHASES[phase],
            ", ".join(trained) or "no layer of the backbone",
        )

    def _choose(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> tuple[str, ...]:
        layers = layers_of_backbone(_network(pl_module))
        share = self.finetune.frozen_share
        match self.finetune.freeze:
            case "all":
                return tuple(layers)
            case "partial":
                return tuple(layers)[: int(share * len(layers))]
            case "none":
                return ()
            case "adaptive":
                return least_important(_importance(trainer, pl_module, layers), share=share)


def _importance(
    trainer: pl.Trainer, pl_module: pl.LightningModule, layers: Layers
) -> dict[str, float]:
    loader = cast("pl.LightningDataModule", trainer.datamodule).val_dataloader()  # type: ignore[attr-defined]  # set by fit
    if not len(loader):
        raise ConfigError(
            "freeze = adaptive measures on validation samples, and the task has none",
            code="NO_VALIDATION",
            hint="Let the task watch a fold, or choose freeze = partial",
        )

    def batches() -> Iterator[Sample]:
        for batch in loader:
            yield {name: value.to(pl_module.device) for name, value in batch.items()}

    network = _network(pl_module)
    losses = cast("Callable[[nn.Module, Sample], Mapping[str, Tensor]]", pl_module.losses)
    importance = layer_importance(
        network,
        layers,
        loss=lambda batch: losses(network, batch)["loss"],
        batches=batches(),
    )
    for name, value in importance.items():
        logger.info("importance of %s: %.3g", name, value)
    return importance


def _network(module: pl.LightningModule) -> nn.Module:
    return cast("nn.Module", module.network)
