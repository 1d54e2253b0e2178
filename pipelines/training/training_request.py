"""What is asked of a training run: a training file, and what takes the place of its settings."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodule.errors import ConfigError, UsageError
from nodule.weights import Weights
from pipelines import flows
from pipelines.config import shipped_config

if TYPE_CHECKING:
    from nodule.inference import Device

_EXTRA = ("lightning", "tensorboard")
"""What the extra ``train`` brings."""
_START_COUNTS = ("matched", "widened", "fresh", "reshaped", "unused")


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """A stage to train, and settings in place of those in its training file.

    Parameters
    ----------
    stage : whose network is trained.
    folder : of the run; a killed run goes on from it.
    config : the training file; None for the stage's shipped one.
    crop_set : folder of a crop set.
    scans : CT studies, or folders of them.
    store : folder to unpack scans in, where there are more than memory holds.
    detections : a detector's detections on the scans.
    hard_negatives_from : weights of a detector whose false positives are mined as hard negatives.
    held_out_folds : folds that training must not see.
    patients_share : share of the patients to train on.
    start_from : weights to begin with, as :class:`~pipelines.training.training_file.Start`.
    seed : of weights and samples.
    accept_changes : go on with a run that had other settings so far.
    device, devices : where the network is trained, and on how many GPUs or CPU processes.

    Raises
    ------
    UsageError : ``NO_WEIGHTS`` where ``start_from`` names a file that does not exist.
    """

    stage: str
    folder: Path
    config: Path | None = None
    crop_set: Path | None = None
    scans: tuple[Path, ...] = ()
    store: Path | None = None
    detections: Path | None = None
    hard_negatives_from: Path | None = None
    held_out_folds: tuple[int, ...] = ()
    patients_share: float | None = None
    start_from: str | None = None
    seed: int | None = None
    accept_changes: bool = False
    device: Device = "auto"
    devices: int = 1

    def __post_init__(self) -> None:
        start = Path(self.start_from or "")
        if start.suffix and not start.is_file():
            raise UsageError(
                f"there are no weights called {start.name}",
                code="NO_WEIGHTS",
                hint="Give a file, or the name of shipped weights without a suffix.",
            )

    @property
    def task_settings(self) -> Mapping[str, Any]:
        """The settings of the task that are given, as a training file would state them."""
        mined = self.hard_negatives_from
        given = {
            "crop_set": None if self.crop_set is None else str(self.crop_set),
            "scans": [str(path) for path in self.scans] or None,
            "store": None if self.store is None else str(self.store),
            "detections": None if self.detections is None else str(self.detections),
            # weights that a training file names lie beside it
            "hard_negatives_from": None if mined is None else str(mined.resolve()),
            "held_out_folds": list(self.held_out_folds) or None,
            "patients_share": self.patients_share,
        }
        return {name: value for name, value in given.items() if value is not None}


def train_stage(request: TrainingRequest) -> dict[str, Any] | None:
    """Train a stage's network as is asked for.

    Returns
    -------
    dict : ``weights``, ``sha256`` and number of ``training_patients``; with weights to begin with,
        ``start`` counts the tensors that matched, were widened, stayed fresh, had another shape or
        were unused. None in all processes but the first.

    Raises
    ------
    NoduleError : as :func:`~pipelines.training.training_file.read_training` and
        :func:`~pipelines.training.loop.train`.
    """
    from pipelines.training.loop import train
    from pipelines.training.training_file import read_training

    training = read_training(
        request.config or shipped_config(f"train/{request.stage}.toml"),
        flows.task_type(request.stage),
        given=request.task_settings,
        start_from=request.start_from,
        seed=request.seed,
    )
    path = train(
        training.task,
        training.loop,
        folder=request.folder,
        device=request.device,
        devices=request.devices,
        show_progress=True,
        start=training.start,
        finetune=training.finetune,
        accept_changes=request.accept_changes,
    )
    if path is None:
        return None
    weights = Weights.open(path)
    summary: dict[str, Any] = {
        "weights": str(path),
        "sha256": weights.sha256,
        "training_patients": len(weights.training_patients),
    }
    if training.start is not None:
        summary["start"] = _start_counts(request.folder / "start.json")
    return summary


def _start_counts(report: Path) -> dict[str, Any]:
    found = json.loads(report.read_text(encoding="utf-8"))
    return {"file": found["file"]} | {kind: len(found[kind]) for kind in _START_COUNTS}


def check_installed() -> None:
    """Check that the packages are there that only training needs.

    Raises
    ------
    ConfigError : ``NO_TRAINING_PACKAGES``.
    """
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            "training needs packages that are not installed",
            code="NO_TRAINING_PACKAGES",
            expected=", ".join(_EXTRA),
            got=f"no {', no '.join(missing)}",
            hint="Install nodule with its extra [train], as in: pip install '.[train]'",
        )
