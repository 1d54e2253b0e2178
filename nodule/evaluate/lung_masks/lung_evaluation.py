"""What is told of lung masks, as JSON and as the rows of a model card."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nodule.weights.model_card import CardFigure

if TYPE_CHECKING:
    from nodule.evaluate.lung_masks.lung_agreement import CentersInside
    from nodule.evaluate.overlap import Overlap

_SIDES = {"both": "both lungs", "right": "right lung", "left": "left lung"}


@dataclass(frozen=True, kw_only=True)
class MeasuredLungs:
    """One scan's lungs, measured.

    Parameters
    ----------
    name : of the scan.
    parts : agreement with the reference: ``both``, ``right``, ``left``.
    centers : how many of the readers' nodules the mask keeps.
    """

    name: str
    parts: Mapping[str, Overlap]
    centers: CentersInside


def summary(measured: Sequence[MeasuredLungs]) -> dict[str, Any]:
    """Return the figures by study, and over all studies the counts and shares of nodules."""
    studies = [
        {
            "study": each.name,
            **{part: _overlap(found) for part, found in each.parts.items()},
            "nodules": each.centers.n,
            "nodules_inside_count": each.centers.inside,
            "nodules_in_dilated_count": each.centers.within_margin,
        }
        for each in measured
    ]
    total = sum(each.centers.n for each in measured)
    inside = sum(each.centers.inside for each in measured)
    near = sum(each.centers.within_margin for each in measured)
    return {
        "studies": studies,
        "nodules": total,
        "nodules_inside_count": inside,
        "nodules_in_dilated_count": near,
        "nodules_inside": inside / total if total else None,
        "nodules_in_dilated": near / total if total else None,
    }


def card_rows(measured: Sequence[MeasuredLungs], *, margin_mm: float) -> Iterator[CardFigure]:
    """Yield the rows of a model card; a figure of one scan has no interval."""
    for each in measured:
        for part, found in each.parts.items():
            yield from _part_rows(f"{each.name}, {_SIDES[part]}", found)
        yield from _center_rows(each.name, [each.centers], margin_mm=margin_mm)
    if len(measured) > 1:
        yield from _center_rows(
            f"all {len(measured)} scans", [each.centers for each in measured], margin_mm=margin_mm
        )


def _overlap(found: Overlap) -> dict[str, float | None]:
    figures = {
        "dice": found.dice,
        "hd95_mm": found.hd95_mm,
        "mean_surface_mm": found.mean_surface_mm,
        "surface_dice_2mm": found.surface_dice,
        "relative_volume_error": found.relative_volume_error,
    }
    # JSON knows no infinity
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _part_rows(name: str, found: Overlap) -> Iterator[CardFigure]:
    yield CardFigure(name=f"{name}: Dice", value=found.dice, n=1)
    yield CardFigure(name=f"{name}: HD95, mm", value=found.hd95_mm, n=1, digits=1)
    yield CardFigure(name=f"{name}: mean surface distance, mm", value=found.mean_surface_mm, n=1)
    yield CardFigure(name=f"{name}: surface Dice at 2 mm", value=found.surface_dice, n=1)
    volume = 100.0 * found.relative_volume_error
    yield CardFigure(name=f"{name}: volume error, %", value=volume, n=1, digits=1)


def _center_rows(
    name: str, counted: Sequence[CentersInside], *, margin_mm: float
) -> Iterator[CardFigure]:
    total = sum(each.n for each in counted)
    inside = sum(each.inside for each in counted)
    near = sum(each.within_margin for each in counted)
    if total:
        yield CardFigure(name=f"{name}: nodule centres inside", value=f"{inside}/{total}", n=total)
        yield CardFigure(
            name=f"{name}: nodule centres within {margin_mm:g} mm", value=f"{near}/{total}", n=total
        )
