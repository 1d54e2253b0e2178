"""How the heat-map network learns: its task for the training loop, and its losses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from annotated_types import Interval, MultipleOf
from torch.nn import functional

from nodule.candidates.network import HeatmapNetwork
from nodule.candidates.training._crop_regions import (
    cube_regions,
    nodule_sources,
    rejected_regions,
    slab_regions,
)
from nodule.candidates.training._hard_negative_mining import with_hard_negatives
from nodule.candidates.training._patch_samples import PatchSamples, plain_sample
from nodule.inference import SPEED_ONLY
from nodule.lidc import WholeScan
from nodule.ranges import LayerWidth, RandomSeed, check_fields
from nodule.training import HELD_OUT_PATIENTS, CropSet, Fold, load_scans, scans_of_other_folds
from nodule.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

Depth = Annotated[int, Interval(ge=1, le=64)]

_FOCUS = 2.0  # alpha and beta of Law and Deng 2018 (CornerNet), as in CenterNet
_SLOPE_RELIEF = 4.0
_REGRESSED_FROM = 0.3  # heat above which a cell answers for offset and size
_SIZE_WEIGHT = 0.5
_OFFSET_WEIGHT = 0.5


@dataclass(frozen=True, kw_only=True)
class CandidatesTask:
    """The ``[task]`` section of ``configs/train/candidates.toml``.

    Parameters
    ----------
    crop_set : folder of the crop set; see :mod:`nodule.training._crop_set`.
    scans : whole scans, or folders of them, such as all of LUNA16 or LIDC-IDRI; see
        :mod:`nodule.lidc._whole_scans`.
    store : folder in which scans are unpacked, for more than memory holds; None holds them there.
    held_out_folds : folds of the crop set, and of a folder's scans, that training never sees.
    watched_folds : of those, whose cubes and stacks are looked at after each epoch. The loop then
        keeps the best epoch, and figures on these folds are no longer unbiased; empty keeps the
        last.
    hard_negatives_from : weights of a detector whose false positives on the scans are
        shown again and again; None mines none.
        They only choose among places of the training scans, and nothing is learned from what they
        were trained on, so that their training patients are not this network's. If they saw
        held-out patients, what they detect may still tell of them: mine with weights that did not.
    patch : voxels of a training patch along each axis, a multiple of 16.
    channels, depths : of the network.
    seed : of all randomness in the samples.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """

    stage: ClassVar[str] = "candidates"

    crop_set: Path
    scans: tuple[Path, ...] = ()
    store: Path | None = field(default=None, metadata=SPEED_ONLY)
    held_out_folds: tuple[Fold, ...] = ()
    watched_folds: tuple[Fold, ...] = ()
    hard_negatives_from: Weights | None = None
    patch: Annotated[int, Interval(ge=16, le=512), MultipleOf(16)] = 64
    channels: tuple[LayerWidth, LayerWidth, LayerWidth, LayerWidth] = (32, 48, 64, 64)
    depths: tuple[Depth, Depth, Depth, Depth] = (1, 2, 2, 1)
    seed: RandomSeed = 0

    def __post_init__(self) -> None:
        check_fields(self)

    def network(self) -> HeatmapNetwork:
        """Build a network with fresh weights."""
        return HeatmapNetwork(self.channels, self.depths)

    def architecture(self) -> Mapping[str, object]:
        """Return the arguments that rebuild the network."""
        return {"channels": list(self.channels), "depths": list(self.depths)}

    def training_samples(self) -> PatchSamples:
        """Return the endless training samples.

        Raises
        ------
        ConfigError : ``HELD_OUT_SCAN`` for a scan of a patient that training must not see,
            ``NO_SUCH_FOLD`` for a held-out fold of which there is nothing, ``TOO_MANY_SCANS`` for
            more than memory holds, and no store.
        """
        scans = load_scans(self._scans, store=self.store)
        if self.hard_negatives_from is not None:
            scans = with_hard_negatives(scans, self.hard_negatives_from)
        return PatchSamples(
            nodules=nodule_sources(self._learned, folds=self._folds),
            scans=scans,
            cubes=cube_regions(self._learned, folds=self._folds),
            slabs=(
                *slab_regions(self._learned, folds=self._folds),
                *rejected_regions(self._learned, folds=self._folds),
            ),
            size=self.patch,
            seed=self.seed,
        )

    def validation_samples(self) -> Sequence[Mapping[str, Tensor]]:
        """Return the watched folds' cubes and stacks as they are."""
        regions = [
            *cube_regions(self._learned, folds=self.watched_folds),
            *slab_regions(self._learned, folds=self.watched_folds),
        ]
        return [plain_sample(region, size=self.patch) for region in regions if region.lesions]

    def losses(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return ``loss`` and its parts ``heat``, ``size`` and ``offset``."""
        answers = network(batch["image"])
        known = batch["known"]
        heat = focal_loss(answers[:, :1], batch["heat"], known)
        weight = batch["heat"] * (batch["heat"] > _REGRESSED_FROM) * known
        size = _weighted_error(answers[:, 1:2], batch["log_diameter"], weight)
        offset = _weighted_error(answers[:, 2:], batch["offset"], weight)
        loss = heat + _SIZE_WEIGHT * size + _OFFSET_WEIGHT * offset
        return {"loss": loss, "heat": heat, "size": size, "offset": offset}

    def training_patients(self) -> tuple[str, ...]:
        """Return every patient whose data the training samples hold."""
        crops = self._learned.patients(self._folds)
        return tuple(sorted(crops | {scan.patient for scan in self._scans}))

    @cached_property
    def _crops(self) -> CropSet:
        return CropSet.open(self.crop_set)

    @cached_property
    def _learned(self) -> CropSet:
        return self._crops.without(HELD_OUT_PATIENTS)

    @cached_property
    def _scans(self) -> tuple[WholeScan, ...]:
        folds = self.held_out_folds
        return scans_of_other_folds(self.scans, crops=self._crops, held_out_folds=folds)

    @property
    def _folds(self) -> tuple[int, ...]:
        return tuple(sorted(self._learned.folds - set(self.held_out_folds)))


def focal_loss(logits: Tensor, heat: Tensor, known: Tensor) -> Tensor:
    """Penalty-reduced focal loss of CornerNet (Law and Deng 2018), per nodule.

    Parameters
    ----------
    logits, heat, known : one shape; heat is exactly 1 at nodules, known 0 where there is no loss.
    """
    positive = (heat == 1).float() * known
    negative = (heat < 1).float() * known
    chance = torch.sigmoid(logits)
    hits = (1 - chance) ** _FOCUS * functional.logsigmoid(logits) * positive
    misses = (
        (1 - heat) ** _SLOPE_RELIEF * chance**_FOCUS * functional.logsigmoid(-logits) * negative
    )
    return -(hits.sum() + misses.sum()) / positive.sum().clamp(min=1.0)


def _weighted_error(answers: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    error = functional.smooth_l1_loss(answers, wanted, reduction="none", beta=0.1)
    return (error * weight).sum() / (weight.sum() * wanted.shape[1]).clamp(min=1.0)
