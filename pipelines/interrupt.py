"""Requests to end: SIGINT (Ctrl-C) and SIGTERM."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal has asked this process to end. No handler of ordinary errors catches it.

    Parameters
    ----------
    number : of the signal.
    """

    def __init__(self, number: int) -> None:
        self.name = signal.Signals(number).name
        self.exit_status = 128 + number  # as a shell has it
        super().__init__(self.name)

    def __str__(self) -> str:
        """Return what a user is told."""
        return f"INTERRUPTED: {self.name} came; what was being written has been removed"


def raise_on_signals() -> None:
    """Have the first SIGINT or SIGTERM raise :class:`Interrupted` in the main thread.

    A second one ends the process at once.
    """
    for each in _SIGNALS:
        signal.signal(each, _raise)


def _raise(number: int, _: FrameType | None) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    raise Interrupted(number)
