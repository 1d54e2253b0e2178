"""Zip archives: opened once, and refused where they are not safe to inflate in memory."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from nodule.errors import InputError

MAX_TOTAL_BYTES = 8 << 30
MAX_MEMBER_BYTES = 384 << 20  # 700 slices in one file; larger ones are read from a folder
MAX_DIRECTORY_BYTES = 16 << 20  # 800 bytes for each of the most members
MAX_RATIO = 200  # deflate reaches about 1000:1, CT about 3:1, an empty slice about 100:1
RATIO_FREE_BYTES = 1 << 20  # below this size a member cannot do harm
_END_BYTES = (1 << 16) + 22 + 20 + 56  # comment and records that end an archive, 4.3 of APPNOTE

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class Archive:
    """A zip archive whose directory is read once in each process that opens members of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: dict[int, zipfile.ZipFile] = {}

    def __reduce__(self) -> tuple[type[Archive], tuple[Path]]:
        return Archive, (self._path,)

    @property
    def opened(self) -> zipfile.ZipFile:
        """The archive, opened by this process: a position in a file is shared with forked ones."""
        process = os.getpid()
        if process not in self._opened:
            self._opened = {process: zipfile.ZipFile(self._path)}
        return self._opened[process]


def refuse_large_directory(path: Path) -> None:
    """Refuse a directory beyond any study's by the size that the archive's end states of it."""
    _, stated_bytes = _stated_directory(path)
    if stated_bytes > MAX_DIRECTORY_BYTES:
        raise InputError(
            "the directory of an archive is larger than that of any CT study",
            code="ARCHIVE_BOMB",
            expected=f"at most {MAX_DIRECTORY_BYTES} bytes",
            got=f"{stated_bytes} bytes",
            hint="Unpack it with a tool that you trust and give the folder.",
        )


def refuse_lost_entries(path: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse a directory that lists fewer members than the archive's end says: ``BAD_ARCHIVE``."""
    stated, _ = _stated_directory(path)
    if stated != len(entries):
        raise bad_archive(f"{len(entries)} of {stated} members")
    if any(entry.is_dir() and entry.file_size for entry in entries):
        raise bad_archive("a folder with content")


def _stated_directory(path: Path) -> tuple[int, int]:
    """Return the number of members and the bytes of the directory, by the records at its end."""
    with path.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - _END_BYTES))
        end = stream.read()
    at = end.rfind(b"PK\5\6")
    if not 0 <= at <= len(end) - 22:
        return 0, 0
    entries, size = struct.unpack_from("<HI", end, at + 10)
    at_64 = end.rfind(b"PK\6\6", 0, at)
    if 0 <= at_64 <= at - 48:
        entries_64, size_64 = struct.unpack_from("<QQ", end, at_64 + 32)
        entries = entries_64 if entries == 0xFFFF else entries
        size = size_64 if size == 0xFFFFFFFF else size
    return entries, size


def refuse_unsafe(entry: zipfile.ZipInfo) -> None:
    """Refuse a member that leads outside, a link or an encrypted one: ``UNSAFE_ARCHIVE``."""
    parts = entry.filename.replace("\\", "/").split("/")
    is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
    for reason, holds in {
        "a name that leads outside": ".." in parts or parts[0] == "" or ":" in parts[0],
        "a symbolic link": is_link,
        "an encrypted member": bool(entry.flag_bits & 1),
    }.items():
        if holds:
            raise InputError(
                "an archive is not safe to read",
                code="UNSAFE_ARCHIVE",
                expected="plain files below the archive's root",
                got=reason,
                hint="Unpack it with a tool that you trust and give the folder.",
            )


def refuse_bomb(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse sizes or ratios beyond any CT study: ``ARCHIVE_BOMB``."""
    total = sum(e.file_size for e in entries)
    largest = max((e.file_size for e in entries), default=0)
    ratio = max(
        (e.file_size / max(e.compress_size, 1) for e in entries if e.file_size > RATIO_FREE_BYTES),
        default=0.0,
    )
    if total > MAX_TOTAL_BYTES or largest > MAX_MEMBER_BYTES or ratio > MAX_RATIO:
        raise InputError(
            "an archive would unpack to more than any CT study",
            code="ARCHIVE_BOMB",
            expected=f"at most {MAX_TOTAL_BYTES} bytes in all, {MAX_MEMBER_BYTES} in one member"
            f" and a ratio of {MAX_RATIO}",
            got=f"{total} bytes in all, {largest} in one member, ratio {ratio:.0f}",
            hint="Unpack it with a tool that you trust and give the folder.",
        )


def bad_archive(got: str) -> InputError:
    """Return the error for an archive that breaks its format."""
    return InputError(
        "a zip archive is damaged",
        code="BAD_ARCHIVE",
        got=got,
        hint="Make or download it again.",
    )
