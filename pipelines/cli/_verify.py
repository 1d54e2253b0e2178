"""``nodule verify``: whether results are still what a run has written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._options import (
    ConfigOption,
    FpPerScanOption,
    PseudonymKeyOption,
    ThresholdOption,
)
from pipelines.cli._summary import NOTHING_DONE
from pipelines.cli._terminal import say_error, say_json


def verify(
    results: Annotated[
        Path,
        typer.Argument(metavar="RESULTS", help="A study's folder of results, OUT/<study>."),
    ],
    study: Annotated[
        Path | None,
        typer.Option(metavar="STUDY", help="The images, to compare with those of the run."),
    ] = None,
    config: ConfigOption = None,
    fp_per_scan: FpPerScanOption = None,
    threshold: ThresholdOption = None,
    pseudonym_key: PseudonymKeyOption = None,
) -> None:
    """Compare results with their manifest, and what made them with what is installed now.

    Every file of the report, the weights, the configuration (give the options of the run), the
    versions of stages and packages and, with --study, the images. Each difference is a line with a
    code on stderr; the last line on stdout is a JSON summary, which lists under not_checked what
    was left out or cannot be told. Exit status 0: nothing differs; 1: something does.
    """
    from pipelines.request import RunRequest
    from pipelines.verification import verify_results

    request = RunRequest(
        studies=(study or results,),
        config=config,
        fp_per_scan=fp_per_scan,
        threshold=threshold,
        pseudonym_key=pseudonym_key,
    )
    found = verify_results(results, request, study=study)
    for each in found.differences:
        say_error(str(each))
    differ = [{"code": each.code, "message": str(each)} for each in found.differences]
    summary = {"folder": str(results), "differ": differ, "not_checked": found.not_checked}
    say_json(json.dumps(summary))
    if found.differences:
        raise typer.Exit(NOTHING_DONE)
