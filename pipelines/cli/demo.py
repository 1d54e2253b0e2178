"""``nodule demo``: the whole chain on a synthetic study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import CacheOption
from pipelines.cli.run import run


def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")] = Path("demo"),
    cache: CacheOption = None,
) -> None:
    """Write a synthetic CT study as DICOM, run the whole chain on it and report.

    The study goes to OUT/study, the report to OUT/report/study/report.html.
    """
    from nodule.phantom import demo_spec, make_phantom, write_study

    typer.echo(f"writing a synthetic study to {out / 'study'}", err=True)
    write_study(make_phantom(demo_spec()), out / "study")
    typer.echo(f"the report will be {out / 'report' / 'study' / 'report.html'}", err=True)
    run(
        [out / "study"],
        out / "report",
        setting="screening-baseline",
        indication="None: a synthetic study of no person",
        cache=cache,
    )
