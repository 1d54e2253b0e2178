"""Work that is to be done once, kept on disk: a batch's studies, and what a DICOM node accepts.

SQLite in its write-ahead mode keeps the jobs, every change one transaction that is synchronised
before it returns. What was running when a process was killed waits again.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nodule.errors import InputError

BATCH_JOBS_NAME = "batch.sqlite"
"""A batch's jobs, in its folder of results."""

_LAYOUT = 1
_BUSY_S = 30.0
_TABLE = """
CREATE TABLE IF NOT EXISTS job (
    key TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0,
    what TEXT NOT NULL,
    outcome TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS job_by_state ON job (state, not_before);
"""


class JobState(StrEnum):
    """What has become of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One piece of work.

    Parameters
    ----------
    key : what makes two jobs the same one.
    what : what is to be done, as JSON knows it.
    state : what has become of it.
    attempts : how often it was begun.
    outcome : of what has ended; None before.
    """

    key: str
    what: Mapping[str, Any]
    state: JobState
    attempts: int
    outcome: Mapping[str, Any] | None


class JobStore:
    """Jobs in one file, each in exactly one state; used by one process at a time.

    Parameters
    ----------
    file : made where there is none.

    Raises
    ------
    InputError : ``BAD_JOBS`` for a file that holds something else, or is damaged.
    OSError : as the file system refuses to make its folder.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        try:
            self._base = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.executescript(_TABLE)
            self._check_layout()
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"the list of jobs {file.name} cannot be used",
                code="BAD_JOBS",
                expected="a list that this software has made",
                got=str(error),
                hint="Move it away; what is done already is found by its results.",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def _check_layout(self) -> None:
        found = self._base.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, _LAYOUT):
            raise sqlite3.DatabaseError(f"layout {found}, not {_LAYOUT}")
        self._base.execute(f"PRAGMA user_version = {_LAYOUT}")

    def add(self, key: str, what: Mapping[str, Any]) -> bool:
        """Put in a job that waits, and return whether it is new; one that is known stays."""
        with closing(
            self._base.execute(
                "INSERT INTO job (key, state, what) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (key, JobState.WAITING, json.dumps(what, sort_keys=True)),
            )
        ) as made:
            return made.rowcount == 1

    def claim(self) -> Job | None:
        """Take the job that has waited longest, which is running from now on.

        Returns
        -------
        The job with this attempt counted, or None where none may begin now.
        """
        row = self._base.execute(
            "UPDATE job SET state = ?, attempts = attempts + 1 WHERE key = ("
            " SELECT key FROM job WHERE state = ? AND not_before <= ? ORDER BY rowid LIMIT 1"
            ") RETURNING key, state, attempts, what, outcome",
            (JobState.RUNNING, JobState.WAITING, time.time()),
        ).fetchone()
        return None if row is None else _job(row)

    def finish(self, key: str, outcome: Mapping[str, Any]) -> None:
        """Record that a job is done."""
        self._end(key, JobState.DONE, outcome)

    def fail(self, key: str, outcome: Mapping[str, Any]) -> None:
        """Record that a job is set aside."""
        self._end(key, JobState.FAILED, outcome)

    def wait_again(self, key: str, *, seconds: float = 0.0) -> None:
        """Have a job wait, at least for so long, whatever has become of it."""
        self._base.execute(
            "UPDATE job SET state = ?, not_before = ?, outcome = NULL WHERE key = ?",
            (JobState.WAITING, time.time() + seconds if seconds else 0.0, key),
        )

    def recover(self) -> int:
        """Have what was running when an earlier process ended wait again; return how many."""
        with closing(
            self._base.execute(
                "UPDATE job SET state = ?, not_before = 0 WHERE state = ?",
                (JobState.WAITING, JobState.RUNNING),
            )
        ) as changed:
            return changed.rowcount

    def counts(self) -> Mapping[JobState, int]:
        """Return how many jobs are in each state."""
        found = dict(self._base.execute("SELECT state, count(*) FROM job GROUP BY state"))
        return {state: found.get(state, 0) for state in JobState}

    def jobs(self, state: JobState) -> Iterator[Job]:
        """Yield the jobs in a state, in the order in which they were put in."""
        rows = self._base.execute(
            "SELECT key, state, attempts, what, outcome FROM job WHERE state = ? ORDER BY rowid",
            (state,),
        )
        yield from map(_job, rows)

    def get(self, key: str) -> Job | None:
        """Return a job, None where there is none of this key."""
        row = self._base.execute(
            "SELECT key, state, attempts, what, outcome FROM job WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else _job(row)

    def _end(self, key: str, state: JobState, outcome: Mapping[str, Any]) -> None:
        self._base.execute(
            "UPDATE job SET state = ?, outcome = ? WHERE key = ?",
            (state, json.dumps(outcome, sort_keys=True), key),
        )


def _job(row: tuple[str, str, int, str, str | None]) -> Job:
    key, state, attempts, what, outcome = row
    return Job(
        key=key,
        state=JobState(state),
        attempts=attempts,
        what=json.loads(what),
        outcome=None if outcome is None else json.loads(outcome),
    )
