"""``nodule evaluate lungs``: the lung mask against a reference and against the readers' nodules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_output import publish
from pipelines.cli._options import CardOption, DeviceOption


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
    from nodule.chain import Chain
    from nodule.evaluate.lung_masks import evaluate_lungs
    from nodule.lidc.whole_scans import find_scans
    from nodule.lungs.stage import SegmentLungs
    from nodule.weights import Weights

    opened = Weights.shipped("lungs") if weights is None else Weights.open(weights)
    result = evaluate_lungs(
        [scan for path in studies for scan in find_scans(path)],
        chain=Chain(lungs=SegmentLungs(weights=opened)).on_device(device),
        reference=reference,
        allow_seen=allow_seen,
    )
    publish(result, card=[opened] if card else (), context=context)
