"""Where a study lies: on this machine, in a storage that fsspec knows, or in an archive."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nodule.errors import InputError, UsageError
from pipelines.pacs import fetch_study, parse_study_address

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


@dataclass(frozen=True, kw_only=True, order=True)
class StudyPlace:
    """Where one study lies.

    Parameters
    ----------
    location : path; URL ``ROOT/studies/UID`` of a DICOMweb service; or another URL, of a storage
        that fsspec knows.
    series_uid : the series to read; None for the best.
    """

    location: str
    series_uid: str | None = None

    @property
    def key(self) -> str:
        """What makes two places the same one: hexadecimal, and nothing of a name can be read."""
        text = f"{self.location}\n{self.series_uid or ''}"
        return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def fetched(place: StudyPlace) -> Iterator[Path]:
    """Yield where a study lies on this machine; what was copied there is removed behind the block.

    Raises
    ------
    InputError : ``CANNOT_FETCH``, ``NO_STORAGE_PACKAGE``, or as `fetch_study` raises it.
    UsageError : ``NOT_FOUND``, ``NO_PACS_PACKAGES``.
    """
    if "://" not in place.location:
        yield Path(place.location)
        return
    with tempfile.TemporaryDirectory(prefix="nodule-study-") as folder:
        local = Path(folder) / (PurePosixPath(place.location).name or "study")
        address = parse_study_address(place.location)
        if address is not None:
            fetch_study(address, local, series_uid=place.series_uid)
        else:
            _copy(place, local)
        yield local


def open_storage(location: str) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a path or URL, and the path in it.

    Raises
    ------
    InputError : ``NO_STORAGE_PACKAGE`` where a package that the URL needs is not installed.
    UsageError : ``NOT_FOUND`` for a URL of no known kind.
    """
    import fsspec

    try:
        files, path = fsspec.url_to_fs(location)
    except ImportError as error:
        raise InputError(
            f"this kind of storage needs a package: {error}", code="NO_STORAGE_PACKAGE"
        ) from None
    except ValueError as error:
        raise UsageError("there is no such kind of storage", code="NOT_FOUND", got=error) from None
    return files, str(path)


def _copy(place: StudyPlace, local: Path) -> None:
    files, path = open_storage(place.location)
    try:
        files.get(path, str(local), recursive=True)
    except OSError as error:
        raise InputError(
            "the study cannot be fetched",
            code="CANNOT_FETCH",
            got=type(error).__name__,
            hint="Check the address and the rights to it.",
        ) from error
