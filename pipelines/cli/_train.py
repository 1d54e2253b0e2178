"""``nodule train``: teach one stage's network."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nodule.errors import ConfigError
from pipelines.cli._options import DeviceOption

_EXTRA = ("lightning", "tensorboard")
"""What the extra ``train`` brings."""


def train(
    stage: Annotated[
        Literal["lungs", "candidates", "malignancy"],
        typer.Argument(help="lungs, candidates or malignancy."),
    ],
    run: Annotated[
        Path, typer.Option("-o", "--run", help="The run's folder; a killed run goes on from it.")
    ],
    config: Annotated[
        Path | None, typer.Option(help="TOML file; the shipped train/STAGE.toml if none is named.")
    ] = None,
    crop_set: Annotated[
        Path | None, typer.Option(help="Folder of a crop set, as nodule dataset writes it.")
    ] = None,
    scans: Annotated[
        list[Path] | None,
        typer.Option(help="A CT study, or a folder of them such as LUNA16; may be repeated."),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(help="Folder to unpack scans in, where there are more than memory holds."),
    ] = None,
    marks: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="What a detector marked on the scans: nodule dataset marks.",
        ),
    ] = None,
    mined_with: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Weights of the candidates network, whose false marks on the scans are shown "
            "again and again.",
        ),
    ] = None,
    held_out_fold: Annotated[
        list[int] | None,
        typer.Option(help="Never train on this fold (of LUNA16: this subset); may be repeated."),
    ] = None,
    patients_share: Annotated[
        float | None, typer.Option(help="Train on this share of the patients, such as 0.1.")
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Begin with these weights: .safetensors, or a PyTorch state dict of whatever "
            "origin, mapped by name; without a suffix, shipped ones.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of weights and samples.")] = None,
    device: DeviceOption = "auto",
    devices: Annotated[int, typer.Option(min=1, help="Number of GPUs, or of CPU processes.")] = 1,
) -> None:
    """Train a network by a configuration, going on where a killed run stopped.

    Options take the place of what the configuration says. The last line on stdout is JSON: the
    weights, their digest, the number of training patients and, with weights to begin with, how
    many tensors matched, stayed fresh, had another shape or were unused; RUN/start.json names them.
    """
    _check_installed()
    from lightning.pytorch.utilities import rank_zero_only

    from nodule.weights import Weights
    from pipelines.config import shipped_config
    from pipelines.flows import task_type
    from pipelines.training.loop import train as train_task
    from pipelines.training.training_file import read_training

    rank_zero_only(_show_logs)()
    training = read_training(
        config or shipped_config(f"train/{stage}.toml"),
        task_type(stage),
        given=_given(crop_set, scans, store, marks, mined_with, held_out_fold, patients_share),
        start_from=start_from,
        seed=seed,
    )
    path = train_task(
        training.task,
        training.loop,
        folder=run,
        device=device,
        devices=devices,
        show_progress=True,
        start=training.start,
        finetune=training.finetune,
    )
    if path is None:  # the first process tells
        return
    weights = Weights.open(path)
    summary: dict[str, Any] = {
        "weights": str(path),
        "sha256": weights.sha256,
        "training_patients": len(weights.training_patients),
    }
    if training.start is not None:
        summary["start"] = _counts(run / "start.json")
    typer.echo(json.dumps(summary))


def _check_installed() -> None:
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            "training needs packages that nodule does without",
            code="NO_TRAINING_PACKAGES",
            expected=", ".join(_EXTRA),
            got=f"no {', no '.join(missing)}",
            hint="Install nodule with its extra [train], as in: pip install '.[train]'",
        )


def _given(
    crop_set: Path | None,
    scans: list[Path] | None,
    store: Path | None,
    marks: Path | None,
    mined_with: Path | None,
    held_out_folds: list[int] | None,
    patients_share: float | None,
) -> dict[str, Any]:
    """Return what the user said in place of the training file."""
    given = {
        "crop_set": None if crop_set is None else str(crop_set),
        "scans": [str(path) for path in scans or ()] or None,
        "store": None if store is None else str(store),
        "marks": None if marks is None else str(marks),
        # weights that a training file names lie beside it
        "mined_with": None if mined_with is None else str(mined_with.resolve()),
        "held_out_folds": held_out_folds or None,
        "patients_share": patients_share,
    }
    return {name: value for name, value in given.items() if value is not None}


def _show_logs() -> None:
    """Show on stderr what began as learnt elsewhere, and which layers learn when."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for package in ("nodule", "pipelines"):
        logging.getLogger(package).setLevel(logging.INFO)


def _counts(report: Path) -> dict[str, Any]:
    found = json.loads(report.read_text())
    kinds = ("matched", "fresh", "reshaped", "unused")
    return {"file": found["file"]} | {kind: len(found[kind]) for kind in kinds}
