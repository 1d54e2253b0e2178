"""The evaluation of a submission by LUNA16's rules: FROC and CPM with intervals over scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import (
    EvaluationResult,
    EvaluationScope,
    FileWriter,
    write_csv,
)
from nodule.evaluate.luna16_froc._froc import FP_RATES, FrocBand, bootstrap_froc, froc
from nodule.evaluate.luna16_froc._luna16_matching import ScanMatches, match_luna16
from nodule.lidc import LunaFinding, LunaMark

_CURVE_POINTS = 256


@dataclass(frozen=True, kw_only=True)
class FrocFigures:
    """A submission's score.

    Parameters
    ----------
    scope : what was evaluated; patients are those of the series listed, one each.
    cpm : mean sensitivity at LUNA16's seven rates.
    sensitivities : by false positives per scan.
    true_positives, false_negatives : nodules that were found and missed.
    false_positives, ignored, double : detections on nothing, on excluded findings, and further
        ones on a nodule that was found already.
    marks : detections that were looked at.
    scans : series listed.
    marks_outside_series : detections in series that are not listed; they are left out.
    """

    scope: EvaluationScope
    cpm: Estimate
    sensitivities: Mapping[str, Estimate]
    true_positives: int
    false_negatives: int
    false_positives: int
    ignored: int
    double: int
    marks: int
    scans: int
    marks_outside_series: int


def evaluate_froc(
    *,
    series_uids: Sequence[str],
    annotations: Sequence[LunaFinding],
    excluded: Sequence[LunaFinding],
    marks: Sequence[LunaMark],
    bootstrap: BootstrapSettings,
) -> EvaluationResult[FrocFigures]:
    """Score a submission.

    Parameters
    ----------
    series_uids : every scan evaluated, those without nodules included.
    annotations, excluded : the nodules to be found, and the findings that count neither way.
    marks : the submission.
    bootstrap : draws of the scans.

    Raises
    ------
    InputError : ``NO_NODULES`` if no scan holds one.
    """
    scans = match_luna16(
        series_uids=series_uids, annotations=annotations, excluded=excluded, marks=marks
    )
    known = set(series_uids)
    outside = sum(mark.series_uid not in known for mark in marks)
    warning = f"{outside} detections lie in series that are not listed; they are left out"
    return EvaluationResult(
        figures=froc_figures(scans, outside=outside, bootstrap=bootstrap),
        files=froc_files(scans, bootstrap=bootstrap),
        warnings=(warning,) if outside else (),
    )


def froc_figures(
    scans: Sequence[ScanMatches], *, outside: int, bootstrap: BootstrapSettings
) -> FrocFigures:
    """Return the figures of scans whose detections were matched.

    Raises
    ------
    InputError : ``NO_NODULES`` if no scan holds one.
    """
    curve, band = froc(scans), bootstrap_froc(scans, bootstrap=bootstrap)
    nodules = curve.true_positives + curve.false_negatives

    def estimate(value: float, low: float, high: float) -> Estimate:
        return Estimate(
            value=float(value), low=float(low), high=float(high), n=nodules, draws=bootstrap.draws
        )

    ends = zip(curve.fp_rates, curve.sensitivities, band.low, band.high, strict=True)
    return FrocFigures(
        scope=EvaluationScope(evaluation="froc", patients=len(scans), bootstrap=bootstrap),
        cpm=estimate(curve.cpm, *band.cpm),
        sensitivities={f"{rate:g}": estimate(*values) for rate, *values in ends},
        true_positives=curve.true_positives,
        false_negatives=curve.false_negatives,
        false_positives=curve.false_positives,
        ignored=curve.ignored,
        double=curve.double,
        marks=curve.n_marks,
        scans=curve.n_scans,
        marks_outside_series=outside,
    )


def froc_files(
    scans: Sequence[ScanMatches], *, bootstrap: BootstrapSettings
) -> dict[str, FileWriter]:
    """Return ``froc.csv`` and ``froc.png``: the curve, and its band over draws of the scans."""
    rates = tuple(np.geomspace(min(FP_RATES), max(FP_RATES), _CURVE_POINTS).tolist())

    @cache
    def band() -> FrocBand:
        return bootstrap_froc(scans, bootstrap=bootstrap, fp_rates=rates)

    def tabulate(path: Path) -> None:
        curve = froc(scans, fp_rates=rates)
        columns = (rates, curve.sensitivities, band().mean, band().low, band().high)
        rows = ([f"{value:.9f}" for value in row] for row in zip(*columns, strict=True))
        write_csv(path, ("fp_per_scan", "sensitivity", "mean", "lower", "upper"), rows)

    def draw(path: Path) -> None:
        from nodule.evaluate.nodule_detection._detection_plots import draw_froc

        draw_froc(path, froc(scans), band())

    return {"froc.csv": tabulate, "froc.png": draw}
