"""How a command ends: what it says at last, and with which exit status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from pipelines.cli._terminal import say_error, say_json

if TYPE_CHECKING:
    from pipelines.batch import Batch, BatchSummary, Failure

NOTHING_DONE = 1
WRONG_USAGE = 2
SOME_FAILED = 3


def summarise(summary: Mapping[str, Any]) -> None:
    """Print a summary as JSON, the last line on stdout."""
    say_json(json.dumps(summary))


def finish(batch: Batch[Any] | BatchSummary, summary: Mapping[str, Any]) -> None:
    """Print each failure on stderr and the summary with all of them, and exit accordingly.

    Raises
    ------
    typer.Exit : with status 1 where nothing was done, 2 where nothing could be by what was asked
        for, 3 where some inputs failed, 130 or 143 where a signal ended the work.
    """
    for failure in batch.failures:
        say_error(f"{failure.file}: {failure.message}")
    stop = batch.interrupt
    early = {} if stop is None else {"interrupted": stop.name, "left": list(batch.left)}
    summarise({**summary, "failed": [_row(failure) for failure in batch.failures], **early})
    if stop is not None:
        say_error(str(stop))
        raise typer.Exit(stop.exit_status)
    if not batch.failures:
        return
    if batch.done:
        raise typer.Exit(SOME_FAILED)
    usage = all(failure.is_usage for failure in batch.failures)
    raise typer.Exit(WRONG_USAGE if usage else NOTHING_DONE)


def _row(failure: Failure) -> dict[str, str]:
    return {
        "study": failure.study,
        "code": failure.code,
        "message": failure.message,
        "file": failure.file,
    }
