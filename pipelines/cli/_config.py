"""``nodule config``: the configurations that the package brings, and whether one's own is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.cli._terminal import say

if TYPE_CHECKING:
    from pipelines.config_kinds import ConfigKind

config_app = typer.Typer(
    help="Show the shipped configurations and check your own.", no_args_is_help=True
)


@config_app.command("show")
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="[NAME]", help="Such as detect, person or train/lungs."),
    ] = "detect",
) -> None:
    """Print a shipped configuration, with every setting and its default."""
    from pipelines.config import shipped_config

    typer.echo(shipped_config(name).read_text(encoding="utf-8"), nl=False)


@config_app.command("check")
def check_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A TOML file.")
    ],
    kind: Annotated[
        Literal["detect", "person", "train-lungs", "train-candidates", "train-malignancy"] | None,
        typer.Option(help="What the file is for; needed for training files only."),
    ] = None,
) -> None:
    """Check a configuration file: every name, type and range, and the weights that it names.

    Prints OK, or the first error and exits with status 1. A file may leave out settings that keep
    their defaults.
    """
    from pipelines.config_kinds import check_config

    found: ConfigKind = check_config(file, kind)
    say(f"OK: {file.name} is a valid {found} configuration")
