"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nodule.inference import Device

CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        envvar="NODULE_CACHE",
        help="Where stages' outputs are kept; by default the user's cache folder.",
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="TOML file; by default the shipped detect.toml.")
]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="Where networks run; auto takes CUDA where there is one.")
]
SeriesOption = Annotated[
    str | None, typer.Option("--series", help="SeriesInstanceUID, where there are several.")
]
DicomOption = Annotated[
    bool, typer.Option("--dicom", help="Write sr.dcm and seg.dcm too; STUDY must be DICOM.")
]
PdfOption = Annotated[
    bool, typer.Option("--pdf", help="Print the report too; needs Chromium on the PATH.")
]
