"""Files that somebody names: configuration, reviews, reports, cards, readings, tables."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from pathlib import Path
from typing import Any

from nodule.errors import InputError

MAX_BYTES = 256 << 20  # a report is some 100 kB
_TOO_DEEP = "values nested too deeply"


def read_given_file(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a file whole; what never ends, such as a pipe or a device, is not waited for.

    Raises
    ------
    InputError : ``CANNOT_READ`` for what is not a file, ``TOO_LARGE`` for a larger one.
    OSError : when it is missing or cannot be read.
    """
    with open(path, "rb", opener=_open_at_once) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise not_a_file(path.name)
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise InputError(
            f"{path.name} is too large to be what it is given as",
            code="TOO_LARGE",
            expected=f"at most {max_bytes} bytes",
        )
    return content


def read_input_file(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a file whole that must be there, as :func:`read_given_file`.

    Raises
    ------
    InputError : ``CANNOT_READ`` for what is missing, cannot be read or is not a file,
        ``TOO_LARGE`` for a larger one.
    """
    try:
        return read_given_file(path, max_bytes=max_bytes)
    except OSError as error:
        raise cannot_read(path.name, error) from None


def parse_json(content: bytes | str) -> Any:
    """Return what JSON says.

    Raises
    ------
    ValueError : for whatever is not JSON, or is nested deeper than can be followed.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def parse_toml(content: bytes) -> dict[str, Any]:
    """Return what TOML says; raises as `parse_json`."""
    try:
        return tomllib.loads(content.decode())
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def cannot_read(name: str, error: OSError) -> InputError:
    """Return the error for what the system refuses to read."""
    return InputError(
        f"{name} cannot be read",
        code="CANNOT_READ",
        got=error.strerror or type(error).__name__,
        hint="Check that the file exists and that you may read it.",
    )


def not_a_file(name: str) -> InputError:
    """Return the error for a pipe, a device or a link to nothing, which may never end."""
    return InputError(
        f"{name} is not a regular file",
        code="CANNOT_READ",
        expected="a file or a folder",
        hint="Copy what it stands for into a file.",
    )


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody who writes to a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
