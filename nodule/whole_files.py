"""Files that appear whole or not at all.

A file is written under a hidden name beside its own, ``.NAME.partial``, and renamed. The hidden
file is locked as long as its writer lives, so that the next writer of the file waits for a living
one, and takes over what a killed one has left.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    _CAN_LOCK = False
else:
    _CAN_LOCK = True

_PLAIN_MODE = 0o666  # less the umask


def write_whole(path: Path, content: bytes, *, mode: int = _PLAIN_MODE) -> Path:
    """Write a file by renaming a finished one, and return its path.

    Parameters
    ----------
    path : of the file.
    content : all of it.
    mode : who may read and write it, less the umask.

    Raises
    ------
    OSError : when the disk refuses; nothing of the new content is then left, and an older file
        of the name stays.
    """
    with whole_file(path, mode=mode) as stream:
        stream.write(content)
    return path


@contextlib.contextmanager
def whole_file(path: Path, *, mode: int = _PLAIN_MODE) -> Iterator[IO[bytes]]:
    """Yield a stream to write; the file appears when it is left without an error.

    Raises
    ------
    OSError : as :func:`write_whole`.
    """
    partial = _partial(path)
    with _opened(partial, mode) as stream:
        try:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if not _CAN_LOCK:
                stream.close()  # Windows renames no open file
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def whole_text(path: Path) -> Iterator[IO[str]]:
    """Yield a stream of UTF-8 text as :func:`whole_file` yields one of bytes; line ends stay."""
    with whole_file(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()  # flushes, and leaves the stream open


def check_writable(place: Path, *, folder: bool) -> None:
    """Raise what would keep a file or a folder from being written, and leave nothing behind.

    Parameters
    ----------
    place : what is to be written; the folder of a file must be there, those above a folder need
        not be.
    folder : whether it is a folder, which may be there already.

    Raises
    ------
    OSError : as the system would, but for a disk that is full.
    """
    if place.exists() and place.is_dir() != folder:
        number = errno.ENOTDIR if folder else errno.EISDIR
        raise OSError(number, os.strerror(number), place.name)
    above = place if folder else place.parent
    while folder and not above.exists():
        above = above.parent
    with tempfile.TemporaryFile(dir=above):
        pass


def _partial(path: Path) -> Path:
    # where nothing can be locked, writers of one file keep apart by their processes
    return path.with_name(f".{path.name}.{'partial' if _CAN_LOCK else os.getpid()}")


def _opened(partial: Path, mode: int) -> IO[bytes]:
    """Open an empty file that no other process writes."""

    def keep_content(name: str, flags: int) -> int:
        return os.open(name, flags & ~os.O_TRUNC, mode)  # it may be that of a living writer

    while True:
        stream = open(partial, "wb", opener=keep_content)  # noqa: SIM115  # left open
        if not _CAN_LOCK:
            break
        # some network file systems lock no file
        with contextlib.suppress(OSError):
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        if _is_named(stream, partial):
            break
        stream.close()  # its writer has renamed or removed it meanwhile
    stream.truncate(0)
    return stream


def _is_named(stream: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
