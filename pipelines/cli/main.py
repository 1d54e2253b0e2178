"""The ``nodule`` command: its sub-commands, and what a user sees of an error."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nodule import __version__
from nodule.errors import NoduleError
from pipelines.cli.locate import locate

app = typer.Typer(
    name="nodule",
    help=(
        "Find, measure and score lung nodules on chest CT. "
        "Research software: a second reader's draft, never a diagnosis."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks show local variables, patients included
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nodule {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Leave everything to the sub-commands."""


app.command("locate")(locate)


def main() -> None:
    """Run a command; a coded error is one line on stderr and exit status 1."""
    try:
        app()
    except NoduleError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
