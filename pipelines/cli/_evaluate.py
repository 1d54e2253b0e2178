"""``nodule evaluate``: how good results are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_output import DrawsOption, SeedOption, publish
from pipelines.cli._options import out_option

evaluate_app = typer.Typer(help="Measure how good results are.", no_args_is_help=True)


@evaluate_app.callback()
def _root() -> None:
    """Measure how good results are."""


@evaluate_app.command("froc")
def froc(
    submission: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="seriesuid,coordX,…,probability.")
    ],
    annotations: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="LUNA16's annotations.csv.")
    ],
    excluded: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="LUNA16's annotations_excluded.csv.")
    ],
    seriesuids: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Every scan evaluated, one a line.")
    ],
    out: Annotated[Path | None, out_option("Folder for JSON, tables and pictures.")] = None,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
) -> None:
    """FROC and CPM by LUNA16's rules; the last line is JSON.

    Coordinates are LPS mm. FP/scan divides by all series listed, so list just those evaluated.
    """
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.luna16_froc import evaluate_froc
    from nodule.lidc.luna16 import read_findings, read_series_uids, read_submission

    result = evaluate_froc(
        series_uids=read_series_uids(seriesuids),
        annotations=read_findings(annotations),
        excluded=read_findings(excluded),
        marks=read_submission(submission),
        bootstrap=BootstrapSettings(draws=draws, seed=seed),
    )
    publish(result, out=out)
