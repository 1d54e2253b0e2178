"""Many studies: one that fails is reported, and the others are processed."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from nodule.errors import NoduleError, UsageError
from pipelines.interrupt import Interrupted
from pipelines.runner import origin_of

_log = logging.getLogger(__name__)
_SUFFIXES = re.compile(r"\.(nii\.gz|nii|mhd|mha|nrrd|zip|dcm)$", re.IGNORECASE)
_NAME_LENGTH = 80
T = TypeVar("T")


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
class Batch(Generic[T]):
    """What came of many studies, in the order in which they were given.

    Parameters
    ----------
    done : of each that was processed.
    failures : of each that could not be.
    interrupt : what ended the work early, None where nothing did.
    left : inputs that were not processed for that.
    """

    done: tuple[T, ...]
    failures: tuple[Failure, ...]
    interrupt: Interrupted | None = None
    left: tuple[Path, ...] = ()


def run_batch(paths: Iterable[Path], process: Callable[[Path], T]) -> Batch[T]:
    """Process every study, whatever becomes of the others, until a signal asks to end.

    Parameters
    ----------
    paths : the inputs.
    process : called with one input after the other.
    """
    done: list[T] = []
    failures: list[Failure] = []
    waiting = iter(paths)
    for path in waiting:
        try:
            done.append(process(path))
        except Interrupted as interrupt:
            return Batch(
                done=tuple(done),
                failures=tuple(failures),
                interrupt=interrupt,
                left=(path, *waiting),
            )
        except Exception as error:
            failures.append(_failure(path, error))
            _log.debug("study %s failed: %s", failures[-1].study, failures[-1].code)
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


def _failure(path: Path, error: Exception) -> Failure:
    known = coded(error)
    return Failure(
        study=study_name(path),
        code=known.code,
        message=str(known),
        file=str(path),
        is_usage=isinstance(known, UsageError),
    )
