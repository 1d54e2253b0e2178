"""The figures of a detector as they stand in its model card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nodule.weights.model_card import CardFigure

_GROUPS = {
    "by_size_mm": "mm",
    "by_texture": "",
    "by_side": "side",
    "by_crop_height_mm": "mm of crop height",
}


def card_rows(summary: Mapping[str, Any]) -> Iterator[CardFigure]:
    """Yield the rows: sensitivities of chain and detector, and the chain's by kind of nodule.

    Parameters
    ----------
    summary : the chain's of
        :meth:`~nodule.evaluate.nodule_detection.detection_evaluation.DetectionEvaluation.summary`,
        and under ``detector`` the detector's.
    """
    for name, part in (("chain", summary), ("detector alone", summary["detector"])):
        for rate, point in part["operating_points"].items():
            yield _row(f"{name}: sensitivity at {rate} false marks a scan", point)
    rate, most = next(iter(summary["operating_points"].items()))
    for group, unit in _GROUPS.items():
        for kind, measured in most[group].items():
            yield _row(f"chain at {rate}: {kind} {unit}".rstrip(), measured)


def card_notes(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a reader of the rows must know: whence the false marks, how the nodules rank."""
    for rate, point in summary["operating_points"].items():
        low, high = point["fp_per_scan_interval"]
        yield (
            f"{rate} false marks a scan: threshold {point['threshold']:.3f}, counted on "
            f"{len(summary['scans'])} whole scans (Poisson interval {low:.1f} to {high:.1f})."
        )
    for name, part in (("chain", summary), ("detector alone", summary["detector"])):
        for scan in part["scans"]:
            for found in scan["nodules"]:
                rank = "missed" if found["rank"] is None else f"rank {found['rank']}"
                yield (
                    f"{scan['scan']}, {name}: nodule of {found['diameter_mm']} mm by "
                    f"{found['readers']} readers: {rank}."
                )


def _row(name: str, measured: Mapping[str, Any]) -> CardFigure:
    low, high = measured["interval"]
    return CardFigure(
        name=name, value=measured["sensitivity"], interval=(low, high), n=measured["n"]
    )
