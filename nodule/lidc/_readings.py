"""Where the readers' XML of a scan lies: beside its images, or in a tree of its own."""

from __future__ import annotations

import re
from pathlib import Path

from nodule.errors import InputError

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
    found = [each for each in sorted(path.glob("*.xml")) if holds_ct_readings(each)]
    if len(found) > 1:
        raise InputError(
            f"{path.name} holds several readings",
            code="MANY_READINGS",
            expected=f"one XML file, or one called {READINGS}",
            got=len(found),
        )
    return found[0] if found else None


def readings_by_series(root: Path) -> dict[str, Path]:
    """Return the readings of CT below a folder, by the series that they are about."""
    found = {}
    for path in sorted(root.rglob("*.xml")):
        with path.open("rb") as stream:
            uid = _SERIES_UID.search(stream.read(_XML_HEAD))
        if uid and holds_ct_readings(path):
            found[uid[1].decode()] = path
    return found


def holds_ct_readings(path: Path) -> bool:
    """Whether an XML file holds LIDC-IDRI's readings of CT.

    The readings of chest radiographs, which lie beside them, and all other XML do not.
    """
    with path.open("rb") as stream:
        return b"<LidcReadMessage" in stream.read(_XML_HEAD)
