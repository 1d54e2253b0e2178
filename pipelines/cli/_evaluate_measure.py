"""``nodule evaluate measure``: grown masks against the readers' outlines of a crop set."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nodule.errors import InputError

if TYPE_CHECKING:
    from nodule.evaluate.nodule_measurement.mask_evaluation import MaskScore


def measure(
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    fold: Annotated[
        list[int] | None, typer.Option(help="Only nodules of this fold; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="CSV", dir_okay=False, help="A row a nodule."),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws of the patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
) -> None:
    """Agreement of masks, volumes and textures with radiologists; the last line is JSON.

    Each nodule that three or more readers outlined is grown from a point 0.14 diameters aside of
    its centre, with its size guessed 20 % too small or 25 % too large. The reference is what half
    of the readers outlined; each reader is held against the same consensus of the others. Volume
    errors are relative to the mean of both, with bias and 95 % limits of agreement. Also how often
    the stated limits of the volume hold the readers' one, and the texture against their median
    rating. The constants of the method were chosen on folds 1 to 3.
    """
    from nodule.evaluate.nodule_measurement.mask_evaluation import (
        mask_figures,
        read_nodules,
        score_masks,
    )
    from nodule.training.crop_set import CropSet

    nodules = read_nodules(CropSet.open(data), keep=lambda record: not fold or record.fold in fold)
    scores = tuple(score_masks(nodules))
    if not scores:
        raise InputError(
            "no nodule to evaluate",
            code="NO_NODULES",
            expected="stacks that three readers outlined",
            hint="Name other folds with --fold",
        )
    if output is not None:
        _write(output, scores)
    typer.echo(json.dumps(mask_figures(scores, draws=draws, seed=seed)))


def _write(path: Path, scores: tuple[MaskScore, ...]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            (
                *("patient_id", "nodule", "dice", "volume_mm3", "reference_mm3"),
                *("lower_mm3", "upper_mm3", "texture", "rated_texture"),
            )
        )
        for score in scores:
            low_high = ("", "") if score.limits_mm3 is None else score.limits_mm3
            writer.writerow(
                (
                    *(score.patient_id, score.nodule, f"{score.software.dice:.4f}"),
                    f"{score.software.volume_mm3:.2f}",
                    f"{score.software.reference_mm3:.2f}",
                    *(limit if limit == "" else f"{limit:.2f}" for limit in low_high),
                    *(score.texture or "", score.rated or ""),
                )
            )
