"""A layer over the file system that strikes at the n-th call that changes the disk.

It strikes before the call, so that a fault at every n is a fault between any two calls.
"""

import builtins
import errno
import io
import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from nodule import whole_folders

_NOT_STRUCK = 3
Fault = Callable[[], None]
CHANGES = (
    *("mkdir", "rename", "replace", "link", "symlink"),
    *("fsync", "chmod", "utime", "unlink", "rmdir"),
)


class WriteCounter:
    """A binary file whose every write is a call of the layer."""

    def __init__(self, stream: Any, strike: Callable[[], None]) -> None:
        self._stream = stream
        self._strike = strike

    def write(self, data: bytes) -> int:
        self._strike()
        return int(self._stream.write(data))

    def __enter__(self) -> "WriteCounter":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse_for_space() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FaultLayer:
    """Counts the calls, and strikes at one of them; with `for_good` at all later ones as well."""

    def __init__(self, number: int, fault: Fault, *, for_good: bool = False) -> None:
        self._number = number
        self._fault = fault
        self._for_good = for_good
        self._calls = 0

    @property
    def has_struck(self) -> bool:
        return self._calls >= self._number

    def strike(self) -> None:
        self._calls += 1
        if self._calls == self._number or (self._for_good and self.has_struck):
            self._fault()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        real_open = io.open

        def opened(file: Any, mode: str = "r", *args: Any, **named: Any) -> Any:
            if not set(mode) & set("wxa"):
                return real_open(file, mode, *args, **named)
            self.strike()
            stream = real_open(file, mode, *args, **named)
            return WriteCounter(stream, self.strike) if "b" in mode else stream

        for name in CHANGES:
            patch.setattr(os, name, self._before(getattr(os, name)))
        patch.setattr(io, "open", opened)
        patch.setattr(builtins, "open", opened)
        patch.setattr(whole_folders, "_swap", self._before(whole_folders._swap))

    def _before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*args: Any, **named: Any) -> Any:
            self.strike()
            return call(*args, **named)

        return changed


def fault_at_every_call(
    scenario: Callable[[], object],
    after_each: Callable[[], None],
    *,
    fault: Fault,
    for_good: bool = False,
) -> list[int]:
    """Run a scenario with a fault at its first call, its second, and so on until none strikes.

    Each runs in a process of its own.

    Parameters
    ----------
    after_each : looks at what a fault has left.

    Returns
    -------
    How each struck process ended: 0 as if nothing had been, 1 by an OSError, or minus a signal.
    """
    codes = []
    for number in range(1, 10_000):
        code = _in_child(scenario, FaultLayer(number, fault, for_good=for_good))
        if code == _NOT_STRUCK:
            return codes
        assert code in (0, 1, -signal.SIGKILL), f"call {number}"
        codes.append(code)
        after_each()
    raise AssertionError("the scenario never ended")


def _in_child(scenario: Callable[[], object], layer: FaultLayer) -> int:
    pid = os.fork()
    if pid != 0:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 0
    try:
        layer.install(pytest.MonkeyPatch())
        scenario()
    except OSError:
        code = 1
    except BaseException:
        traceback.print_exc()
        code = 2
    os._exit(code if layer.has_struck else _NOT_STRUCK)
