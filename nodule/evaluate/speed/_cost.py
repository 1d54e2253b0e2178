"""What a part of the work takes: time on the clock and on the cores, and memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5)

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a part took.

    Parameters
    ----------
    seconds : wall clock.
    core_seconds : of all cores, in this process and those it waited for: what other work on the
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
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def _peak_mb() -> float:
    lines = _STATUS.read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024.0
