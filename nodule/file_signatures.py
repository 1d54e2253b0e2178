"""What the first bytes of a file say of it, whatever it is called.

DICOM files come with any ending and without one. Beside each file macOS may leave a hidden twin
of the same ending, which is none of the study.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_PREAMBLE_BYTES = 128
_DICOM_PREFIX = b"DICM"  # PS3.10 7.1
_APPLE_DOUBLE = b"\0\5\x16\7"  # RFC 1740


def starts_as_dicom(stream: BinaryIO) -> bool:
    """Whether preamble and prefix of DICOM part 10 come next; the stream is left behind them."""
    return stream.read(_PREAMBLE_BYTES + 4)[_PREAMBLE_BYTES:] == _DICOM_PREFIX


def starts_as_apple_double(name: str, stream: BinaryIO) -> bool:
    """Whether it is the hidden twin in which macOS keeps what a file system has no place for.

    Parameters
    ----------
    name : the file's own name, without its folder.
    stream : its content.
    """
    return name.startswith("._") and stream.read(len(_APPLE_DOUBLE)) == _APPLE_DOUBLE


def is_dicom(path: Path) -> bool:
    """Whether a path is a file of DICOM part 10; pipes and devices are never opened."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return starts_as_dicom(stream)


def is_apple_double(path: Path) -> bool:
    """Whether a path is a hidden twin of macOS."""
    if not path.name.startswith("._") or not path.is_file():
        return False
    with path.open("rb") as stream:
        return starts_as_apple_double(path.name, stream)
