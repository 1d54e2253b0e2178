"""``nodule evaluate malignancy``: the networks against the readers of a crop set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nodule.errors import UsageError
from pipelines.cli._evaluation_options import (
    AllowSeenOption,
    CropSetOption,
    DrawsOption,
    FoldsOption,
    MinReadersOption,
    OutFolderOption,
    PrecisionOption,
    SeedOption,
)
from pipelines.cli._evaluation_output import check_beside, publish
from pipelines.cli._options import CardOption, DeviceOption
from pipelines.cli._progress import bar


def malignancy(
    context: typer.Context,
    data: CropSetOption,
    folds: Annotated[
        bool,
        typer.Option(
            "--folds",
            help="Score each nodule by those members only that did not train on its patient.",
        ),
    ] = False,
    fold: FoldsOption = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A member's .safetensors; may be repeated. The shipped members if not given.",
        ),
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help="With --folds, write the calibration beside the weights."),
    ] = False,
    allow_seen: AllowSeenOption = False,
    min_readers: MinReadersOption = 3,
    out: OutFolderOption = None,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
    precision: PrecisionOption = "auto",
    card: CardOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Measure the agreement of the malignancy networks with radiologists.

    The ensemble scores each nodule, and patients whom any member saw in training are refused. With
    --folds each nodule is scored by those members only that did not see its patient, with a
    calibration that was fitted on the other folds. Benign and malignant are mean ratings of the
    readers below and above 3; a mean of exactly 3 is left out of the two-class figures. Every
    figure comes with its 95 % interval over patients. The last line on stdout is JSON.
    """
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.malignancy_rating import malignancy_result, run_malignancy
    from nodule.malignancy import calibration_path
    from nodule.training import CropSet
    from nodule.weights import Weights

    if calibrate and not folds:
        raise UsageError(
            "a calibration is fitted on held-out patients",
            code="CALIBRATE_WITHOUT_FOLDS",
            expected="--folds beside --calibrate",
        )
    members = tuple(map(Weights.open, weights or ())) or Weights.shipped_members("malignancy")
    check_beside(members, wanted=card or calibrate)
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
