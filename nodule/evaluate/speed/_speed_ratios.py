"""Is this version slower than an earlier one? Asked of ratios, which machines share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nodule.errors import StageError, UsageError
from nodule.input_files import read_given_file

if TYPE_CHECKING:
    from nodule.evaluate.speed._study_speed import Benchmark

TOLERANCE = 0.15
"""So much slower than the earlier version is too much; twice what passes differ by."""

_LEAST_SHARE = 0.05  # of the study: a stage below it varies more than it matters


def refuse_slower(now: Benchmark, earlier: Path) -> None:
    """Compare with what an earlier version measured, by its own benchmark's JSON.

    Only a whole study, its stages that take a twentieth of it and more, and the detector against
    the plain network and the published classifier are compared.

    Raises
    ------
    UsageError : ``NO_BENCHMARK`` where the file holds none; ``OTHER_COMPUTE`` where its networks
        ran otherwise, so that ratios say nothing.
    StageError : ``SLOWER``, naming each ratio that has grown by more than :data:`TOLERANCE`.
    """
    compute, then = _read(earlier)
    if compute != now.compute:
        raise UsageError(
            "the two benchmarks ran their networks otherwise",
            code="OTHER_COMPUTE",
            expected=compute,
            got=now.compute,
            hint="Compare on a machine of the same kind, or measure the earlier version here.",
        )
    least = _LEAST_SHARE * then["study"]
    grown = {
        name: now.ratios[name] / ratio
        for name, ratio in then.items()
        if name in now.ratios and (name.startswith("detector") or ratio >= least)
    }
    slower = {name: f"{by:.2f}" for name, by in grown.items() if by > 1 + TOLERANCE}
    if slower:
        raise StageError(
            "it is slower than it was",
            code="SLOWER",
            expected=f"at most {1 + TOLERANCE:g} times the earlier ratio",
            got=slower,
            hint="Run it again on a quiet machine; if it stays so, find out what changed.",
        )


def _read(path: Path) -> tuple[str, Mapping[str, float]]:
    try:
        stored = json.loads(read_given_file(path))
        return str(stored["compute"]), {k: float(v) for k, v in stored["ratios"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{path.name} holds no benchmark",
            code="NO_BENCHMARK",
            expected="what nodule benchmark --json printed",
            got=type(error).__name__,
        ) from error
