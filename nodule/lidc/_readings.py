"""Where the readers' XML of a scan lies: beside its images, or in a tree of its own."""

from __future__ import annotations

import re
from pathlib import Path

from nodule.errors import InputError
from nodule.input_files import cannot_read, read_input_file
from nodule.input_folders import list_folder

READINGS = "annotations.xml"
"""Preferred name of the readers' XML inside a scan's folder, where there are several."""

_SERIES_UID = re.compile(rb"<(?:CT)?SeriesInstanceUid>\s*([\d.]+)\s*<", re.IGNORECASE)
_XML_HEAD = 8192


def readings_beside(path: Path) -> Path | None:
    """Return the readings of CT in a folder, None where there are none or it is not a folder.

    Raises
    ------
    InputError : ``MANY_READINGS`` for several, none of them called as is preferred.
    """
    if not path.is_dir():
        return None
    if (path / READINGS).is_file():
        return path / READINGS
    found = [each for each in xml_files(path, is_deep=False) if holds_ct_readings(each)]
    if len(found) > 1:
        raise InputError(
            f"{path.name} holds several readings",
            code="MANY_READINGS",
            expected=f"one XML file, or one called {READINGS}",
            got=len(found),
        )
    return found[0] if found else None


def readings_by_series(root: Path) -> dict[str, Path]:
    """Return the readings of CT below a folder, by the series that they are about.

    Raises
    ------
    InputError : ``MANY_READINGS`` for two files about one series that differ.
    """
    found: dict[str, Path] = {}
    for path in xml_files(root):
        uid = _SERIES_UID.search(_head(path))
        if uid is None or not holds_ct_readings(path):
            continue
        first = found.setdefault(uid[1].decode(), path)
        if first != path and read_input_file(first) != read_input_file(path):
            raise InputError(
                "two files hold different readings of one series",
                code="MANY_READINGS",
                got=f"{first.name} and {path.name}",
                hint="Leave one of them below the folder.",
            )
    return found


def xml_files(folder: Path, *, is_deep: bool = True) -> tuple[Path, ...]:
    """Return the XML files of a folder, in the order of their names."""
    files = list_folder(folder, is_deep=is_deep).files
    return tuple(each for each in files if each.suffix.lower() == ".xml")


def holds_ct_readings(path: Path) -> bool:
    """Whether an XML file holds LIDC-IDRI's readings of CT.

    The readings of chest radiographs, which lie beside them, and all other XML do not.
    """
    return b"<LidcReadMessage" in _head(path)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_XML_HEAD)
    except OSError as error:
        raise cannot_read(path.name, error) from None
