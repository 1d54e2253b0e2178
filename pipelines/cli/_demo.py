"""``nodule demo``: the whole chain on a synthetic study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._options import CacheOption, check_file, out_option
from pipelines.cli._run import run_studies
from pipelines.cli._terminal import say_error


def demo(
    out: Annotated[Path, out_option("Folder to write to.")] = Path("demo"),
    cache: CacheOption = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            callback=check_file,
            help="Also write a picture of the report as PNG; Chromium must be on the PATH.",
        ),
    ] = None,
) -> None:
    """Write a synthetic CT study as DICOM, run the whole chain on it and write its report.

    The study goes to OUT/study, the report to OUT/report/study/report.html.
    """
    from nodule.phantom import demo_spec, make_phantom, write_study
    from pipelines.request import RunRequest

    if picture is not None:
        from nodule.page.browser import find_chromium

        find_chromium()  # refused before the work
    study, page = out / "study", out / "report" / "study" / "report.html"
    say_error(f"writing a synthetic study to {study}")
    write_study(make_phantom(demo_spec()), study)
    say_error(f"the report will be {page}")
    request = RunRequest(
        studies=(study,),
        setting="screening-baseline",
        indication="None: a synthetic study of no person",
        cache=cache,
    )
    run_studies(request, out=out / "report")
    if picture is not None:
        from nodule.page.screenshot import write_picture

        write_picture(page, picture)
        say_error(f"the picture is {picture}")
