"""``nodule evaluate``: how good results are."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodule.evaluate.nodule_detection.froc import FrocCurve, FrocInterval
    from nodule.evaluate.nodule_detection.luna16_matching import ScanMatches
    from nodule.lidc.luna16 import LunaMark

logger = logging.getLogger(__name__)

evaluate_app = typer.Typer(help="Measure how good results are.", no_args_is_help=True)

_CURVE_POINTS = 256


@evaluate_app.callback()
def _root() -> None:
    """Measure how good results are."""


@evaluate_app.command("froc")
def evaluate_froc(
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
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="Folder for CSV and PNG.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws of the scans.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
) -> None:
    """FROC and CPM by LUNA16's rules; the last line is JSON.

    Coordinates are LPS mm. FP/scan divides by all series listed, so list just those evaluated.
    """
    import numpy as np

    from nodule.evaluate.nodule_detection.froc import bootstrap_froc, froc
    from nodule.evaluate.nodule_detection.luna16_matching import match_luna16
    from nodule.lidc.luna16 import read_findings, read_series_uids, read_submission

    uids, marks = read_series_uids(seriesuids), read_submission(submission)
    outside = _count_outside(marks, uids)
    scans = match_luna16(
        series_uids=uids,
        annotations=read_findings(annotations),
        excluded=read_findings(excluded),
        marks=marks,
    )
    curve = froc(scans)
    interval = bootstrap_froc(scans, rng=np.random.default_rng(seed), draws=draws)
    if output is not None:
        write_froc(output, scans, draws=draws, seed=seed)
    typer.echo(json.dumps(_summary(curve, interval) | {"marks_outside_series": outside}))


def _count_outside(marks: tuple[LunaMark, ...], uids: tuple[str, ...]) -> int:
    known = set(uids)
    outside = sum(mark.series_uid not in known for mark in marks)
    if outside:
        logger.warning("%d marks lie in series that are not listed; left out", outside)
    return outside


def _summary(curve: FrocCurve, interval: FrocInterval) -> dict[str, object]:
    rates = [f"{rate:g}" for rate in curve.fp_rates]
    return {
        "cpm": curve.cpm,
        "cpm_interval": list(interval.cpm),
        "sensitivities": dict(zip(rates, curve.sensitivities, strict=True)),
        "intervals": {
            rate: [float(low), float(high)]
            for rate, low, high in zip(rates, interval.lower, interval.upper, strict=True)
        },
        "true_positives": curve.true_positives,
        "false_negatives": curve.false_negatives,
        "false_positives": curve.false_positives,
        "ignored": curve.ignored,
        "double": curve.double,
        "marks": curve.n_marks,
        "scans": curve.n_scans,
    }


def write_froc(folder: Path, scans: Sequence[ScanMatches], *, draws: int, seed: int) -> None:
    """Write ``froc.csv`` and ``froc.png``: the curve, and its interval by drawing scans anew.

    Raises
    ------
    InputError : ``NO_NODULES`` if no scan holds one.
    """
    import numpy as np

    from nodule.evaluate.nodule_detection.detection_figures import draw_froc
    from nodule.evaluate.nodule_detection.froc import FP_RATES, bootstrap_froc, froc

    folder.mkdir(parents=True, exist_ok=True)
    rates = tuple(np.geomspace(min(FP_RATES), max(FP_RATES), _CURVE_POINTS).tolist())
    band = bootstrap_froc(scans, rng=np.random.default_rng(seed), draws=draws, fp_rates=rates)
    columns = (rates, froc(scans, fp_rates=rates).sensitivities, band.mean, band.lower, band.upper)
    with (folder / "froc.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("fp_per_scan", "sensitivity", "mean", "lower", "upper"))
        writer.writerows([f"{value:.9f}" for value in row] for row in zip(*columns, strict=True))
    draw_froc(folder / "froc.png", froc(scans), band)
