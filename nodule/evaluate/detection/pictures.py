"""Pictures of an evaluation. Loads matplotlib."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from nodule.evaluate.detection.froc import FP_RATES, FrocCurve, FrocInterval


def draw_froc(path: Path | str, curve: FrocCurve, interval: FrocInterval | None = None) -> None:
    """Write the curve with its operating points and interval as an image."""
    figure = Figure(figsize=(6.0, 4.5), layout="constrained")
    axes = figure.add_subplot()
    if interval is not None:
        axes.fill_between(
            interval.fp_rates,
            interval.lower,
            interval.upper,
            color="#4477aa",
            alpha=0.2,
            linewidth=0,
            label="interval, scans drawn anew",
        )
    axes.plot(curve.fp_per_scan, curve.sensitivity, color="#4477aa", linewidth=1.5)
    axes.plot(
        curve.fp_rates, curve.sensitivities, "o", color="#4477aa", label=f"CPM {curve.cpm:.3f}"
    )
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
    figure.savefig(path, dpi=120)
