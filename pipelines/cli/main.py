"""The ``nodule`` command: its sub-commands, and what a user sees of an error."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from nodule import __version__
from nodule.errors import UsageError
from nodule.intended_use import INTENDED_USE
from pipelines.cli._about import about
from pipelines.cli._batch import batch
from pipelines.cli._benchmark import benchmark
from pipelines.cli._cache import cache_app
from pipelines.cli._card import card
from pipelines.cli._check import check
from pipelines.cli._compare import compare
from pipelines.cli._config import config_app
from pipelines.cli._dataset import dataset_app
from pipelines.cli._demo import demo
from pipelines.cli._evaluate import evaluate_app
from pipelines.cli._explain import explain
from pipelines.cli._forecast import forecast
from pipelines.cli._locate import locate
from pipelines.cli._phantom import phantom
from pipelines.cli._push import push
from pipelines.cli._review import review_app
from pipelines.cli._run import run
from pipelines.cli._serve import serve
from pipelines.cli._summary import NOTHING_DONE, WRONG_USAGE, summarise
from pipelines.cli._terminal import (
    CodedGroup,
    PrintableMessages,
    escape_what_cannot_be_shown,
    say,
    say_error,
)
from pipelines.cli._train import train
from pipelines.cli._verify import verify
from pipelines.interrupt import Interrupted, raise_on_signals

_OWNER_ONLY = 0o077  # what nobody else may: read, write or enter
_STUDIES = "Studies"
_NETWORKS = "Training and evaluation"
_SET_UP = "This software, its configuration and cache"

app = typer.Typer(
    name="nodule",
    cls=CodedGroup,
    help=f"Find, measure and score lung nodules on chest CT. {INTENDED_USE.limits.purpose}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks show local variables, patients included
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"nodule {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Leave everything to the sub-commands."""


_of_studies: tuple[Callable[..., None], ...] = (
    run,
    batch,
    demo,
    compare,
    explain,
    check,
    locate,
    verify,
    push,
    serve,
    forecast,
)
for command in _of_studies:
    app.command(rich_help_panel=_STUDIES)(command)
app.add_typer(review_app, name="review", rich_help_panel=_STUDIES)

for command in (phantom, train, benchmark, card):
    app.command(rich_help_panel=_NETWORKS)(command)
app.add_typer(dataset_app, name="dataset", rich_help_panel=_NETWORKS)
app.add_typer(evaluate_app, name="evaluate", rich_help_panel=_NETWORKS)

app.command(rich_help_panel=_SET_UP)(about)
app.add_typer(config_app, name="config", rich_help_panel=_SET_UP)
app.add_typer(cache_app, name="cache", rich_help_panel=_SET_UP)


def _refuse_empty_words(words: Sequence[str]) -> None:
    """Refuse what a script's unset variable leaves: as a path it would mean the current folder."""
    if "" in words:
        raise UsageError(
            "an argument is empty",
            code="EMPTY_ARGUMENT",
            expected="a value, or . for the current folder",
            hint="A variable of a script may not be set.",
        )


def main() -> None:
    """Run a command; an error, or a signal that ends it, is one line on stderr.

    The exit status is 2 for wrong usage, 130 for SIGINT, 143 for SIGTERM and 1 for everything else.
    """
    raise_on_signals()
    escape_what_cannot_be_shown()
    os.umask(os.umask(_OWNER_ONLY) | _OWNER_ONLY)  # results and caches name patients, or show them
    assert logging.lastResort is not None
    logging.lastResort.addFilter(PrintableMessages())
    try:
        _refuse_empty_words(sys.argv[1:])
        app()
    except Interrupted as stop:
        summarise({"interrupted": stop.name})
        say_error(str(stop))
        sys.exit(stop.exit_status)
    except Exception as error:
        from pipelines.batch import coded  # which loads numpy

        say_error(str(coded(error)))
        sys.exit(WRONG_USAGE if isinstance(error, UsageError) else NOTHING_DONE)
