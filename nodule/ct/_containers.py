"""Where bytes come from: single files, folders, zip archives and DICOMDIR indexes.

Whatever the container, what is inside becomes :class:`Member` objects, in the order of their
names, that can be opened as seekable streams. Nothing is unpacked to disk, so that no member's
name can point anywhere and no patient's data are left behind.
"""

from __future__ import annotations

import errno
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from nodule.ct._archives import (
    ZIP_ERRORS,
    Archive,
    bad_archive,
    refuse_bomb,
    refuse_large_directory,
    refuse_lost_entries,
    refuse_unsafe,
)
from nodule.errors import InputError
from nodule.file_signatures import starts_as_apple_double
from nodule.input_files import cannot_read
from nodule.input_folders import lies_within, refuse_too_many

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file, or one file inside a zip archive.

    Parameters
    ----------
    name : name for messages, relative to the container, with forward slashes.
    path : the file itself, or the archive that holds it.
    entry : name inside the archive; None for a plain file.
    archive : the archive of an entry.
    """

    name: str
    path: Path
    entry: str | None = None
    archive: Archive | None = field(default=None, compare=False, repr=False)

    def open(self) -> BinaryIO:
        """Return a seekable stream of the content; that of an archive matches its checksum.

        Raises
        ------
        InputError : ``CANNOT_READ``, or a broken archive's ``BAD_ARCHIVE``.
        """
        try:
            if self.entry is None or self.archive is None:
                return self.path.open("rb")
            return io.BytesIO(self.archive.opened.read(self.entry))
        except OSError as error:
            if self.entry is not None and error.errno == errno.EINVAL:
                raise _outside_archive() from None
            raise cannot_read(self.name, error) from None
        except ZIP_ERRORS as error:
            raise bad_archive(type(error).__name__) from None

    def read(self) -> bytes:
        """Return the whole content; raises as :meth:`open`."""
        with self.open() as stream:
            try:
                return stream.read()
            except OSError as error:
                raise cannot_read(self.name, error) from None

    def sha256(self) -> str:
        """Return the hexadecimal digest of the content; raises as :meth:`open`."""
        digest = hashlib.sha256()
        with self.open() as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def is_apple_double(self) -> bool:
        """Whether it is the hidden twin in which macOS keeps what a file system has no place for.

        Raises
        ------
        InputError : as :meth:`open`.
        """
        with self.open() as stream:
            return starts_as_apple_double(PurePosixPath(self.name).name, stream)


def members_named(folder: Path, names: Iterable[str]) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """Look up the files that an index names, and refuse every one outside its folder.

    Returns
    -------
    members, missing : what exists inside the folder, and the names of all others.
    """
    inside, missing = [], []
    for name in names:
        path = folder / name
        if path.is_file() and lies_within(path, folder):
            inside.append(path)
        else:
            missing.append(name)
    return members_of(folder, inside), tuple(missing)


def members_of(folder: Path, paths: Iterable[Path]) -> tuple[Member, ...]:
    """Return files of a folder as members, in the order of their names.

    Raises
    ------
    InputError : ``TOO_MANY_FILES``.
    """
    members: list[Member] = []
    for path in paths:
        members.append(Member(name=path.relative_to(folder).as_posix(), path=path))
        refuse_too_many(len(members))
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
        refuse_large_directory(path)
        archive = Archive(path)
        listed = archive.opened.infolist()
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise _outside_archive() from None
        raise cannot_read(path.name, error) from None
    except ZIP_ERRORS as error:
        raise bad_archive(type(error).__name__) from None
    refuse_lost_entries(path, listed)
    entries = [e for e in listed if not e.is_dir()]
    refuse_too_many(len(entries))
    for entry in entries:
        refuse_unsafe(entry)
    refuse_bomb(entries)
    members = (
        Member(name=e.filename, path=path, entry=e.filename, archive=archive) for e in entries
    )
    return tuple(sorted(members, key=lambda m: m.name))


def _outside_archive() -> InputError:
    return bad_archive("a position before its start")
