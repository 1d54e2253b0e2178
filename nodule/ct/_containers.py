"""Where bytes come from: single files, folders, zip archives and DICOMDIR indexes.

Whatever the container, what is inside becomes :class:`Member` objects, in the order of their
names, that can be opened as seekable streams. Nothing is unpacked to disk, so that no member's
name can point anywhere and no patient's data are left behind.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nodule.errors import InputError

MAX_MEMBERS = 20_000
MAX_TOTAL_BYTES = 8 << 30
MAX_MEMBER_BYTES = 2 << 30
MAX_RATIO = 200  # deflate reaches about 1000:1, CT about 3:1, an empty slice about 100:1
RATIO_FREE_BYTES = 1 << 20  # below this size a member cannot do harm
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file, or one file inside a zip archive.

    Parameters
    ----------
    name : name for messages, relative to the container, with forward slashes.
    path : the file itself, or the archive that holds it.
    entry : name inside the archive; None for a plain file.
    """

    name: str
    path: Path
    entry: str | None = None

    def open(self) -> BinaryIO:
        """Return a seekable stream of the content.

        Raises
        ------
        InputError : ``CANNOT_READ``, or a broken archive's ``BAD_ARCHIVE``.
        """
        try:
            if self.entry is None:
                return self.path.open("rb")
            with zipfile.ZipFile(self.path) as archive:
                return io.BytesIO(archive.read(self.entry))
        except OSError as error:
            raise _cannot_read(self.name, error) from None
        except _ZIP_ERRORS as error:
            raise _bad_archive(type(error).__name__) from None

    def read(self) -> bytes:
        """Return the whole content; raises as :meth:`open`."""
        with self.open() as stream:
            try:
                return stream.read()
            except OSError as error:
                raise _cannot_read(self.name, error) from None

    def sha256(self) -> str:
        """Return the hexadecimal digest of the content; raises as :meth:`open`."""
        digest = hashlib.sha256()
        with self.open() as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()


_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def members_of_folder(folder: Path) -> tuple[Member, ...]:
    """List the regular files below a folder, hidden ones included, links out of it left out.

    Raises
    ------
    InputError : ``TOO_MANY_FILES``.
    """
    root = folder.resolve()
    found = (p for p in folder.rglob("*") if p.is_file() and p.resolve().is_relative_to(root))
    return _named(folder, found)


def members_named(folder: Path, names: Iterable[str]) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """Look up the files that an index names, and refuse every one outside its folder.

    Returns
    -------
    members, missing : what exists inside the folder, and the names of all others.
    """
    root = folder.resolve()
    inside, missing = [], []
    for name in names:
        path = folder / name
        if path.resolve().is_relative_to(root) and path.is_file():
            inside.append(path)
        else:
            missing.append(name)
    return _named(folder, inside), tuple(missing)


def _named(folder: Path, paths: Iterable[Path]) -> tuple[Member, ...]:
    members: list[Member] = []
    for path in paths:
        members.append(Member(name=path.relative_to(folder).as_posix(), path=path))
        _refuse_too_many(len(members))
    return tuple(sorted(members, key=lambda m: m.name))


def members_of_zip(path: Path) -> tuple[Member, ...]:
    """List the files in a zip archive after a check that it may be inflated in memory.

    Raises
    ------
    InputError : ``BAD_ARCHIVE``, ``UNSAFE_ARCHIVE`` for a name that leads outside, a link or an
        encrypted member, ``ARCHIVE_BOMB`` for sizes or ratios beyond any CT study,
        ``TOO_MANY_FILES``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
    except OSError as error:
        raise _cannot_read(path.name, error) from None
    except _ZIP_ERRORS as error:
        raise _bad_archive(type(error).__name__) from None
    _refuse_too_many(len(entries))
    for entry in entries:
        _refuse_unsafe(entry)
    _refuse_bomb(entries)
    members = (Member(name=e.filename, path=path, entry=e.filename) for e in entries)
    return tuple(sorted(members, key=lambda m: m.name))


def _refuse_unsafe(entry: zipfile.ZipInfo) -> None:
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


def _refuse_bomb(entries: list[zipfile.ZipInfo]) -> None:
    total = sum(e.file_size for e in entries)
    largest = max((e.file_size for e in entries), default=0)
    ratio = max(
        (e.file_size / max(e.compress_size, 1) for e in entries if e.file_size > RATIO_FREE_BYTES),
        default=0.0,
    )
    if total > MAX_TOTAL_BYTES or largest > MAX_MEMBER_BYTES or ratio > MAX_RATIO:
        raise InputError(
            "an archive would inflate beyond any CT study",
            code="ARCHIVE_BOMB",
            expected=f"at most {MAX_TOTAL_BYTES} bytes in all, {MAX_MEMBER_BYTES} in one member"
            f" and a ratio of {MAX_RATIO}",
            got=f"{total} bytes in all, {largest} in one member, ratio {ratio:.0f}",
            hint="Unpack it with a tool that you trust and give the folder.",
        )


def _refuse_too_many(count: int) -> None:
    if count > MAX_MEMBERS:
        raise InputError(
            "more files than one study has",
            code="TOO_MANY_FILES",
            expected=f"at most {MAX_MEMBERS}",
            hint="Give the folder of one study.",
        )


def _cannot_read(name: str, error: OSError) -> InputError:
    return InputError(
        f"{name} cannot be read",
        code="CANNOT_READ",
        got=error.strerror or type(error).__name__,
        hint="Check that the file exists and that you may read it.",
    )


def _bad_archive(got: str) -> InputError:
    return InputError(
        "a zip archive is damaged",
        code="BAD_ARCHIVE",
        got=got,
        hint="Make or download it again.",
    )
