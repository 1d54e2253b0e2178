"""What a part of the work takes: time on the clock and on the cores, and memory."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5)
_TIMES = slice(11, 15)  # behind the name: utime, stime, cutime, cstime; proc(5)

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a part took.

    Parameters
    ----------
    seconds : wall clock.
    core_seconds : of all cores, in this process and those it has started: what other work on the
        machine hardly changes.
    peak_mb : largest resident size of the process meanwhile, with everything loaded before; None
        where the system cannot tell.
    """

    seconds: float
    core_seconds: float
    peak_mb: float | None = None

    def scaled(self, by: float) -> Cost:
        """Return what so many times the work would take."""
        return Cost(
            seconds=self.seconds * by, core_seconds=self.core_seconds * by, peak_mb=self.peak_mb
        )


def measure(part: Callable[[], _T]) -> tuple[_T, Cost]:
    """Run a part, and say what it took."""
    can_tell = os.access(_RESET, os.W_OK)
    if can_tell:
        _RESET.write_text(_RESET_PEAK)
    began, on_cores = time.perf_counter(), _core_seconds()
    answer = part()
    seconds, spent = time.perf_counter() - began, _core_seconds() - on_cores
    peak_mb = _peak_mb() if can_tell else None
    return answer, Cost(seconds=seconds, core_seconds=spent, peak_mb=peak_mb)


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Return the median of each number; memory is that of the first."""
    return Cost(
        seconds=median(each.seconds for each in costs),
        core_seconds=median(each.core_seconds for each in costs),
        peak_mb=costs[0].peak_mb,
    )


def total_cost(costs: Sequence[Cost]) -> Cost:
    """Return what parts took one after the other; memory is that of the largest."""
    peaks = [each.peak_mb for each in costs if each.peak_mb is not None]
    return Cost(
        seconds=sum(each.seconds for each in costs),
        core_seconds=sum(each.core_seconds for each in costs),
        peak_mb=max(peaks, default=None),
    )


def _core_seconds() -> float:
    ended = os.times()
    own = time.process_time() + ended.children_user + ended.children_system
    return own + _spent_below(os.getpid())


def _spent_below(process: int) -> float:
    """Return what processes that still run have spent for this one; 0 where nothing tells."""
    spent = 0.0
    for listed in Path(f"/proc/{process}/task").glob("*/children"):
        # a process may end while it is looked at; it is then among those that have ended
        with contextlib.suppress(OSError):
            for child in map(int, listed.read_text().split()):
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
                ticks = sum(map(int, fields[_TIMES]))
                spent += ticks / os.sysconf("SC_CLK_TCK") + _spent_below(child)
    return spent


def _peak_mb() -> float:
    lines = _STATUS.read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024.0
