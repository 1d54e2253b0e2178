"""Small files that somebody names: configuration, reviews, reports, cards."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nodule.errors import InputError

MAX_BYTES = 256 << 20  # a report is some 100 kB


def read_given_file(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a file whole; what never ends, such as a pipe or a device, is not waited for.

    Raises
    ------
    InputError : ``CANNOT_READ`` for what is not a file, ``TOO_LARGE`` for a larger one.
    OSError : when it is missing or cannot be read.
    """
    with open(path, "rb", opener=_open_at_once) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise InputError(
                f"{path.name} is not a regular file",
                code="CANNOT_READ",
                expected="a file",
                hint="Copy what it stands for into a file.",
            )
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise InputError(
            f"{path.name} is too large to be what it is given as",
            code="TOO_LARGE",
            expected=f"at most {max_bytes} bytes",
        )
    return content


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody who writes to a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
