"""Which studies there are: below folders, in tables, by patterns, on disks and in object storage.

A study is the highest folder whose DICOM files all belong to one StudyInstanceUID, judged by the
first DICOM file of each folder below it; or a zip archive; or one NIfTI, MetaImage or NRRD image.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pydicom
from pydicom.errors import InvalidDicomError

from nodule.ct.images import IMAGE_FORMATS
from nodule.errors import InputError, UsageError
from nodule.file_signatures import starts_as_dicom
from nodule.input_files import read_given_file
from pipelines.pacs import parse_study_address
from pipelines.places import StudyPlace, open_storage

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_TABLE_SUFFIX = ".csv"
_ARCHIVES = (".zip",)
_PATTERN = frozenset("*?[")
_PLACE_COLUMN, _SERIES_COLUMN = "study", "series"
_NO_UID = ""


def find_studies(inputs: Iterable[str], *, left_out: Path) -> Iterator[StudyPlace]:
    """Yield every study of the inputs once, in the order of the inputs and of their names.

    Parameters
    ----------
    inputs : folders, archives, images, patterns such as ``data/*/CT``, URLs of fsspec
        or of a study in a DICOMweb service, or tables
        (``.csv``) with a column ``study`` of paths or URLs, relative to the table, and, where
        wanted, a column ``series`` of SeriesInstanceUIDs.
    left_out : a folder of results, in which nothing is looked for.

    Raises
    ------
    UsageError : ``NOT_FOUND`` for an input that does not exist or a pattern that nothing matches.
    InputError : ``BAD_LIST`` for a table without that column; ``CANNOT_READ``; and
        ``NO_STORAGE_PACKAGE`` where fsspec needs a package for a URL.
    """
    seen: set[str] = set()
    for each in inputs:
        for place in _places_of(each, left_out=left_out):
            if place.key not in seen:
                seen.add(place.key)
                yield place


def _places_of(given: str, *, left_out: Path) -> Iterator[StudyPlace]:
    if given.lower().endswith(_TABLE_SUFFIX) and "://" not in given:
        yield from _in_table(Path(given), left_out=left_out)
        return
    if parse_study_address(given) is not None:
        yield StudyPlace(location=given)
        return
    files, roots = _matches(given)
    for root in roots:
        if not files.isdir(root):
            yield StudyPlace(location=_location(files, root))
            continue
        branch = _look(files, root, without=_comparable(files, left_out))
        if not branch.studies:
            raise UsageError(
                "there is no study below this folder",
                code="NOT_FOUND",
                expected="DICOM files, zip archives, or NIfTI, MetaImage or NRRD images",
                got=PurePosixPath(root).name,
            )
        yield from (StudyPlace(location=_location(files, each)) for each in branch.studies)


def _matches(given: str) -> tuple[AbstractFileSystem, list[str]]:
    files, path = open_storage(given)
    if not files.exists(path) and _PATTERN.intersection(path):
        found = sorted(map(str, files.glob(path)))
    else:
        found = [path] if files.exists(path) else []
    if not found:
        raise UsageError("there is no such input", code="NOT_FOUND", got=given)
    return files, found


def _location(files: AbstractFileSystem, path: str) -> str:
    return path if "file" in files.protocol else str(files.unstrip_protocol(path))


def _comparable(files: AbstractFileSystem, left_out: Path) -> str | None:
    return str(left_out.absolute()) if "file" in files.protocol else None


def _in_table(table: Path, *, left_out: Path) -> Iterator[StudyPlace]:
    try:
        rows = csv.DictReader(io.StringIO(read_given_file(table).decode("utf-8-sig"), newline=""))
        columns = rows.fieldnames or ()
    except FileNotFoundError:
        raise UsageError("there is no such input", code="NOT_FOUND", got=table.name) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad_list(table, got=type(error).__name__) from None
    if _PLACE_COLUMN not in columns:
        raise _bad_list(table, got=list(columns))
    for row in rows:
        place, series = row[_PLACE_COLUMN], row.get(_SERIES_COLUMN) or None
        if not place:
            raise _bad_list(table, got=f"no {_PLACE_COLUMN} in line {rows.line_num}")
        if "://" not in place:
            place = str(table.parent.absolute() / place)
        if series is not None:
            yield StudyPlace(location=place, series_uid=series)
        else:
            yield from _places_of(place, left_out=left_out)


def _bad_list(table: Path, *, got: object) -> InputError:
    return InputError(
        f"{table.name} is no list of studies",
        code="BAD_LIST",
        expected=f"UTF-8 text with a column {_PLACE_COLUMN}",
        got=got,
    )


@dataclass(frozen=True, kw_only=True)
class _Branch:
    """What lies below a folder.

    Parameters
    ----------
    uids : StudyInstanceUIDs of its DICOM files; an empty one for files that name none.
    studies : paths of the studies.
    whole : whether the folder itself may be one study.
    """

    uids: frozenset[str]
    studies: tuple[str, ...]
    whole: bool


def _look(files: AbstractFileSystem, folder: str, *, without: str | None) -> _Branch:
    singles: list[str] = []
    below: list[_Branch] = []
    own: str | None = None
    try:
        entries = _listed(files, folder)
    except OSError:  # reading it as a study says why, so that nothing is left out in silence
        return _Branch(uids=frozenset({_NO_UID}), studies=(folder,), whole=False)
    for path, kind in entries:
        name = PurePosixPath(path).name
        if name.startswith(".") or path == without:
            continue
        if kind == "directory":
            below.append(_look(files, path, without=without))
        elif kind == "file" and name.lower().endswith((*_ARCHIVES, *IMAGE_FORMATS)):
            singles.append(path)
        elif kind == "file" and own is None:
            own = _study_uid(files, path)
    mine = () if own is None else (own,)
    uids = frozenset(mine).union(*(each.uids for each in below))
    if len(uids) == 1 and not singles and all(each.whole for each in below):
        return _Branch(uids=uids, studies=(folder,), whole=True)
    studies = (
        *(folder for _ in mine),
        *singles,
        *(study for each in below for study in each.studies),
    )
    return _Branch(uids=uids, studies=studies, whole=not studies)


def _listed(files: AbstractFileSystem, folder: str) -> list[tuple[str, str]]:
    """Return paths and kinds: ``file``, ``directory``, or others, such as links to folders."""
    found = []
    for entry in files.ls(folder, detail=True):
        path, kind = str(entry["name"]), str(entry["type"])
        if entry.get("islink"):
            kind = "file" if files.isfile(path) else "link"
        found.append((path, kind))
    return sorted(found)


def _study_uid(files: AbstractFileSystem, path: str) -> str | None:
    """Return the study that a DICOM file names, empty where it names none; None for other files."""
    with files.open(path, "rb") as stream:
        if not starts_as_dicom(stream):
            return None
        stream.seek(0)
        try:
            header = pydicom.dcmread(
                stream, specific_tags=["StudyInstanceUID"], stop_before_pixels=True
            )
        except (InvalidDicomError, EOFError, ValueError, OSError, AttributeError):
            return _NO_UID  # damaged: reading the study says how
    return str(header.get("StudyInstanceUID", None) or _NO_UID)
