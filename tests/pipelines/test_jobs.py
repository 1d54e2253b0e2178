import subprocess
import sys
from pathlib import Path

import pytest

from nodule.errors import InputError
from pipelines.jobs import JobState, JobStore


def test_a_job_is_put_in_once_and_taken_in_order(tmp_path: Path) -> None:
    with JobStore(tmp_path / "jobs.sqlite") as store:
        assert store.add("b", {"n": 1})
        assert store.add("a", {"n": 2})
        assert not store.add("b", {"n": 3})
        first, second = store.claim(), store.claim()
        assert first is not None
        assert second is not None
        assert (first.key, first.what, first.attempts) == ("b", {"n": 1}, 1)
        assert second.key == "a"
        assert store.claim() is None
        assert store.counts()[JobState.RUNNING] == 2


def test_what_ended_stays_ended_and_says_how(tmp_path: Path) -> None:
    file = tmp_path / "new" / "jobs.sqlite"
    with JobStore(file) as store:
        for key in "abc":
            store.add(key, {})
            store.claim()
        store.finish("a", {"findings": 2})
        store.fail("b", {"code": "GANTRY_TILT"})
    with JobStore(file) as store:
        assert store.recover() == 1  # c was running
        (done,), (failed,), (waiting,) = (
            list(store.jobs(state)) for state in (JobState.DONE, JobState.FAILED, JobState.WAITING)
        )
        assert (done.key, done.outcome) == ("a", {"findings": 2})
        assert (failed.key, failed.outcome) == ("b", {"code": "GANTRY_TILT"})
        assert (waiting.key, waiting.attempts) == ("c", 1)
        again = store.claim()
        assert again is not None
        assert again.attempts == 2


def test_a_job_that_is_to_wait_is_not_taken_before(tmp_path: Path) -> None:
    with JobStore(tmp_path / "jobs.sqlite") as store:
        store.add("a", {})
        store.claim()
        store.wait_again("a", seconds=3600)
        assert store.claim() is None
        store.wait_again("a")
        assert store.claim() is not None


def test_a_killed_process_leaves_each_job_in_one_state(tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite"
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from pipelines.jobs import JobStore\n"
        "store = JobStore(Path(sys.argv[1]))\n"
        "for n in range(5):\n"
        "    store.add(str(n), {})\n"
        "store.finish(store.claim().key, {})\n"
        "store.claim()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(file)], check=False).returncode == -9
    with JobStore(file) as store:
        store.recover()
        counts = store.counts()
    assert counts[JobState.DONE] == 1
    assert counts[JobState.WAITING] == 4


@pytest.mark.parametrize(
    "content", [b"no database at all, by far" * 40, b"SQLite format 3\0" + b"x" * 99]
)
def test_a_file_of_something_else_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite"
    file.write_bytes(content)
    with pytest.raises(InputError, match="BAD_JOBS"):
        JobStore(file)
    assert file.read_bytes() == content


def test_a_later_layout_is_refused(tmp_path: Path) -> None:
    import sqlite3

    file = tmp_path / "jobs.sqlite"
    base = sqlite3.connect(file)
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(InputError, match="layout 99"):
        JobStore(file)
