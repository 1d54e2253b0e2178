"""A batch from its inputs to its tables: what is done stays done, what failed is set aside."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.batch._outcomes import Failure, InTurn, Workers, work_through
from pipelines.batch._ray_workers import TIMED_OUT, WORKER_LOST, RayWorkers
from pipelines.batch._study_work import StudyDone, work_on
from pipelines.interrupt import Interrupted
from pipelines.jobs import BATCH_JOBS_NAME, Job, JobState, JobStore
from pipelines.places import StudyPlace

if TYPE_CHECKING:
    from pipelines.request import RunRequest

RETRIED = frozenset({WORKER_LOST, TIMED_OUT, "DISK_FAILED", "CANNOT_FETCH", "UNEXPECTED"})
"""Codes of failures that may pass; what is wrong with a study itself never does."""

_RETRY_DELAY_S = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BatchProgress:
    """How far a batch is.

    Parameters
    ----------
    done, failed, waiting : studies, those of earlier runs among them.
    ended_now : studies that have ended in this run, at least one.
    seconds : since this run began.
    """

    done: int
    failed: int
    waiting: int
    ended_now: int
    seconds: float

    @property
    def per_hour(self) -> float:
        """Studies that end in an hour, at the rate so far."""
        return 3600 * self.ended_now / self.seconds

    @property
    def left_s(self) -> float:
        """Seconds until all have ended, at the rate so far."""
        return self.waiting * self.seconds / self.ended_now


@dataclass(frozen=True, kw_only=True)
class BatchSummary:
    """What came of a batch.

    Parameters
    ----------
    done : studies with results, those of earlier runs among them.
    failures : of each study that was set aside.
    interrupt : what ended the run early.
    left : studies that still wait.
    """

    done: int
    failures: tuple[Failure, ...]
    interrupt: Interrupted | None
    left: tuple[str, ...]


def run_studies(
    places: Iterable[StudyPlace],
    workers: Workers[StudyPlace, StudyDone],
    *,
    out: Path,
    attempts: int = 3,
    again: bool = False,
    tell: Callable[[BatchProgress], None] = lambda progress: None,
) -> BatchSummary:
    """Process all studies that an earlier run of the same batch has not.

    Parameters
    ----------
    places : the studies.
    workers : who does the work.
    out : folder of the batch; the list of its jobs lies in it.
    attempts : how often a study may be begun whose failure may pass, see :data:`RETRIED`.
    again : whether to do again what was done or set aside before.
    tell : called with the progress after each study.

    Raises
    ------
    InputError : ``BAD_JOBS``.
    """
    with JobStore(out / BATCH_JOBS_NAME) as store:
        store.recover()
        for place in places:
            new = store.add(place.key, _what(place))
            if again and not new:
                store.wait_again(place.key)
        run = _Rounds(store=store, attempts=attempts, tell=tell)
        interrupt = None
        try:
            run.work(workers)
        except Interrupted as came:
            interrupt = came
            store.recover()
        return BatchSummary(
            done=store.counts()[JobState.DONE],
            failures=tuple(_failure(job) for job in store.jobs(JobState.FAILED)),
            interrupt=interrupt,
            left=tuple(str(job.what["location"]) for job in store.jobs(JobState.WAITING)),
        )


def open_workers(
    request: RunRequest,
    *,
    out: Path,
    count: int | None = None,
    threads: int = 1,
    address: str | None = None,
    study_limit_s: float = 3600.0,
) -> AbstractContextManager[Workers[StudyPlace, StudyDone]]:
    """Return what works on studies: this process alone where `count` is 0, else Ray's.

    Raises
    ------
    NoduleError : as :class:`RayWorkers`.
    """
    work = functools.partial(work_on, request=request, out=out)
    if count == 0:
        return nullcontext(InTurn(work, lambda place: place.location))
    return RayWorkers(
        work,
        use_gpus=request.device in ("auto", "cuda"),
        count=count,
        threads=threads,
        address=address,
        study_limit_s=study_limit_s,
    )


@dataclass(kw_only=True)
class _Rounds:
    store: JobStore
    attempts: int
    tell: Callable[[BatchProgress], None]
    _begun: dict[str, Job] = field(default_factory=dict)
    _ended: int = 0
    _since: float = field(default_factory=time.perf_counter)

    def work(self, workers: Workers[StudyPlace, StudyDone]) -> None:
        while True:
            for place, outcome in work_through(self._claim, workers):
                self._record(place, outcome)
            if not self.store.counts()[JobState.WAITING]:
                return
            time.sleep(_RETRY_DELAY_S)

    def _claim(self) -> StudyPlace | None:
        job = self.store.claim()
        if job is None:
            return None
        self._begun[job.key] = job
        return StudyPlace(**job.what)

    def _record(self, place: StudyPlace, outcome: StudyDone | Failure) -> None:
        job = self._begun.pop(place.key)
        if isinstance(outcome, StudyDone):
            self.store.finish(place.key, asdict(outcome))
        elif outcome.code in RETRIED and job.attempts < self.attempts:
            _log.warning("%s, attempt %d: %s", outcome.study, job.attempts, outcome.message)
            self.store.wait_again(place.key, seconds=_RETRY_DELAY_S)
            return
        else:
            self.store.fail(place.key, asdict(outcome))
        self._ended += 1
        counts = self.store.counts()
        self.tell(
            BatchProgress(
                done=counts[JobState.DONE],
                failed=counts[JobState.FAILED],
                waiting=counts[JobState.WAITING] + counts[JobState.RUNNING],
                ended_now=self._ended,
                seconds=time.perf_counter() - self._since,
            )
        )


def _what(place: StudyPlace) -> Mapping[str, Any]:
    return {"location": place.location, "series_uid": place.series_uid}


def _failure(job: Job) -> Failure:
    assert job.outcome is not None
    return Failure(**job.outcome)
