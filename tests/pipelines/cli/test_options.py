"""What several commands share."""

from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from pipelines.cli._options import given_command

app = typer.Typer()


@app.command()
def measure(
    context: typer.Context,
    studies: list[Path],
    scans: Annotated[list[Path] | None, typer.Option()] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o")] = None,
    fold: Annotated[list[int] | None, typer.Option()] = None,
    seed: int = 0,
    card: Annotated[bool, typer.Option("--card")] = False,
    old: Annotated[bool, typer.Option("--old/--new")] = True,
) -> None:
    typer.echo(given_command(context))


@app.callback()
def root() -> None:
    """Be a group, as nodule is."""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["/home/a/S1", "b/S2"], "nodule measure S1 S2"),
        (
            ["S", "--fold", "1", "--fold", "2", "--card"],
            "nodule measure S --fold 1 --fold 2 --card",
        ),
        (["S", "-o", "/tmp/my out"], "nodule measure S --output 'my out'"),
        (["S", "--scans=/x/A", "--scans", "/x/B/"], "nodule measure S --scans A --scans B"),
        (["S", "--new", "--seed", "0"], "nodule measure S --seed 0 --new"),
    ],
)
def test_tells_the_command_that_was_given_without_folders(given: list[str], told: str) -> None:
    ran = CliRunner().invoke(app, ["measure", *given], prog_name="nodule", catch_exceptions=False)
    assert ran.stdout.strip() == told
