"""``nodule evaluate transfer``: whether pretraining helps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_options import (
    CropSetOption,
    DrawsOption,
    MinReadersOption,
    OutTableOption,
    PrecisionOption,
    SeedOption,
)
from pipelines.cli._evaluation_output import publish
from pipelines.cli._options import DeviceOption
from pipelines.cli._progress import bar


def transfer(
    data: CropSetOption,
    fold: Annotated[list[int], typer.Option(help="Only nodules of this fold; may be repeated.")],
    tuned: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Fine-tuned weights; repeated, once for each seed.",
        ),
    ],
    scratch: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Weights trained from scratch; repeated, once for each seed.",
        ),
    ],
    min_readers: MinReadersOption = 3,
    out: OutTableOption = None,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
) -> None:
    """Compare fine-tuned malignancy networks with networks trained from scratch.

    Each network scores alone; the AUC of a group is the mean over its networks. The difference of
    the two is taken on the same nodules, with its 95 % interval over patients. Any two groups of
    weights can be compared, unless one of them saw a patient of the fold in training. The last
    line on stdout is JSON.
    """
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.malignancy_rating import evaluate_transfer
    from nodule.training import CropSet
    from nodule.weights import Weights

    bootstrap = BootstrapSettings(draws=draws, seed=seed)
    with bar("transfer") as progress:
        result = evaluate_transfer(
            CropSet.open(data), tuned=tuple(map(Weights.open, tuned)),
            scratch=tuple(map(Weights.open, scratch)), folds=fold, min_readers=min_readers,
            bootstrap=bootstrap, device=device, precision=precision, progress=progress,
        )  # fmt: skip
    publish(result, table=out)
