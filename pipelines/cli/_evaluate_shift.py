"""``nodule evaluate shift`` and ``home``: other acquisitions of the same scans, and home ground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._evaluation_options import AllowSeenOption, OutFolderOption, SeedOption
from pipelines.cli._evaluation_output import publish
from pipelines.cli._options import DeviceOption
from pipelines.cli._progress import bar

ScansArgument = Annotated[
    list[Path],
    typer.Argument(exists=True, metavar="SCAN", help="Whole scans with readings, or folders."),
]


def shift(
    scans: ScansArgument,
    store: Annotated[
        Path,
        typer.Option(
            file_okay=False,
            help="Folder of what is done: an interrupted evaluation goes on from there.",
        ),
    ],
    acquisition: Annotated[
        list[str] | None,
        typer.Option(help="Only this acquisition; may be repeated. All if not given."),
    ] = None,
    allow_seen: AllowSeenOption = False,
    out: OutFolderOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """Measure what other acquisitions of the same scans cost.

    Each scan is run as it is and as thirteen other acquisitions might have shown it: slices of 3
    and 5 mm, a sharp and a soft kernel, a quarter of the dose, contrast medium, large and small
    pixels, 60 % of the field, motion, lossy compression, clipped HU, and a prone patient.
    Sensitivity and false positives are at the default threshold, by the rules of LUNA16; of a
    smaller field only the nodules count that it shows. Also printed is how often the study is
    called off home ground. The last line on stdout is JSON.
    """
    from nodule.chain import Chain
    from nodule.errors import UsageError
    from nodule.evaluate.acquisition_shift import ACQUISITIONS, evaluate_shift

    unknown = sorted(set(acquisition or ()) - set(ACQUISITIONS))
    if unknown:
        raise UsageError(
            f"there is no acquisition called {unknown[0]}",
            code="UNKNOWN_ACQUISITION",
            expected=list(ACQUISITIONS),
            got=unknown,
        )
    with bar("shift") as progress:
        result = evaluate_shift(
            scans,
            chain=Chain().computed_by(device=device),
            store=store,
            only=tuple(acquisition or ()),
            seed=seed,
            allow_seen=allow_seen,
            progress=progress,
        )
    publish(result, out=out)


def home(
    scans: ScansArgument,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="SET",
            exists=True,
            file_okay=False,
            help="Crop set whose exact volumes are measured too.",
        ),
    ] = None,
    out: OutFolderOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """Measure noise, kernel, field and density at home, and what is told from it.

    The ranges within which a study is on home ground are read off what this prints for LIDC-IDRI.
    Each scan is also measured as nodule evaluate shift shows it. Scans are flagged by their images
    alone: neither findings nor disease counts here. The last line on stdout is JSON.
    """
    from nodule.chain import Chain
    from nodule.evaluate.acquisition_shift import evaluate_home
    from nodule.lidc import find_scans
    from nodule.training import CropSet

    with bar("home") as progress:
        result = evaluate_home(
            [scan for path in scans for scan in find_scans(path)],
            crops=None if data is None else CropSet.open(data),
            chain=Chain().computed_by(device=device),
            seed=seed,
            progress=progress,
        )
    publish(result, out=out)
