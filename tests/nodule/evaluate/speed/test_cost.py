"""Costs are counted on the clock and on the cores, and added up."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from nodule.evaluate.speed._cost import Cost, measure, median_cost, total_cost


def cost(seconds: float, core_seconds: float, peak_mb: float | None = None) -> Cost:
    return Cost(seconds=seconds, core_seconds=core_seconds, peak_mb=peak_mb)


def test_waiting_takes_time_but_no_core() -> None:
    answer, spent = measure(lambda: time.sleep(0.2) or "done")
    assert answer == "done"
    assert spent.seconds >= 0.2
    assert spent.core_seconds < 0.1


WORKS = "import time; [None for _ in iter(lambda: time.process_time() < 0.4, False)]; print(); "


def test_what_processes_do_counts_while_they_run_and_once() -> None:
    """One works, then waits; when it has ended, its time is not counted again."""
    started = []

    def work() -> None:
        script = WORKS + "input()"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        started.append(subprocess.Popen([sys.executable, "-c", script], **pipes))
        started[0].stdout.readline()

    _, working = measure(work)
    _, ending = measure(lambda: started[0].communicate(b"\n"))
    if not Path("/proc/self/task").is_dir():
        pytest.skip("this system cannot tell")
    assert 0.35 < working.core_seconds < 1.0
    assert ending.core_seconds < 0.2


def test_memory_is_that_of_the_part() -> None:
    _, small = measure(lambda: None)
    _, large = measure(lambda: len(bytearray(b"\1") * 200_000_000))
    if small.peak_mb is None or large.peak_mb is None:
        pytest.skip("this system cannot tell")
    assert 150 < large.peak_mb - small.peak_mb < 260


def test_the_median_is_that_of_each_number_and_memory_that_of_the_first() -> None:
    costs = [cost(3.0, 5.0, 100.0), cost(1.0, 9.0, 200.0), cost(2.0, 7.0, 300.0)]
    assert median_cost(costs) == cost(2.0, 7.0, 100.0)


def test_a_total_is_a_sum_and_the_largest_memory() -> None:
    assert total_cost([cost(1.0, 2.0, 100.0), cost(3.0, 4.0)]) == cost(4.0, 6.0, 100.0)


def test_a_sample_is_scaled_to_the_whole() -> None:
    assert cost(2.0, 3.0, 50.0).scaled(15.0) == cost(30.0, 45.0, 50.0)
