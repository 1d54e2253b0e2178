"""Figures of the evaluation of detection. Loads matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from nodule.evaluate.luna16_froc._froc import FP_RATES, FrocBand, FrocCurve
from nodule.weights.model_card import CardFigure
from nodule.whole_files import whole_file

_OURS = "#4477aa"


def draw_froc(path: Path | str, curve: FrocCurve, band: FrocBand | None = None) -> None:
    """Write the curve with its operating points and the band over draws as an image."""
    figure = Figure(figsize=(6.0, 4.5), layout="constrained")
    axes = figure.add_subplot()
    if band is not None:
        axes.fill_between(
            band.fp_rates,
            band.low,
            band.high,
            color=_OURS,
            alpha=0.2,
            linewidth=0,
            label="95 % interval over scans",
        )
    axes.plot(curve.fp_per_scan, curve.sensitivity, color=_OURS, linewidth=1.5)
    axes.plot(curve.fp_rates, curve.sensitivities, "o", color=_OURS, label=f"CPM {curve.cpm:.3f}")
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(FP_RATES), max(FP_RATES))
    axes.set_xticks(FP_RATES, ["1/8", "1/4", "1/2", "1", "2", "4", "8"])
    axes.set_ylim(0.0, 1.02)
    axes.set_xlabel("false positives per scan")
    axes.set_ylabel("sensitivity")
    nodules = curve.true_positives + curve.false_negatives
    axes.set_title(f"{nodules} nodules in {curve.n_scans} scans")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    with whole_file(Path(path)) as stream:
        figure.savefig(stream, format="png", dpi=120)


def draw_sensitivities(path: Path | str, rows: Sequence[CardFigure]) -> None:
    """Write shares with their intervals as an image, one row each, the first on top.

    Parameters
    ----------
    rows : such as those of :func:`~nodule.evaluate.nodule_detection.detection_card.card_rows`;
        each has a number.
    """
    figure = Figure(figsize=(8.0, 1.2 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for place, row in enumerate(rows):
        if row.interval is not None:
            axes.plot(row.interval, (place, place), color=_OURS, linewidth=1.5)
        axes.plot(float(row.value or 0.0), place, "o", color=_OURS)
    axes.set_yticks(range(len(rows)), [f"{row.name} (n = {row.n})" for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0.0, 1.02)
    axes.set_xlabel("sensitivity, 95 % interval over patients")
    axes.grid(alpha=0.3, axis="x")
    with whole_file(Path(path)) as stream:
        figure.savefig(stream, format="png", dpi=120)
