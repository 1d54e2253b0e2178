"""``nodule train``: train one stage's network."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.cli._options import DeviceOption, check_folder
from pipelines.cli._summary import summarise

if TYPE_CHECKING:
    from pipelines.training import TrainingRequest


def train(
    stage: Annotated[
        Literal["lungs", "candidates", "malignancy"],
        typer.Argument(help="The stage whose network is trained."),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            "--run",
            metavar="RUN",
            callback=check_folder,
            help="Folder of the run; an interrupted run continues from it.",
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="TOML file; the shipped train/STAGE.toml if not given.",
        ),
    ] = None,
    crop_set: Annotated[
        Path | None,
        typer.Option(metavar="SET", help="Folder of a crop set, as nodule dataset writes it."),
    ] = None,
    scans: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="SCAN",
            help="A CT study, or a folder of studies such as LUNA16; may be repeated.",
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="STORE",
            callback=check_folder,
            help="Folder to unpack the scans in, if there are more than memory holds.",
        ),
    ] = None,
    detections: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            exists=True,
            dir_okay=False,
            help="Detections on the scans, as nodule dataset detections writes them.",
        ),
    ] = None,
    hard_negatives_from: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Weights of a detector whose false positives on the scans are mined as hard "
            "negatives.",
        ),
    ] = None,
    held_out_fold: Annotated[
        list[int] | None,
        typer.Option(help="Never train on this fold (a subset of LUNA16); may be repeated."),
    ] = None,
    each_fold: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Train so many networks, which hold out fold 0, 1 and so on, in RUN/fold0, "
            "RUN/fold1 and so on. The same command goes on with the fold that was interrupted.",
        ),
    ] = None,
    patients_share: Annotated[
        float | None, typer.Option(help="Train on this share of the patients, such as 0.1.")
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Initialise with these weights: .safetensors, or a PyTorch state dict of any "
            "origin, whose tensors are matched by name; without a suffix, the name of shipped "
            "weights.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of weights and samples.")] = None,
    accept_changes: Annotated[
        bool,
        typer.Option("--accept-changes", help="Continue a run although its settings have changed."),
    ] = False,
    device: DeviceOption = "auto",
    devices: Annotated[int, typer.Option(min=1, help="Number of GPUs, or of CPU processes.")] = 1,
) -> None:
    """Train a network with a configuration, and go on where a killed run stopped.

    Options take precedence over the configuration. The last line on stdout is JSON: the weights,
    their digest, the number of training patients and, with weights to initialise with, how many
    tensors matched, were widened, stayed fresh, had another shape or were unused; RUN/start.json
    names them.
    """
    from pipelines.training import TrainingRequest, check_installed, train_stage

    check_installed()
    from lightning.pytorch.utilities import rank_zero_only

    rank_zero_only(_show_logs)()
    request = TrainingRequest(
        stage=stage,
        folder=out,
        config=config,
        crop_set=crop_set,
        scans=tuple(scans or ()),
        store=store,
        detections=detections,
        hard_negatives_from=hard_negatives_from,
        held_out_folds=tuple(held_out_fold or ()),
        patients_share=patients_share,
        start_from=start_from,
        seed=seed,
        accept_changes=accept_changes,
        device=device,
        devices=devices,
    )
    if each_fold is not None:
        summarise({"folds": [train_stage(each) for each in _each_fold(request, each_fold)]})
        return
    summary = train_stage(request)
    if summary is not None:  # only the first of several processes prints
        summarise(summary)


def _each_fold(request: TrainingRequest, count: int) -> list[TrainingRequest]:
    """Return a request for each fold, which holds it out.

    Raises
    ------
    UsageError : ``ONE_OF_BOTH`` where other folds are held out too; ``ONE_DEVICE`` where several
        processes train, which would each go through all folds.
    """
    from nodule.errors import UsageError

    if request.held_out_folds:
        raise UsageError(
            "folds are held out in turn, and others all the time",
            code="ONE_OF_BOTH",
            hint="Give --each-fold or --held-out-fold.",
        )
    if request.devices > 1:
        raise UsageError(
            "several devices train one fold",
            code="ONE_DEVICE",
            got=request.devices,
            hint="Run a command with --held-out-fold for each fold.",
        )
    return [
        replace(request, folder=request.folder / f"fold{fold}", held_out_folds=(fold,))
        for fold in range(count)
    ]


def _show_logs() -> None:
    """Show on stderr which tensors were initialised from where, and which layers train when."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for package in ("nodule", "pipelines"):
        logging.getLogger(package).setLevel(logging.INFO)
