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
_TAR_AT, _TAR = 257, b"ustar"  # POSIX.1-1988
_ARCHIVES = {
    b"PK\3\4": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a rar archive",
}
_PICTURES = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
}
_UNPACK = "Unpack it and give the folder."
_NO_PICTURE = "Give the scan's own files, not a picture of it."
_COPY_AGAIN = "Copy or export it again."


def starts_as_dicom(stream: BinaryIO) -> bool:
    """Whether preamble and prefix of DICOM part 10 come next; the stream is left behind them."""
    return stream.read(_PREAMBLE_BYTES + 4)[_PREAMBLE_BYTES:] == _DICOM_PREFIX


def known_stranger(stream: BinaryIO) -> tuple[str, str] | None:
    """Return what a file is that often lies where DICOM is expected, and what to do about it.

    Returns
    -------
    what, hint : None for what is not known by its first bytes.
    """
    start = stream.read(_TAR_AT + len(_TAR))
    if not start:
        return "an empty file", _COPY_AGAIN
    if start[_TAR_AT:] == _TAR:
        return "a tar archive", _UNPACK
    for known, hint in ((_ARCHIVES, _UNPACK), (_PICTURES, _NO_PICTURE)):
        for signature, what in known.items():
            if start.startswith(signature):
                return what, hint
    return None


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
