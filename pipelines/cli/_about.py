"""``nodule about``: what the software is for, what it is not for, and its known limits."""

from __future__ import annotations

from nodule import __version__
from nodule.intended_use import INTENDED_USE
from pipelines.cli._terminal import say


def about() -> None:
    """Say what this software is for, what it is not for, and what is known to limit it."""
    stated = INTENDED_USE
    lines = [
        f"nodule {__version__}. {stated.limits.purpose}",
        stated.limits.use,
        *("", "For", f"- {stated.users}", f"- {stated.images}", f"- {stated.task}"),
        *("", "Not for", *(f"- {each}" for each in stated.not_for)),
        *("", "Known limits", *(f"- {each}" for each in stated.known_limits)),
    ]
    say("\n".join(lines))
