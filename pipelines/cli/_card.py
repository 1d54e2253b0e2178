"""``nodule card``: render model cards from what they state."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._terminal import say


def card(
    files: Annotated[
        list[Path],
        typer.Argument(
            exists=True, dir_okay=False, metavar="FILE", help="What cards state, NAME.card.json."
        ),
    ],
) -> None:
    """Render model cards as NAME.md beside NAME.card.json, and print their paths.

    Training and evaluations write both. After a change of a text in the JSON, this renders it.
    """
    from nodule.weights.card_writing import write_rendered

    for path in files:
        say(str(write_rendered(path)))
