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
        list[Path] | None, typer.Option(help="A whole CT study; may be given several times.")
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
    fields = {**document.get("task", {}), **_data(crop_set, scans)}
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


def _data(crop_set: Path | None, scans: list[Path] | None) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if crop_set is not None:
        given["crop_set"] = str(crop_set)
    if scans:
        given["scans"] = [str(path) for path in scans]
    return given
