"""Studies that nobody sends: those that appear in a folder, and new ones of an archive."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pipelines.pacs import DicomWeb, ask_service
from pipelines.places import StudyPlace

_UID, _COUNT = "0020000D", "00201208"


def quiet_in_folder(folder: Path, *, quiet_s: float) -> Iterator[tuple[str, StudyPlace]]:
    """Yield what lies in a folder, each entry a study, when nothing of it has changed for so long.

    Yields
    ------
    A text that tells this state of the study from others, and its place.
    """
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        count, newest_s = _state(entry)
        if count and time.time() - newest_s >= quiet_s:
            state = f"{entry.absolute()}\n{count}\n{newest_s}"
            yield state, StudyPlace(location=str(entry.absolute()))


def _state(entry: Path) -> tuple[int, float]:
    if entry.is_file():
        return 1, entry.stat().st_mtime
    times = [
        (Path(place) / name).stat().st_mtime for place, _, names in os.walk(entry) for name in names
    ]
    return len(times), max(times, default=0.0)


def new_in_service(service: DicomWeb, *, day: date) -> Iterator[tuple[str, StudyPlace]]:
    """Yield the CT studies of a day that a service knows; see :func:`quiet_in_folder`.

    Raises
    ------
    InputError : ``NO_ANSWER``.
    """
    asked = {"StudyDate": f"{day:%Y%m%d}", "ModalitiesInStudy": "CT"}
    found = ask_service(
        service,
        lambda client: client.search_for_studies(search_filters=asked, fields=[_COUNT]),
    )
    for each in found:
        uid = str(each[_UID]["Value"][0])
        count = (each.get(_COUNT, {}).get("Value") or [""])[0]
        place = StudyPlace(location=f"{service.root}/studies/{uid}")
        yield f"{place.location}\n{count}", place
