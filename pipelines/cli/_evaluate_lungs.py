"""``nodule evaluate lungs``: the lung mask against a reference and against the readers' nodules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nodule.errors import InputError
from pipelines.cli._options import CardOption, DeviceOption, given_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodule.evaluate.lung_masks.lung_evaluation import MeasuredLungs
    from nodule.lidc.whole_scans import WholeScan
    from nodule.lungs.stage import SegmentLungs
    from nodule.volume import LungMask, Volume
    from nodule.weights import Weights

_CLASSICAL = "classical labels"


def lungs(
    context: typer.Context,
    studies: Annotated[
        list[Path],
        typer.Argument(
            exists=True, metavar="STUDY...", help="DICOM folders or images, or folders of them."
        ),
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
    card: CardOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Compare lung masks with a reference; the last line is JSON.

    Dice, surface Dice at 2 mm and MONAI's 95 % Hausdorff distance, on the 1 mm grid. Where there
    are readings (the readers' XML, LUNA16's annotations.csv), how many of the nodules have their
    centre in the mask, and in the mask widened as for the search for candidates: all that any
    reader outlined and all smaller than 3 mm. Without a reference the comparison is with the
    classical labels that the network learned from, not with a person's.
    """
    from nodule.evaluate.leakage import as_listed, patients_of, seen_in_training
    from nodule.evaluate.lung_masks.lung_evaluation import summary
    from nodule.lidc.whole_scans import find_scans
    from nodule.lungs.stage import SegmentLungs
    from nodule.weights import Weights

    scans = [scan for path in studies for scan in find_scans(path)]
    if reference is not None and len(scans) > 1:
        raise InputError(
            "a reference is for one study", code="ONE_STUDY", expected=1, got=len(scans)
        )
    opened = Weights.shipped("lungs") if weights is None else Weights.open(weights)
    people = patients_of(scans)
    seen = seen_in_training([opened], people, also_called=people, allow_seen=allow_seen)
    stage = SegmentLungs(weights=opened, device=device)
    measured = [_measure(scan, stage, reference) for scan in scans]
    against = _CLASSICAL if reference is None else reference.name
    if card:
        patients = as_listed(opened, people)
        _write_card(opened, measured, patients, against=against, command=given_command(context))
    if seen:
        typer.echo("patients were seen in training: these figures are no performance", err=True)
    told = {"reference": against, **summary(measured), "seen_patients": len(seen)}
    typer.echo(json.dumps(told | {"weights": opened.sha256}))


def _measure(scan: WholeScan, stage: SegmentLungs, reference: Path | None) -> MeasuredLungs:
    from nodule.candidates.stage import ProposeCandidates
    from nodule.ct import read_ct
    from nodule.evaluate.lung_masks.lung_agreement import (
        compare_lungs,
        count_inside,
        nodule_centers,
    )
    from nodule.evaluate.lung_masks.lung_evaluation import MeasuredLungs
    from nodule.resample import Resample

    study = read_ct(scan.path)
    volume = Resample().run(volume=study.volume)
    found = stage.run(volume=volume)
    centers = nodule_centers(scan, study)
    return MeasuredLungs(
        name=scan.patient,
        parts=compare_lungs(found, _truth(volume, reference)),
        centers=count_inside(found, centers, margin_mm=ProposeCandidates.lung_margin_mm),
    )


def _truth(volume: Volume, reference: Path | None) -> LungMask:
    from nodule.evaluate.lung_masks.lung_agreement import read_lung_mask
    from nodule.lungs.training.threshold_labels import label_lungs
    from nodule.resample import resample_mask

    if reference is None:
        return label_lungs(volume)
    return resample_mask(read_lung_mask(reference), geometry=volume.geometry)


def _write_card(
    weights: Weights,
    measured: Sequence[MeasuredLungs],
    patients: frozenset[str],
    *,
    against: str,
    command: str,
) -> None:
    from nodule.candidates.stage import ProposeCandidates
    from nodule.evaluate.lung_masks.lung_evaluation import card_rows
    from nodule.weights.card_files import write_measured

    margin_mm = ProposeCandidates.lung_margin_mm
    write_measured(
        weights,
        heading=f"Lungs of {', '.join(each.name for each in measured)}",
        rows=list(card_rows(measured, margin_mm=margin_mm)),
        command=command,
        measured_on=f"Scans: {len(measured)}, against {against}, at 1 mm. Nodules are all that any "
        f"reader marked as one; {margin_mm:g} mm is how far around the lungs candidates are "
        "looked for.",
        patients=patients,
    )
