"""``nodule dataset``: the group of the commands that make training data."""

from __future__ import annotations

import typer

from pipelines.cli._dataset_collections import lidc, luna16
from pipelines.cli._dataset_detections import detections
from pipelines.cli._dataset_review import review

dataset_app = typer.Typer(
    help="Build training sets from public collections and from reviews.", no_args_is_help=True
)
dataset_app.command()(lidc)
dataset_app.command()(luna16)
dataset_app.command()(detections)
dataset_app.command()(review)
