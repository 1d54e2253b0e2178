"""``manifest.json``: the digest of every file of a report, to see later that none has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from nodule.errors import InputError, ReportError
from nodule.input_files import read_given_file
from nodule.result_files import MANIFEST_NAME, is_result


class Manifest(BaseModel):
    """What ``manifest.json`` holds.

    Parameters
    ----------
    files : sha256 of each file of the report, by its path in the report's folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["nodule-manifest-1"] = "nodule-manifest-1"
    files: Mapping[str, str]


def manifest_of(folder: Path, names: Iterable[str]) -> bytes:
    """Return the content of ``manifest.json`` for files that are written."""
    manifest = Manifest(files={name: _sha256(folder / name) for name in sorted(names)})
    return f"{manifest.model_dump_json(indent=2)}\n".encode()


def differences(folder: Path) -> Iterator[ReportError]:
    """Yield what differs from the manifest in a report's folder: what is changed, missing or new.

    Files that are not a report's, such as saved reviews, may come and go.

    Yields
    ------
    ``FILE_CHANGED``, ``FILE_MISSING`` or ``FILE_ADDED``.

    Raises
    ------
    InputError : ``NO_MANIFEST`` where there is none, or it is damaged.
    """
    files = _read(folder / MANIFEST_NAME).files
    for name, sha256 in files.items():
        if not (folder / name).is_file():
            yield ReportError("a file of the report is missing", code="FILE_MISSING", got=name)
        elif (got := _sha256(folder / name)) != sha256:
            what = f"{name} is not what was written"
            yield ReportError(what, code="FILE_CHANGED", expected=sha256, got=got)
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        name = path.relative_to(folder).as_posix()
        if is_result(name) and name not in files and name != MANIFEST_NAME:
            yield ReportError("a file was not written with the report", code="FILE_ADDED", got=name)


def _read(path: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(read_given_file(path))
    except (FileNotFoundError, NotADirectoryError):
        raise _refused("there is no manifest", path) from None
    except ValidationError:
        raise _refused("the manifest is damaged", path) from None
    if any(PurePosixPath(name).is_absolute() or ".." in name for name in manifest.files):
        raise _refused("the manifest names files elsewhere", path)
    return manifest


def _refused(what: str, path: Path) -> InputError:
    return InputError(
        what,
        code="NO_MANIFEST",
        expected=path.name,
        hint="Name a study's folder of results, as this version writes them.",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
