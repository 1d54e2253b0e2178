"""``nodule evaluate froc``: a submission to LUNA16, scored by its rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_options import DrawsOption, OutFolderOption, SeedOption
from pipelines.cli._evaluation_output import publish


def froc(
    submission: Annotated[
        Path,
        typer.Option(
            metavar="CSV",
            exists=True,
            dir_okay=False,
            help="The detections: seriesuid,coordX,coordY,coordZ,probability.",
        ),
    ],
    annotations: Annotated[
        Path,
        typer.Option(metavar="CSV", exists=True, dir_okay=False, help="annotations.csv of LUNA16."),
    ],
    excluded: Annotated[
        Path,
        typer.Option(
            metavar="CSV", exists=True, dir_okay=False, help="annotations_excluded.csv of LUNA16."
        ),
    ],
    seriesuids: Annotated[
        Path,
        typer.Option(
            metavar="CSV",
            exists=True,
            dir_okay=False,
            help="The series UIDs of all scans that are evaluated, one for each line.",
        ),
    ],
    out: OutFolderOption = None,
    draws: DrawsOption = 1000,
    seed: SeedOption = 0,
) -> None:
    """Compute FROC and CPM of a list of detections by the rules of LUNA16.

    Coordinates are LPS in mm. False positives per scan are per series listed, so list only those
    that are evaluated. The last line on stdout is JSON.
    """
    from nodule.evaluate import BootstrapSettings
    from nodule.evaluate.luna16_froc import evaluate_froc
    from nodule.lidc import read_findings, read_series_uids, read_submission

    result = evaluate_froc(
        series_uids=read_series_uids(seriesuids),
        annotations=read_findings(annotations),
        excluded=read_findings(excluded),
        marks=read_submission(submission),
        bootstrap=BootstrapSettings(draws=draws, seed=seed),
    )
    publish(result, out=out)
