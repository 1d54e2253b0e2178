"""``nodule evaluate measure``: grown masks against the readers' outlines of a crop set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_output import DrawsOption, SeedOption, publish
from pipelines.cli._options import out_option


def measure(
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    fold: Annotated[
        list[int] | None, typer.Option(help="Only nodules of this fold; may be repeated.")
    ] = None,
    out: Annotated[
        Path | None, out_option("Table of the nodules to write.", metavar="CSV", dir_okay=False)
    ] = None,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
) -> None:
    """Agreement of masks, volumes and textures with radiologists; the last line is JSON.

    Each nodule that three or more readers outlined is grown from a point 0.14 diameters aside of
    its centre, with its size guessed 20 % too small or 25 % too large. The reference is what half
    of the readers outlined; each reader is held against the same consensus of the others. Volume
    errors are relative to the mean of both, with bias and 95 % limits of agreement. Also how often
    the stated limits of the volume hold the readers' one, and the texture against their median
    rating. The constants of the method were chosen on folds 1 to 3.
    """
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.nodule_measurement import evaluate_masks
    from nodule.training.crop_set import CropSet

    result = evaluate_masks(
        CropSet.open(data),
        keep=lambda record: not fold or record.fold in fold,
        bootstrap=BootstrapSettings(draws=draws, seed=seed),
    )
    publish(result, table=out)
