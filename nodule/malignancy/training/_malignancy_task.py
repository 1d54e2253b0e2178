"""What training the C3D multitask network needs: data, targets, losses."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, cast

import torch
from annotated_types import Interval, Len
from torch import Tensor, nn
from torch.nn import functional

from nodule.errors import ConfigError, InputError
from nodule.lidc import WholeScan
from nodule.malignancy._answers import LEVELS, NOMINAL
from nodule.malignancy._backbones import BackboneName
from nodule.malignancy.network import C3DMultitask, Outputs, build
from nodule.malignancy.training._backgrounds import Background, read_background
from nodule.malignancy.training._crop_cubes import crop_cubes
from nodule.malignancy.training._cube_sampler import CubeSampler, target
from nodule.malignancy.training._nodule_examples import (
    NoduleCropView,
    NoduleExample,
    load_examples,
    load_rejected,
    patients,
)
from nodule.malignancy.training._vote_losses import ordinal_loss, vote_cross_entropy
from nodule.ranges import LayerWidth, RandomSeed, check_fields
from nodule.training import (
    HELD_OUT_PATIENTS,
    CropSet,
    Fold,
    NoduleRecord,
    read_detections,
    scans_of_other_folds,
)

Batch = Mapping[str, Tensor]
Output = Literal["nodule", "malignancy", "characteristics", "diameter"]
"""What the network is asked for, ``characteristics`` being all ratings but malignancy."""
VoxelEdge = Annotated[float, Interval(ge=0.1, le=10)]
LossWeight = Annotated[float, Interval(ge=0, le=100)]


@dataclass(frozen=True, kw_only=True)
class MalignancyTask:
    """The malignancy network's training.

    Parameters
    ----------
    crop_set : folder of a crop set; see :mod:`nodule.training._crop_set`.
    scans : whole scans for negatives and fill, folders or files named after their patients. A
        folder with LIDC ``annotations.xml`` has its nodules avoided; any other scan must hold
        none.
    detections : a detector's on the scans, a table of :mod:`nodule.training._hard_negatives`;
        those that are on no nodule are the hardest negatives. They only choose among places
        of the training scans: whom the detector was trained on is not counted here.
    held_out_folds : patients that training never sees.
    watched_folds : of those, whose nodules are scored after each epoch. The loop then keeps the
        best epoch, and figures on these folds are no longer unbiased; empty keeps the last.
    backbone, magnifications_mm, channels : of the network.
    malignancy_weight, characteristics_weight, diameter_weight : of the losses, beside the nodule
        loss with weight 1; the middle one counts for the mean of the other eight.
    max_calibration_error_hu : stacks whose HU are less sure than this are left out.
    cube : voxels along the edge of what the network sees, such as 48; the network's own 32 if None.
    windows : HU windows that the network sees, 1 or 2.
    answers : ``nodule`` for a member of an ensemble whose ratings are not used, because the members
        that it starts from rate better.
    outputs : those that learn, all if None. Pretraining leaves ``malignancy`` out, fine-tuning
        may learn it alone.
    patients_share : trains on the nodules of this share of the patients, chosen by ``seed``; all
        if None. See :func:`among_the_share`.
    seed : of the samples and of the share.

    Raises
    ------
    ConfigError : ``BAD_VALUE``, or ``NO_OUTPUT`` if none learns.
    """

    stage: ClassVar[str] = "malignancy"

    crop_set: Path
    scans: tuple[Path, ...]
    detections: Path | None = None
    held_out_folds: tuple[Fold, ...] = (4,)
    watched_folds: tuple[Fold, ...] = ()
    backbone: BackboneName = "c3d"
    magnifications_mm: Annotated[tuple[VoxelEdge, ...], Len(1, 8)] = (1.0,)
    channels: Annotated[tuple[LayerWidth, ...], Len(2, 8)] = (32, 32, 64, 128)
    malignancy_weight: LossWeight = 1.0
    characteristics_weight: LossWeight = 0.5
    diameter_weight: LossWeight = 1.0
    max_calibration_error_hu: Annotated[float, Interval(ge=0, le=1000)] = 30.0
    cube: Annotated[int, Interval(ge=8, le=256)] | None = None
    windows: Annotated[int, Interval(ge=1, le=2)] = 1
    answers: Literal["all", "nodule"] = "all"
    outputs: tuple[Output, ...] | None = None
    patients_share: Annotated[float, Interval(gt=0, le=1)] | None = None
    seed: RandomSeed = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.outputs == ():
            raise ConfigError("no output is trained", code="NO_OUTPUT", hint="Leave outputs out")

    def network(self) -> C3DMultitask:
        """Build a network with fresh weights."""
        return build(self.architecture())

    def architecture(self) -> Mapping[str, object]:
        """Return the arguments that rebuild the network."""
        return {
            "backbone": self.backbone,
            "magnifications_mm": list(self.magnifications_mm),
            "channels": list(self.channels),
            **({} if self.cube is None else {"cube": self.cube}),
            **({} if self.windows == 1 else {"windows": self.windows}),
            **({} if self.answers == "all" else {"answers": self.answers}),
        }

    @functools.cached_property
    def _examples(self) -> tuple[NoduleExample, ...]:
        return load_examples(CropSet.open(self.crop_set), keep=self._learns_from)

    @functools.cached_property
    def _rejected(self) -> tuple[NoduleCropView, ...]:
        return load_rejected(CropSet.open(self.crop_set), keep=self._learns_from)

    def _learns_from(self, record: NoduleRecord) -> bool:
        return (
            record.fold not in self.held_out_folds
            and record.patient_id not in HELD_OUT_PATIENTS
            and record.cal_spread_hu <= self.max_calibration_error_hu
            and among_the_share(record.patient_id, self.patients_share, seed=self.seed)
        )

    @functools.cached_property
    def _backgrounds(self) -> tuple[Background, ...]:
        detections = {} if self.detections is None else read_detections(self.detections)
        return tuple(
            read_background(scan, detections_lps_mm=detections.get(scan.patient, ()))
            for scan in self._scans
        )

    @functools.cached_property
    def _scans(self) -> tuple[WholeScan, ...]:
        crops = CropSet.open(self.crop_set)
        return scans_of_other_folds(self.scans, crops=crops, held_out_folds=self.held_out_folds)

    def training_samples(self) -> CubeSampler:
        """Return the endless training samples; the first call reads the data.

        Raises
        ------
        ConfigError : ``HELD_OUT_SCAN`` for a scan of a patient of a held-out fold,
            ``NO_SUCH_FOLD`` for a held-out fold of which there is nothing.
        InputError : ``NO_EXAMPLES`` where folds, share and calibration leave no outlined nodule.
        """
        backgrounds = self._backgrounds
        if not self._examples:
            raise InputError(
                "no nodule that a reader outlined is left to train on",
                code="NO_EXAMPLES",
                hint="Hold out fewer folds, or take a larger share of the patients; a set made "
                "of LUNA16's tables has no outlines at all",
            )
        return CubeSampler(
            examples=self._examples,
            backgrounds=backgrounds,
            magnifications_mm=self.magnifications_mm,
            cube=self.network().cube,
            seed=self.seed,
            rejected=self._rejected,
        )

    def validation_samples(self) -> Sequence[Batch]:
        """Return the nodules of the watched folds, as evaluation sees them."""
        if not self.watched_folds:
            return []
        network = self.network()
        crops = CropSet.open(self.crop_set).without(HELD_OUT_PATIENTS)
        watched = load_examples(crops, keep=lambda record: record.fold in self.watched_folds)
        return [
            {
                "cubes": torch.from_numpy(crop_cubes(example.views[:1], network)[0]),
                **target(example, nodule_known=True),
            }
            for example in watched
        ]

    def training_patients(self) -> tuple[str, ...]:
        """Return every patient whose data the training samples hold."""
        scans = {scan.patient for scan in self._scans}
        rejected = {view.packed.record.patient_id for view in self._rejected}
        return tuple(sorted({*patients(self._examples), *rejected, *scans}))

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of a batch, ``loss`` their weighted sum.

        The batch holds ``cubes`` and what :func:`~nodule.malignancy.training._cube_sampler.target`
        returns.
        """
        outputs = cast("Outputs", network(batch["cubes"]))
        votes = dict(
            zip(LEVELS, torch.split(batch["votes"], list(LEVELS.values()), dim=1), strict=True)
        )
        ratings = {
            name: (vote_cross_entropy if name in NOMINAL else ordinal_loss)(
                outputs.ratings[name], votes[name]
            )
            for name in LEVELS
        }
        malignancy = ratings.pop("malignancy")
        characteristics = torch.stack(list(ratings.values())).mean()
        nodule = _weighted(
            functional.binary_cross_entropy_with_logits(
                outputs.nodule, batch["nodule"], reduction="none"
            ),
            batch["nodule_weight"],
        )
        diameter = _weighted(
            functional.smooth_l1_loss(
                outputs.log_diameter, batch["log_diameter"], reduction="none", beta=0.1
            ),
            batch["diameter_weight"],
        )
        parts: dict[str, Tensor] = {
            "nodule": nodule,
            "malignancy": malignancy,
            "characteristics": characteristics,
            "diameter": diameter,
        }
        return {"loss": self._total(parts), **parts}

    def _total(self, losses: Mapping[str, Tensor]) -> Tensor:
        weights: Mapping[str, float] = {
            "nodule": 1.0,
            "malignancy": self.malignancy_weight,
            "characteristics": self.characteristics_weight,
            "diameter": self.diameter_weight,
        }
        learned = losses if self.outputs is None else self.outputs
        return sum((weights[name] * losses[name] for name in learned), start=torch.zeros(()))


def among_the_share(patient: str, share: float | None, *, seed: int) -> bool:
    """Whether a patient belongs to a share of all, the same on every machine and in any order.

    A larger share of one seed holds every smaller one.

    Parameters
    ----------
    patient : its identifier.
    share : expected share, in (0, 1]; None takes everyone.
    seed : another seed chooses other patients.
    """
    if share is None:
        return True
    drawn = int.from_bytes(hashlib.sha256(f"{seed}:{patient}".encode()).digest()[:8])
    return drawn < share * 2**64


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1.0)
