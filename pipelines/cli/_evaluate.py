"""``nodule evaluate``: the group of the evaluations."""

from __future__ import annotations

from collections.abc import Callable

import typer

from pipelines.cli._evaluate_candidates import candidates
from pipelines.cli._evaluate_disease import disease
from pipelines.cli._evaluate_froc import froc
from pipelines.cli._evaluate_lungs import lungs
from pipelines.cli._evaluate_malignancy import malignancy
from pipelines.cli._evaluate_measure import measure
from pipelines.cli._evaluate_phantoms import phantoms
from pipelines.cli._evaluate_shift import home, shift
from pipelines.cli._evaluate_transfer import transfer

evaluate_app = typer.Typer(
    help="Measure how good the networks and the measurements are.", no_args_is_help=True
)
_evaluations: tuple[Callable[..., None], ...] = (
    *(lungs, candidates, froc, malignancy, transfer, measure, phantoms, disease, shift, home),
)
for _evaluation in _evaluations:
    evaluate_app.command()(_evaluation)
