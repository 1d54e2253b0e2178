"""What every ``nodule evaluate`` command does with the result of its evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from nodule.whole_files import check_writable
from pipelines.cli._options import given_command
from pipelines.cli._terminal import say_error, say_json

if TYPE_CHECKING:
    from nodule.evaluate import EvaluationFigures, EvaluationResult
    from nodule.weights import Weights

    Figures = TypeVar("Figures", bound=EvaluationFigures)


def check_beside(weights: Sequence[Weights], *, wanted: bool) -> None:
    """Refuse, before an evaluation, what it could not write beside weights.

    Raises
    ------
    OSError : as :func:`nodule.whole_files.check_writable`.
    """
    if wanted:
        for each in weights:
            check_writable(each.path, folder=False)


def publish(
    result: EvaluationResult[Figures],
    *,
    out: Path | None = None,
    table: Path | None = None,
    card: Sequence[Weights] = (),
    context: typer.Context | None = None,
) -> None:
    """Write and print a result; the last line on stdout is the figures as JSON.

    Parameters
    ----------
    out : folder for JSON, tables and pictures.
    table : file for ``nodules.csv`` alone.
    card : weights into whose model card the figures go; none by default.
    context : of the command, whose words the card states.
    """
    if out is not None:
        result.write(out)
    if table is not None:
        result.files["nodules.csv"](table)
    if card and context is not None:
        result.write_card(card, command=given_command(context))
    for warning in (*result.figures.scope.warnings, *result.warnings):
        say_error(warning)
    say_json(result.to_json())
