"""A process that does the work on one study after the other and may die without harm to others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from nodule.errors import InputError
from pipelines.batch import Failure, StudyDone, failure_of
from pipelines.places import StudyPlace

Work = Callable[[StudyPlace], StudyDone | Failure]

_OWNER_ONLY = 0o077


class StudyProcess:
    """Begins its process with the first study, and another one after it was lost.

    Parameters
    ----------
    work : what is done with a study; a function that another process can import.
    limit_s : longest that a study may take.
    """

    def __init__(self, work: Work, *, limit_s: float) -> None:
        self._work = work
        self._limit_s = limit_s
        self._process: Any = None
        self._answers: Connection | None = None
        self._place: StudyPlace | None = None
        self._since_s = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether it has a study."""
        return self._place is not None

    @property
    def process_id(self) -> int | None:
        """Of the process, None where none has begun."""
        return None if self._process is None else self._process.pid

    def begin(self, place: StudyPlace) -> None:
        """Give it a study."""
        if self._process is None or not self._process.is_alive():
            self._start()
        assert self._answers is not None
        self._place, self._since_s = place, time.monotonic()
        try:
            self._answers.send(place)
        except (BrokenPipeError, ConnectionResetError):
            return  # the next poll says that it is lost

    def poll(self) -> StudyDone | Failure | None:
        """Return what has come of the study, None as long as it is at work."""
        assert self._answers is not None
        assert self._place is not None
        try:
            if self._answers.poll():
                outcome: StudyDone | Failure = self._answers.recv()
                self._place = None
                return outcome
        except (EOFError, ConnectionResetError):
            return self._lose("WORKER_LOST", "the process that worked on the study has died")
        if not self._process.is_alive():
            return self._lose("WORKER_LOST", "the process that worked on the study has died")
        if time.monotonic() - self._since_s > self._limit_s:
            return self._lose("TIMED_OUT", "the study took too long")
        return None

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
        if self._answers is not None:
            self._answers.close()

    def _start(self) -> None:
        self.close()
        context = multiprocessing.get_context("spawn")
        self._answers, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        self._process.start()
        theirs.close()

    def _lose(self, code: str, what: str) -> Failure:
        assert self._place is not None
        place, self._place = self._place, None
        self.close()
        return failure_of(place.location, InputError(what, code=code))


def _serve(places: Connection, work: Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the node ends it
    os.umask(_OWNER_ONLY)
    while True:
        try:
            place = places.recv()
        except EOFError:  # the node has ended
            return
        places.send(work(place))
