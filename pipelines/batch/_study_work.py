"""What is done with one study of a batch, wherever it is done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.batch._outcomes import Failure, failure_of
from pipelines.places import StudyPlace, fetched
from pipelines.runner import Event, Finished

if TYPE_CHECKING:
    from pipelines.request import RunRequest


@dataclass(frozen=True, kw_only=True)
class StudyDone:
    """A study of a batch whose results are written.

    Parameters
    ----------
    folder : of its results, below the batch's.
    findings : how many there are.
    seconds : of the whole study, and of each stage that ran.
    """

    folder: str
    findings: int
    seconds: dict[str, float]


def work_on(place: StudyPlace, *, request: RunRequest, out: Path) -> StudyDone | Failure:
    """Fetch one study if it lies elsewhere, and write its results; what fails it is returned.

    Parameters
    ----------
    place : the study.
    request : what is asked of each study; the place stands for its studies.
    out : folder of the batch.
    """
    from pipelines.process import process_study

    began = time.perf_counter()
    seconds: dict[str, float] = {}

    def listen(event: Event) -> None:
        if isinstance(event, Finished):
            seconds[event.step] = event.seconds

    try:
        with fetched(place) as study:
            seconds["fetch"] = time.perf_counter() - began
            done = process_study(
                study, request, out=out, series_uid=place.series_uid, listen=listen
            )
    except Exception as error:
        return failure_of(place.location, error)
    seconds["whole"] = time.perf_counter() - began
    return StudyDone(
        folder=done.folder.name,
        findings=done.finding_count,
        seconds=seconds,
    )
