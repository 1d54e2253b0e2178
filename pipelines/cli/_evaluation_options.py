"""Options that several evaluations share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nodule.inference import Precision
from pipelines.cli._options import out_option

CropSetOption = Annotated[
    Path,
    typer.Option(
        "--data", metavar="SET", exists=True, file_okay=False, help="Folder of the crop set."
    ),
]
FoldsOption = Annotated[
    list[int] | None,
    typer.Option("--fold", help="Evaluate only nodules of this fold; may be repeated."),
]
MinReadersOption = Annotated[
    int,
    typer.Option(
        "--min-readers", min=1, help="Evaluate nodules that this many readers outlined and rated."
    ),
]
AllowSeenOption = Annotated[
    bool,
    typer.Option(
        "--allow-seen",
        help="Also evaluate patients whom a network saw in training, and say so; they are refused "
        "otherwise.",
    ),
]
PrecisionOption = Annotated[
    Precision, typer.Option("--precision", help="Numerical precision of the networks.")
]
DrawsOption = Annotated[
    int, typer.Option("--draws", min=1, help="Number of bootstrap draws for the intervals.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of all random draws.")]
OutFolderOption = Annotated[Path | None, out_option("Folder for JSON, tables and pictures.")]
OutTableOption = Annotated[
    Path | None,
    out_option("Table to write, with one row for each nodule.", metavar="CSV", dir_okay=False),
]
