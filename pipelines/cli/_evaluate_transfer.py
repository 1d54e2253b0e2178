"""``nodule evaluate transfer``: whether it helps to have learnt something else before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nodule.inference import Precision
from pipelines.cli._evaluation_output import DrawsOption, SeedOption, publish
from pipelines.cli._options import DeviceOption, out_option
from pipelines.cli._progress import bar


def transfer(
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    fold: Annotated[list[int], typer.Option(help="Nodules of this fold; may be repeated.")],
    tuned: Annotated[
        list[Path], typer.Option(dir_okay=False, help="Fine-tuned weights; one for each seed.")
    ],
    scratch: Annotated[
        list[Path], typer.Option(dir_okay=False, help="Weights from scratch; one for each seed.")
    ],
    min_readers: Annotated[int, typer.Option(min=1, help="Who marked and rated it.")] = 3,
    out: Annotated[
        Path | None, out_option("Table of the nodules to write.", metavar="CSV", dir_okay=False)
    ] = None,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
    precision: Annotated[Precision, typer.Option(help="As in a run.")] = "auto",
    device: DeviceOption = "auto",
) -> None:
    """Fine-tuned malignancy networks against those from scratch; the last line is JSON.

    Each network judges alone; a group's AUC is the mean of its networks'. The difference of the
    two is taken on the same nodules, with its 95 % interval over patients. Any weights may be
    compared so. Refused where any of them saw a patient of the fold in training.
    """
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.malignancy_rating import evaluate_transfer
    from nodule.training.crop_set import CropSet
    from nodule.weights import Weights

    bootstrap = BootstrapSettings(draws=draws, seed=seed)
    with bar("transfer") as progress:
        result = evaluate_transfer(
            CropSet.open(data), tuned=tuple(map(Weights.open, tuned)),
            scratch=tuple(map(Weights.open, scratch)), folds=fold, min_readers=min_readers,
            bootstrap=bootstrap, device=device, precision=precision, progress=progress,
        )  # fmt: skip
    publish(result, table=out)
