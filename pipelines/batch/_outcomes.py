"""Many studies: one that fails is reported, and the others are processed."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from nodule.errors import NoduleError, UsageError
from pipelines.interrupt import Interrupted
from pipelines.runner import origin_of

_log = logging.getLogger(__name__)
_SUFFIXES = re.compile(r"\.(nii\.gz|nii|mhd|mha|nrrd|zip|dcm)$", re.IGNORECASE)
_NAME_LENGTH = 80
Item = TypeVar("Item")
Input = TypeVar("Input", bound=str | Path)
R = TypeVar("R")
Outcome = TypeVar("Outcome", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A study that could not be processed.

    Parameters
    ----------
    study : its name, as :func:`study_name` makes it.
    code : of the error; ``DISK_FAILED`` for a disk that is full or read-only, ``UNEXPECTED``
        for a defect.
    message : the whole error on one line.
    file : the input as it was given.
    is_usage : whether what was asked for is at fault, and not the study.
    """

    study: str
    code: str
    message: str
    file: str
    is_usage: bool = False


@dataclass(frozen=True, kw_only=True)
class Batch(Generic[R]):
    """What came of many studies, in the order in which they were given.

    Parameters
    ----------
    done : of each that was processed.
    failures : of each that could not be.
    interrupt : what ended the work early, None where nothing did.
    left : inputs that were not processed for that.
    """

    done: tuple[R, ...]
    failures: tuple[Failure, ...]
    interrupt: Interrupted | None = None
    left: tuple[str, ...] = ()


class Workers(Protocol[Item, Outcome]):
    """What does the work on items, several at a time where it has the means.

    Parameters
    ----------
    size : how many items may be begun before one has ended.
    """

    size: int

    def begin(self, item: Item) -> None:
        """Begin the work on an item."""

    def next_ended(self) -> tuple[Item, Outcome | Failure]:
        """Wait for an item that was begun, and return it with what came of it."""


class InTurn(Generic[Item, R]):
    """One item after the other, in this process.

    Parameters
    ----------
    process : called with each item; whatever it raises fails that item alone.
    location_of : an item as it was given, for messages.
    """

    size = 1

    def __init__(
        self, process: Callable[[Item], R | Failure], location_of: Callable[[Item], str]
    ) -> None:
        self._process = process
        self._location_of = location_of
        self._begun: list[Item] = []

    def begin(self, item: Item) -> None:
        """Keep the item for :meth:`next_ended`, which does the work."""
        self._begun.append(item)

    def next_ended(self) -> tuple[Item, R | Failure]:
        """Do the work on the item that was begun."""
        item = self._begun.pop()
        try:
            return item, self._process(item)
        except Exception as error:
            return item, failure_of(self._location_of(item), error)


def work_through(
    claim: Callable[[], Item | None], workers: Workers[Item, R]
) -> Iterator[tuple[Item, R | Failure]]:
    """Yield each item with what came of it as it ends, and keep every worker busy meanwhile.

    Parameters
    ----------
    claim : returns the next item, None where there is none at present.
    workers : who does the work.
    """
    busy = 0
    while True:
        while busy < workers.size and (item := claim()) is not None:
            workers.begin(item)
            busy += 1
        if not busy:
            return
        yield workers.next_ended()
        busy -= 1


def run_batch(inputs: Iterable[Input], process: Callable[[Input], R]) -> Batch[R]:
    """Process every study in turn, whatever becomes of the others, until a signal asks to end.

    Parameters
    ----------
    inputs : paths, or addresses as text.
    process : called with one input after the other.
    """
    done: list[R] = []
    failures: list[Failure] = []
    waiting = iter(inputs)
    begun: list[Input] = []

    def claim() -> Input | None:
        begun[:] = [each for each in (next(waiting, None),) if each is not None]
        return begun[0] if begun else None

    try:
        for _, outcome in work_through(claim, InTurn(process, str)):
            if isinstance(outcome, Failure):
                failures.append(outcome)
                _log.debug("study %s failed: %s", outcome.study, outcome.code)
            else:
                done.append(outcome)
    except Interrupted as interrupt:
        return Batch(
            done=tuple(done),
            failures=tuple(failures),
            interrupt=interrupt,
            left=tuple(map(str, (*begun, *waiting))),
        )
    return Batch(done=tuple(done), failures=tuple(failures))


def study_name(path: Path) -> str:
    """Return a folder name from an input's own name: ASCII letters, digits, ``. _ -``.

    Nothing inside the input is looked at, so no patient's name can get into it from there.
    """
    resolved = path.resolve()
    if resolved.name.upper() == "DICOMDIR":
        resolved = resolved.parent
    stem = _SUFFIXES.sub("", resolved.name)
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._")
    return safe[:_NAME_LENGTH] or "study"


def coded(error: Exception) -> NoduleError:
    """Return an error with a code: ``DISK_FAILED`` for the system's, ``UNEXPECTED`` for a defect.

    The text of a defect is not repeated, since it may hold patient data.
    """
    if isinstance(error, NoduleError):
        return error
    if isinstance(error, OSError):
        return NoduleError(
            "the system refused to read or write", code="DISK_FAILED", got=error.strerror
        )
    return NoduleError("a defect", code="UNEXPECTED", got=origin_of(error))


def failure_of(location: str, error: Exception) -> Failure:
    """Return what is said of a study that an error has failed.

    Parameters
    ----------
    location : the input as it was given.
    """
    known = coded(error)
    return Failure(
        study=study_name(Path(location)),
        code=known.code,
        message=str(known),
        file=location,
        is_usage=isinstance(known, UsageError),
    )
