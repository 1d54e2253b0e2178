"""``nodule evaluate lungs``: the lung mask against a reference and against the readers' nodules."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.errors import InputError
from pipelines.cli.options import DeviceOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodule.evaluate.lungs import CentersInside
    from nodule.evaluate.overlap import Overlap
    from nodule.lungs.stage import SegmentLungs
    from nodule.volume import LungMask, Volume

_CLASSICAL = "classical labels"


def lungs(
    studies: Annotated[
        list[Path],
        typer.Argument(exists=True, metavar="STUDY...", help="DICOM folders, or images."),
    ],
    weights: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A .safetensors file; else the shipped.")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="MASK",
            help="Labels 1 right, 2 left, of one study; else labels made by classical means.",
        ),
    ] = None,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Evaluate training patients too, and say so.")
    ] = False,
    device: DeviceOption = "auto",
) -> None:
    """Compare lung masks with a reference; the last line is JSON.

    Dice, surface Dice at 2 mm and MONAI's 95 % Hausdorff distance, on the 1 mm grid. Where
    readers' XML lies in a study's folder, the share of outlined nodules whose centre lies in the
    mask, and in the mask widened as for the search for candidates. Without a reference the
    comparison is with the classical labels that the network learned from, not with a person's.
    """
    from nodule.evaluate.leakage import seen_in_training
    from nodule.evaluate.scans import patients_of
    from nodule.lungs.stage import SegmentLungs
    from nodule.weights import Weights

    if reference is not None and len(studies) > 1:
        raise InputError(
            "a reference is for one study", code="ONE_STUDY", expected=1, got=len(studies)
        )
    opened = Weights.shipped("lungs") if weights is None else Weights.open(weights)
    patients = frozenset[str]().union(*(patients_of(path) for path in studies))
    seen = seen_in_training(opened, patients, allow_seen=allow_seen)
    stage = SegmentLungs(weights=opened, device=device)
    measured = [_measure(path, stage, reference) for path in studies]
    if seen:
        typer.echo("patients were seen in training: these figures are no performance", err=True)
    typer.echo(
        json.dumps(
            {
                "reference": _CLASSICAL if reference is None else reference.name,
                "studies": [each for each, _ in measured],
                **_shares([counted for _, counted in measured if counted is not None]),
                "seen_patients": len(seen),
                "weights": opened.sha256,
            }
        )
    )


def _measure(
    path: Path, stage: SegmentLungs, reference: Path | None
) -> tuple[dict[str, Any], CentersInside | None]:
    from nodule.candidates.stage import ProposeCandidates
    from nodule.ct.read import read_ct
    from nodule.evaluate.lungs import compare_lungs, count_inside
    from nodule.evaluate.scans import has_readings, load_read_scan
    from nodule.resample import Resample

    scan = load_read_scan(path) if has_readings(path) else None
    study = scan.study if scan else read_ct(path)
    volume = Resample().run(volume=study.volume)
    found = stage.run(volume=volume)
    parts = compare_lungs(found, _truth(volume, reference))
    named: dict[str, Any] = {"study": path.name}
    named |= {name: _figures(overlap) for name, overlap in parts.items()}
    if scan is None:
        return named, None
    margin_mm = ProposeCandidates.lung_margin_mm
    centers = [mark.center_lps_mm for mark in scan.outlined]
    return named, count_inside(found, centers, margin_mm=margin_mm)


def _truth(volume: Volume, reference: Path | None) -> LungMask:
    from nodule.evaluate.lungs import read_lung_mask
    from nodule.lungs.labels import label_lungs
    from nodule.resample import resample_mask

    if reference is None:
        return label_lungs(volume)
    return resample_mask(read_lung_mask(reference), geometry=volume.geometry)


def _figures(overlap: Overlap) -> dict[str, float | None]:
    figures = {
        "dice": overlap.dice,
        "hd95_mm": overlap.hd95_mm,
        "surface_dice_2mm": overlap.surface_dice,
        "relative_volume_error": overlap.relative_volume_error,
    }
    # JSON knows no infinity
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _shares(counted: Sequence[CentersInside]) -> dict[str, Any]:
    total = sum(each.n for each in counted)
    return {
        "nodules": total,
        "nodules_inside": sum(each.inside for each in counted) / total if total else None,
        "nodules_in_dilated": (
            sum(each.within_margin for each in counted) / total if total else None
        ),
    }
