"""``nodule evaluate disease``: how much diseased lung is measured, of phantoms and of scans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_options import OutFolderOption, SeedOption
from pipelines.cli._evaluation_output import publish
from pipelines.cli._options import DeviceOption
from pipelines.cli._progress import bar


def disease(
    scans: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, metavar="SCAN", help="Whole scans, or folders of them."),
    ] = None,
    phantoms: Annotated[int, typer.Option(min=0, help="Number of phantoms.")] = 4,
    out: OutFolderOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """Measure ground glass and consolidation in phantoms against the truth, and in scans.

    The first phantom is healthy, the others have up to three patches of 20 to 55 mm radius. Lungs
    are found by the network, which leaves out most consolidation. The last line on stdout is JSON.
    """
    from nodule.chain import Chain
    from nodule.evaluate.disease_extent import evaluate_disease
    from nodule.lidc import find_scans

    with bar("disease") as progress:
        result = evaluate_disease(
            [scan for path in scans or () for scan in find_scans(path)],
            phantoms=phantoms,
            chain=Chain().computed_by(device=device),
            seed=seed,
            progress=progress,
        )
    publish(result, out=out)
