"""``nodule forecast``: what an archive would take, from what a batch has measured."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._summary import summarise


def forecast(
    batch: Annotated[
        Path,
        typer.Argument(metavar="BATCH", help="Folder of results of a nodule batch that has ended."),
    ],
    studies: Annotated[int, typer.Option("--studies", min=1, help="How many there are.")],
    workers: Annotated[int, typer.Option("--workers", min=1, help="How many work side by side.")],
    threads: Annotated[
        int, typer.Option("--threads", min=1, help="Processors of each worker.")
    ] = 1,
    lost_an_hour: Annotated[
        float,
        typer.Option(
            "--lost-an-hour", min=0.0, help="Workers that die in an hour of one worker's work."
        ),
    ] = 0.0,
    price_core_hour: Annotated[
        float,
        typer.Option("--price-core-hour", min=0.0, help="Of one processor, in any currency."),
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the simulations.")] = 0,
) -> None:
    """Simulate a large archive with the times and sizes that a batch has measured.

    The last line on stdout is JSON: seconds by stage, hours until the end, disk, and price.
    """
    from pipelines.batch import Workload
    from pipelines.batch import forecast as simulate

    workload = Workload(
        studies=studies,
        workers=workers,
        threads=threads,
        lost_an_hour=lost_an_hour,
        price_core_hour=price_core_hour,
    )
    summarise(asdict(simulate(batch, workload, seed=seed)))
