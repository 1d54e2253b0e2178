"""How a long step tells its caller how far it has come."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called with the share done, in [0, 1]."""

StageProgress = Callable[[str, float], None]
"""Called with a stage's name and the share of it that is done, in [0, 1]."""


def silent(share_done: float) -> None:
    """Report nothing."""


def silent_stages(stage: str, share_done: float) -> None:
    """Report nothing."""
