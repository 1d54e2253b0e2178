"""``nodule evaluate malignancy``: the networks against the readers of a crop set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nodule.errors import InputError
from nodule.inference import Precision
from pipelines.cli._evaluation_output import DrawsOption, SeedOption, publish
from pipelines.cli._options import CardOption, DeviceOption, out_option
from pipelines.cli._progress import bar


def malignancy(
    context: typer.Context,
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    folds: Annotated[
        bool,
        typer.Option("--folds", help="Each nodule by the members that never saw its patient."),
    ] = False,
    fold: Annotated[
        list[int] | None, typer.Option(help="Only nodules of this fold; may be repeated.")
    ] = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option(dir_okay=False, help="A member's .safetensors; repeated; else the shipped."),
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="With --folds: write a calibration beside them.")
    ] = False,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Evaluate training patients too, and say so.")
    ] = False,
    min_readers: Annotated[int, typer.Option(min=1, help="Who marked and rated it.")] = 3,
    out: Annotated[Path | None, out_option("Folder for JSON, tables and pictures.")] = None,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
    precision: Annotated[Precision, typer.Option(help="As in a run.")] = "auto",
    card: CardOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Agreement of the malignancy networks with radiologists; the last line is JSON.

    All members judge together, and patients whom any of them saw in training are refused. With
    --folds each nodule is judged by those members alone that never saw its patient, and read by a
    calibration that was fitted on the other folds. Benign against malignant is the readers' mean
    rating below 3 against above; exactly 3 is dropped from the two-class figures. Every figure
    comes with its 95 % interval over patients. OUT gets tables, JSON and pictures.
    """
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.malignancy_rating import malignancy_result, run_malignancy
    from nodule.malignancy.calibration import calibration_path
    from nodule.training.crop_set import CropSet
    from nodule.weights import Weights

    if calibrate and not folds:
        raise InputError(
            "a calibration is fitted on held-out patients",
            code="CALIBRATE_WITHOUT_FOLDS",
            expected="--folds beside --calibrate",
        )
    members = tuple(map(Weights.open, weights or ())) or Weights.shipped_members("malignancy")
    with bar("malignancy") as progress:
        rated = run_malignancy(
            CropSet.open(data), members=members, held_out=folds, folds=fold or (),
            min_readers=min_readers, allow_seen=allow_seen, seed=seed, device=device,
            precision=precision, progress=progress,
        )  # fmt: skip
    if calibrate:
        rated.fit().write(calibration_path(members[0].path))
    result = malignancy_result(rated, bootstrap=BootstrapSettings(draws=draws, seed=seed))
    publish(result, out=out, card=members if card else (), context=context)
