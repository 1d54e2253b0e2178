"""``nodule evaluate phantoms``: measured volumes against synthetic nodules of known volume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_output import DrawsOption, publish
from pipelines.cli._options import out_option
from pipelines.cli._progress import bar


def phantoms(
    scans: Annotated[int, typer.Option(min=1, help="Phantoms to build, of 15 nodules each.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other phantoms.")] = 0,
    out: Annotated[
        Path | None, out_option("Table of the nodules to write.", metavar="CSV", dir_okay=False)
    ] = None,
    draws: DrawsOption = 1000,
) -> None:
    """Error of measured volumes on phantoms, whose volumes are known; the last line is JSON.

    Each nodule is measured as `nodule run` does, from a point 0.14 diameters aside of its centre,
    with its size guessed 20 % too small or 25 % too large. Given are the share within 10 % of the
    truth, median and 95 % limits of the relative error, over nodules of 5 mm and more and by kind,
    place and size. What cannot be grown, or has no stated volume, counts as a failure. The
    constants of the method were chosen with the help of seed 1.
    """
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.nodule_measurement import evaluate_phantoms

    bootstrap = BootstrapSettings(draws=draws)
    with bar("phantoms") as progress:
        result = evaluate_phantoms(scans, seed=seed, bootstrap=bootstrap, progress=progress)
    publish(result, table=out)
