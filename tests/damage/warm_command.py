"""The command ``nodule``, started once and forked for each call, so that hundreds are affordable.

As a program it answers requests on standard input: a line of JSON each way. What a call prints goes
into files; a call that takes too long is killed.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

MAX_SECONDS = 10.0
_MAX_BYTES = 4 << 30  # of address space, so that a runaway ends before the machine does


@dataclass(frozen=True, kw_only=True)
class Called:
    """How a call ended: its exit status, negative for a signal, and its cost."""

    status: int
    seconds: float
    peak_bytes: int
    said: str

    @property
    def faults(self) -> list[str]:
        """What no call may do, whatever it is given."""
        found = {
            "a traceback": "Traceback (most recent call last)" in self.said,
            "UNEXPECTED": "UNEXPECTED" in self.said,
            f"exit status {self.status}": self.status not in (0, 1, 2, 3),
            f"{self.seconds:.1f} s": self.seconds > MAX_SECONDS,
            f"{self.peak_bytes >> 20} MiB": self.peak_bytes > 1 << 30,
        }
        return [fault for fault, holds in found.items() if holds]


class WarmCommand:
    """A context in which ``nodule`` can be called; folder holds what calls print."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> "WarmCommand":
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__, str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def __call__(self, *words: str, environment: dict[str, str] | None = None) -> Called:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"words": words, "environment": environment or {}}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        said = (self._folder / "said").read_bytes().decode("utf-8", "replace")
        return Called(**answer, said=said)


def _call(words: Sequence[str], environment: dict[str, str], said: Path) -> dict[str, Any]:
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _be_the_command(words, environment, said)
    while True:
        ended, status, used = os.wait4(pid, os.WNOHANG)
        seconds = time.monotonic() - began
        if ended:
            break
        if seconds > 1.5 * MAX_SECONDS:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.002)
    peak_bytes = 1024 * used.ru_maxrss
    return {
        "status": os.waitstatus_to_exitcode(status),
        "seconds": seconds,
        "peak_bytes": peak_bytes,
    }


def _be_the_command(words: Sequence[str], environment: dict[str, str], said: Path) -> None:
    status = 70
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))
        with said.open("wb") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        with Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), 0)
        os.environ.update(environment)
        sys.argv = ["nodule", *words]
        main()
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    # a check imports these when it runs
    import nibabel  # noqa: F401
    import rich.table  # noqa: F401

    import nodule.ct._read  # noqa: F401
    from pipelines.cli.main import main

    for line in sys.stdin:
        asked = json.loads(line)
        answered = _call(asked["words"], asked["environment"], Path(sys.argv[1]) / "said")
        sys.stdout.write(json.dumps(answered) + "\n")
        sys.stdout.flush()
