"""The node: what comes is kept, complete studies are processed, results are sent on.

All that must not be lost is on disk before anybody is told so: images in the inbox, jobs in
SQLite. A killed node goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from nodule.errors import NoduleError
from pipelines.batch import RETRIED, Failure, StudyDone
from pipelines.cache import Cache
from pipelines.jobs import Job, JobState, JobStore
from pipelines.pacs import DicomNode, DicomWeb, parse_address
from pipelines.places import StudyPlace
from pipelines.serve._audit import Audit
from pipelines.serve._delivery import deliver, new_transaction
from pipelines.serve._inbox import Inbox
from pipelines.serve._monitor import Monitor
from pipelines.serve._receiver import Receiver
from pipelines.serve._settings import ServeSettings
from pipelines.serve._sources import new_in_service, quiet_in_folder
from pipelines.serve._study_job import StudyJob
from pipelines.serve._study_process import StudyProcess, Work

_TICK_S = 0.25
_HOUSEKEEPING_S = 30.0
_RETRY_STUDY_S = 5.0
_MAX_RETRY_S = 3600.0
_CACHE_SHARE = 0.25  # of the quota
_SENDERS = 4
_GIB = 1 << 30
_log = logging.getLogger(__name__)


class Node:
    """A DICOM node with its folder.

    Parameters
    ----------
    root : folder of the node; used by one node at a time.
    settings : what it is told.
    config : TOML file of the stages; None for the shipped one.
    work : what is done with each study; that of `StudyJob` if not given.

    Raises
    ------
    InputError : ``CANNOT_LISTEN``, ``BAD_JOBS``.
    """

    def __init__(
        self,
        root: Path,
        settings: ServeSettings,
        *,
        config: Path | None = None,
        work: Work | None = None,
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root
        self._settings = settings
        self._audit = Audit(root)
        quota = int(settings.disk.quota_gib * _GIB)
        self._inbox = Inbox(root / "inbox", root=root, quota_bytes=quota)
        self._cache = Cache(root / "cache")
        self._studies = JobStore(root / "studies.sqlite")
        self._sendings = JobStore(root / "sendings.sqlite")
        for store in (self._studies, self._sendings):
            store.recover()
        self._process = StudyProcess(
            work or self._study_job(config), limit_s=settings.study.limit_s
        )
        self._at_work: Job | None = None
        self._senders = ThreadPoolExecutor(_SENDERS)
        self._sent: dict[Future[None], Job] = {}
        self._due: dict[str, float] = {}
        self._committed = 0
        self._count()
        self._receiver = Receiver(
            settings.listen, inbox=self._inbox, audit=self._audit, committed=self._on_committed
        )
        self._monitor = Monitor(settings.monitor, figures=self.figures, is_well=self._is_well)

    @property
    def port(self) -> int:
        """Where images are taken."""
        return self._receiver.port

    @property
    def monitor_port(self) -> int:
        """Where ``/health`` answers."""
        return self._monitor.port

    def figures(self) -> Mapping[str, float]:
        """Return what ``/health`` and ``/metrics`` tell, by name."""
        return dict(self._counts)

    def run(self, stop: threading.Event) -> None:
        """Work until the event is set; what is under way then goes on with the next start."""
        while not stop.is_set():
            self.tick()
            stop.wait(_TICK_S)

    def close(self) -> None:
        """End what runs and listens; nothing is lost by it."""
        self._receiver.close()
        self._monitor.close()
        self._process.close()
        self._senders.shutdown(wait=True, cancel_futures=True)
        for store in (self._studies, self._sendings):
            store.close()
        self._audit.close()

    def tick(self) -> None:
        """Do what is to be done now, without waiting for anything."""
        self._take_arrivals()
        self._look(self._settings.source.every_s, "sources", self._take_sources)
        self._end_study()
        self._begin_study()
        self._end_sendings()
        self._begin_sendings()
        self._look(_HOUSEKEEPING_S, "housekeeping", self._keep_house)
        self._count()

    def _look(self, every_s: float, name: str, look: Callable[[], None]) -> None:
        now = time.monotonic()
        if now >= self._due.get(name, 0.0):
            self._due[name] = now + every_s
            look()

    def _take_arrivals(self) -> None:
        for study in self._inbox.complete(quiet_s=self._settings.study.quiet_s):
            images = len(study.files)
            if self._studies.add(study.digest, {"inbox": study.name, "images": images}):
                self._audit.study("complete", study=study.name, images=images)

    def _take_sources(self) -> None:
        source = self._settings.source
        found: list[tuple[str, StudyPlace]] = []
        try:
            if source.folder:
                quiet_s = self._settings.study.quiet_s
                found += quiet_in_folder(Path(source.folder), quiet_s=quiet_s)
            if source.service:
                today = datetime.now().astimezone().date()
                found += new_in_service(DicomWeb(root=source.service), day=today)
        except (NoduleError, OSError) as error:
            _log.warning("a source does not answer: %s", error)
        for state, place in found:
            key = hashlib.sha256(state.encode()).hexdigest()
            if self._studies.add(key, {"location": place.location}):
                self._audit.study("found", study=key[:32])

    def _begin_study(self) -> None:
        if self._process.is_busy:
            return
        job = self._studies.claim()
        if job is None:
            return
        place = self._place_of(job)
        if place is None:  # more of it has come, which is a job of its own
            self._studies.finish(job.key, {"superseded": True})
            return
        self._at_work = job
        self._process.begin(place)

    def _place_of(self, job: Job) -> StudyPlace | None:
        if "location" in job.what:
            return StudyPlace(location=job.what["location"])
        study = self._inbox.study(job.what["inbox"])
        if study is None or study.digest != job.key:
            return None
        folder = self._root / "work" / job.key[:32]
        self._inbox.link(study, folder)
        return StudyPlace(location=str(folder))

    def _end_study(self) -> None:
        if not self._process.is_busy:
            return
        outcome = self._process.poll()
        if outcome is None:
            return
        assert self._at_work is not None
        job, self._at_work = self._at_work, None
        shutil.rmtree(self._root / "work" / job.key[:32], ignore_errors=True)
        name = str(job.what.get("inbox", job.key[:32]))
        if isinstance(outcome, StudyDone):
            self._plan_sendings(job, outcome)
            self._studies.finish(job.key, asdict(outcome))
            self._audit.study("done", study=name, findings=outcome.findings)
        elif outcome.code in {*RETRIED, "NO_ANSWER"} and job.attempts < self._attempts(outcome):
            self._studies.wait_again(job.key, seconds=_RETRY_STUDY_S * job.attempts)
            self._audit.study("tried again", study=name, code=outcome.code)
        else:
            self._studies.fail(job.key, {"code": outcome.code, "message": outcome.message})
            self._audit.study("set aside", study=name, code=outcome.code)

    def _attempts(self, failure: Failure) -> float:
        # an archive that is silent costs nothing but time
        return float("inf") if failure.code == "NO_ANSWER" else self._settings.study.attempts

    def _plan_sendings(self, job: Job, done: StudyDone) -> None:
        """Put in what is to be sent before the study counts as done, so that a kill loses none.

        What still waits of an earlier state of the study is not sent any more.
        """
        name = job.what.get("inbox")
        for each in list(self._sendings.jobs(JobState.WAITING)):
            if name is not None and each.what["inbox"] == name and each.what["study"] != job.key:
                self._sendings.finish(each.key, {"superseded": True})
        for address in self._settings.send.to:
            key = hashlib.sha256(f"{job.key}\n{address}".encode()).hexdigest()
            self._sendings.add(
                key, {"folder": done.folder, "to": address, "study": job.key, "inbox": name}
            )

    def _begin_sendings(self) -> None:
        while len(self._sent) < _SENDERS and (job := self._sendings.claim()) is not None:
            address = parse_address(job.what["to"])
            files = sorted((self._root / "results" / job.what["folder"]).glob("*.dcm"))
            commit = self._settings.send.commit and isinstance(address, DicomNode)
            transaction = new_transaction() if commit else None
            future = self._senders.submit(deliver, files, address, transaction=transaction)
            self._sent[future] = job

    def _end_sendings(self) -> None:
        for future in [each for each in self._sent if each.done()]:
            job = self._sent.pop(future)
            error = future.exception()
            if error is None:
                self._sendings.finish(job.key, {})
                self._audit.study("sent", study=job.what["study"][:32], to=job.what["to"])
                continue
            code = error.code if isinstance(error, NoduleError) else type(error).__name__
            seconds = min(self._settings.send.retry_s * 2 ** (job.attempts - 1), _MAX_RETRY_S)
            self._sendings.wait_again(job.key, seconds=seconds)
            self._audit.study("not sent", study=job.what["study"][:32], code=code)

    def _on_committed(self, transaction: str, kept: bool) -> None:
        self._committed += kept
        self._audit.study("committed" if kept else "not committed", study=transaction)

    def _keep_house(self) -> None:
        """Remove what has been kept long enough, and see what the rest takes."""
        quota = self._settings.disk.quota_gib * _GIB
        self._cache.prune(max_size=int(quota * _CACHE_SHARE))
        unsent = {
            job.what["study"]
            for state in (JobState.WAITING, JobState.RUNNING)
            for job in self._sendings.jobs(state)
        }
        for study in self._inbox.studies():
            job = self._studies.get(study.digest)
            old = study.quiet_s > self._settings.disk.keep_h * 3600
            if old and job is not None and job.key not in unsent and job.outcome is not None:
                self._inbox.remove(study)
                if "folder" in job.outcome:
                    shutil.rmtree(
                        self._root / "results" / job.outcome["folder"], ignore_errors=True
                    )
        self._inbox.measure()

    def _count(self) -> None:
        self._last_tick_s = time.monotonic()
        self._counts = {
            **{f"studies_{state}": n for state, n in self._studies.counts().items()},
            **{f"sendings_{state}": n for state, n in self._sendings.counts().items()},
            "images_kept": self._audit.kept_images,
            "images_refused": self._audit.refused_images,
            "associations_refused": self._audit.refused_associations,
            "commitments": self._committed,
            "disk_bytes": self._inbox.used_bytes,
            "disk_quota_bytes": self._settings.disk.quota_gib * _GIB,
        }

    def _is_well(self) -> bool:
        return time.monotonic() - self._last_tick_s < _HOUSEKEEPING_S

    def _study_job(self, config: Path | None) -> StudyJob:
        source = self._settings.source
        return StudyJob(
            out=self._root / "results",
            config=config,
            cache=self._root / "cache",
            setting=self._settings.study.setting,
            pdf=self._settings.study.pdf,
            priors=DicomWeb(root=source.priors) if source.priors else None,
        )
