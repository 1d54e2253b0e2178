"""``nodule train``: teach one stage's network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.options import DeviceOption


def train(
    stage: Annotated[str, typer.Argument(help="lungs, candidates or malignancy.")],
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
    held_out_fold: Annotated[
        list[int] | None,
        typer.Option(help="Never train on this fold (of LUNA16: this subset); may be repeated."),
    ] = None,
    device: DeviceOption = "auto",
    devices: Annotated[int, typer.Option(help="Number of GPUs, or of CPU processes.")] = 1,
) -> None:
    """Train a network by a configuration, going on where a killed run stopped.

    The last line on stdout is JSON: the weights, their digest and the training patients.
    """
    from nodule.weights import Weights
    from pipelines.config import build, read_toml, shipped_config
    from pipelines.flows import task_type
    from pipelines.task import Loop
    from pipelines.training import train as train_task

    task_class = task_type(stage)
    file = config or shipped_config(f"train/{stage}.toml")
    document = read_toml(file)
    fields = {**document.get("task", {}), **_given(crop_set, scans, store, held_out_fold)}
    task = build(task_class, fields, file=file, section="task")
    loop = build(Loop, document.get("loop", {}), file=file, section="loop")
    path = train_task(task, loop, folder=run, device=device, devices=devices, show_progress=True)
    weights = Weights.open(path)
    typer.echo(
        json.dumps(
            {
                "weights": str(path),
                "sha256": weights.sha256,
                "training_patients": len(weights.training_patients),
            }
        )
    )


def _given(
    crop_set: Path | None,
    scans: list[Path] | None,
    store: Path | None,
    held_out_folds: list[int] | None,
) -> dict[str, Any]:
    """Return what the user said in place of the training file."""
    given = {
        "crop_set": None if crop_set is None else str(crop_set),
        "scans": [str(path) for path in scans or ()] or None,
        "store": None if store is None else str(store),
        "held_out_folds": held_out_folds or None,
    }
    return {name: value for name, value in given.items() if value is not None}
