"""The files of a folder that somebody names, by one rule for every reader."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nodule.errors import InputError
from nodule.input_files import cannot_read, not_a_file

MAX_FILES = 20_000
"""More than one study has."""


@dataclass(frozen=True, kw_only=True)
class FolderListing:
    """What lies below a folder.

    Parameters
    ----------
    files : regular files, hidden ones included, in the order of their names.
    left_out : by name, why a file or folder is none of them.
    """

    files: tuple[Path, ...]
    left_out: Mapping[str, InputError]


def list_folder(
    folder: Path, *, is_deep: bool = True, max_files: int | None = None
) -> FolderListing:
    """List the files of a folder; links that lead out of it are not followed.

    Parameters
    ----------
    is_deep : whether those of folders below it count.
    max_files : above which to give up; None for no limit.

    Raises
    ------
    InputError : ``TOO_MANY_FILES``.
    """
    root = os.path.realpath(folder)
    found: list[Path] = []
    left_out: dict[str, InputError] = {}
    for path in _walk(folder, left_out, is_deep=is_deep):
        name = path.relative_to(folder).as_posix()
        try:
            if path.is_symlink() and not _lies_within(path, root):
                left_out[name] = _leads_outside(name)
            elif path.is_file():
                found.append(path)
                refuse_too_many(len(found), max_files)
            elif not path.is_dir():
                left_out[name] = not_a_file(name)
        except OSError as error:
            left_out[name] = cannot_read(name, error)
    by_name = sorted(found, key=lambda path: path.relative_to(folder).as_posix())
    return FolderListing(files=tuple(by_name), left_out=left_out)


def _walk(folder: Path, left_out: dict[str, InputError], *, is_deep: bool) -> Iterator[Path]:
    def note(error: OSError) -> None:
        path = Path(error.filename)
        name = folder.name if path == folder else path.relative_to(folder).as_posix()
        left_out[name] = cannot_read(name, error)

    for parent, folders, files in os.walk(folder, onerror=note):
        yield from (Path(parent, name) for name in (*folders, *files))
        if not is_deep:
            folders.clear()


def lies_within(path: Path, folder: Path) -> bool:
    """Whether a path, with all its links followed, lies below a folder."""
    return _lies_within(path, os.path.realpath(folder))


def _lies_within(path: Path, root: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def refuse_too_many(count: int, most: int | None = MAX_FILES) -> None:
    """Refuse more files than one study has.

    Raises
    ------
    InputError : ``TOO_MANY_FILES``.
    """
    if most is not None and count > most:
        raise InputError(
            "more files than one study has",
            code="TOO_MANY_FILES",
            expected=f"at most {most}",
            hint="Give the folder of one study.",
        )


def _leads_outside(name: str) -> InputError:
    return InputError(
        f"{name} is a link that leads out of its folder",
        code="LINK_OUTSIDE",
        expected="files below the folder",
        hint="Give the folder that holds the files, or copy them with links followed (cp -rL).",
    )
