"""``nodule demo``: the whole chain on a synthetic study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._options import CacheOption
from pipelines.cli._run import run


def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")] = Path("demo"),
    cache: CacheOption = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take a PNG of the report too; needs Chromium."),
    ] = None,
) -> None:
    """Write a synthetic CT study as DICOM, run the whole chain on it and report.

    The study goes to OUT/study, the report to OUT/report/study/report.html.
    """
    if picture is not None:
        from nodule.page.browser import find_chromium

        find_chromium()  # refused before the work
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
    if picture is not None:
        from nodule.page.screenshot import write_picture

        write_picture(out / "report" / "study" / "report.html", picture)
        typer.echo(f"the picture is {picture}", err=True)
