"""``nodule evaluate lungs``: the lung mask against a reference and against the readers' nodules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_options import AllowSeenOption
from pipelines.cli._evaluation_output import check_beside, publish
from pipelines.cli._options import CardOption, DeviceOption, WeightsOption


def lungs(
    context: typer.Context,
    studies: Annotated[
        list[Path],
        typer.Argument(
            exists=True, metavar="STUDY", help="Studies, as for nodule run, or folders of studies."
        ),
    ],
    weights: WeightsOption = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="MASK",
            help="Reference mask of one study, with labels 1 right and 2 left; labels made by "
            "classical segmentation if not given.",
        ),
    ] = None,
    allow_seen: AllowSeenOption = False,
    card: CardOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Compare lung masks with a reference.

    Computes Dice, surface Dice at 2 mm and the 95 % Hausdorff distance of MONAI on the 1 mm grid.
    For scans with readings (the readers' XML, annotations.csv of LUNA16) also counts the nodules
    whose centre lies in the mask, and in the mask dilated as for the candidate search: all that
    any reader outlined and all smaller than 3 mm. Without a reference the comparison is with the
    classical labels that the network was trained on, not with a person's. The last line on stdout
    is JSON.
    """
    from nodule.chain import Chain
    from nodule.evaluate.lung_masks import evaluate_lungs
    from nodule.lidc import find_scans
    from nodule.lungs import SegmentLungs
    from nodule.weights import Weights

    opened = Weights.shipped("lungs") if weights is None else Weights.open(weights)
    check_beside([opened], wanted=card)
    result = evaluate_lungs(
        [scan for path in studies for scan in find_scans(path)],
        chain=Chain(lungs=SegmentLungs(weights=opened)).computed_by(device=device),
        reference=reference,
        allow_seen=allow_seen,
    )
    publish(result, card=[opened] if card else (), context=context)
