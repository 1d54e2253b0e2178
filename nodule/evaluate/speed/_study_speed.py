"""What a study takes, stage by stage, and how that compares with fixed work.

Passes over one study alternate with the yardstick, so that what slows the machine slows both; the
medians count. The first pass also opens the networks, and its memory is what a run needs; nothing
of what it is compared with is loaded before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from nodule.chain import Chain
from nodule.ct import inventory
from nodule.detection import Detection
from nodule.evaluate.speed._cost import Cost, measure, median_cost, total_cost
from nodule.inference import choose_compute

if TYPE_CHECKING:
    from nodule.chain import Pass

PASSES = 3
REPORT = "report"
_LISTING = "inventory"


@dataclass(frozen=True, kw_only=True)
class StageCost:
    """What a stage takes.

    Parameters
    ----------
    stage : its name; ``inventory`` lists the files, ``report`` writes all results.
    first : in the first pass.
    steady : the median of the passes after the first, or of the only one.
    share : of the study's seconds, steady.
    """

    stage: str
    first: Cost
    steady: Cost
    share: float


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """What one study takes, and fixed work beside it.

    Parameters
    ----------
    study : name of the study.
    compute : engine, device and precision of the networks; other ones have other ratios.
    stages : in order.
    first : the whole study, in the first pass.
    steady : the whole study, in a batch that goes on: its core-seconds are what a study costs.
    yardstick : sixty small networks, see :class:`nodule.evaluate.speed._yardstick.Yardstick`.
    detector : the detector's windows over the lungs, as they run in the stage.
    plain : the same windows by the network as it was trained, in float32, by torch, one at a time.
    c3d : overlapping windows of a published classifier over the same lungs.
    findings : how many were found.
    ratios : core-seconds over the yardstick's, of each stage and, as ``study``, of all; and
        ``detector_to_plain`` and ``detector_to_c3d``.
    """

    study: str
    compute: str
    stages: tuple[StageCost, ...]
    first: Cost
    steady: Cost
    yardstick: Cost
    detector: Cost
    plain: Cost
    c3d: Cost
    findings: int
    ratios: Mapping[str, float]

    def to_json(self) -> str:
        """Return the costs as JSON."""
        return TypeAdapter(Benchmark).dump_json(self).decode()


def benchmark(
    study: Path,
    *,
    chain: Chain,
    write: Callable[[Detection], object],
    c3d_sample: int,
    passes: int = PASSES,
) -> Benchmark:
    """Measure one study.

    Parameters
    ----------
    study : as :func:`nodule.ct.read_ct` takes it.
    chain : the stages in the setting that ships.
    write : writes the results of a study.
    c3d_sample : windows of the classifier that are run, evenly spread; all if there are fewer.
    passes : over the study.

    Raises
    ------
    NoduleError : from reading or from the stages.
    """
    done, costs = _pass(study, chain, write)
    # torch comes in here, after the first pass
    from nodule.evaluate.speed._detector_speed import detector_speed
    from nodule.evaluate.speed._yardstick import Yardstick

    yardstick = Yardstick()
    measured, fixed = [costs], [yardstick.cost()]
    for _ in range(passes - 1):
        done, costs = _pass(study, chain, write)
        measured.append(costs)
        fixed.append(yardstick.cost())
    speed = detector_speed(done, c3d_sample=c3d_sample)
    fixed.append(yardstick.cost())
    later = measured[1:] or measured
    medians = {name: median_cost([each[name] for each in later]) for name in costs}
    steady, unit = total_cost(list(medians.values())), median_cost(fixed)
    candidates = chain.candidates
    compute = choose_compute(
        engine=candidates.engine, device=candidates.device, precision=candidates.precision
    )
    return Benchmark(
        study=study.name,
        compute=compute.kind,
        stages=tuple(
            StageCost(
                stage=name,
                first=measured[0][name],
                steady=cost,
                share=cost.seconds / steady.seconds,
            )
            for name, cost in medians.items()
        ),
        first=total_cost(list(measured[0].values())),
        steady=steady,
        yardstick=unit,
        detector=speed.detector,
        plain=speed.plain,
        c3d=speed.c3d,
        findings=len(done.findings),
        ratios={
            "study": steady.core_seconds / unit.core_seconds,
            **{name: each.core_seconds / unit.core_seconds for name, each in medians.items()},
            "detector_to_plain": speed.detector.core_seconds / speed.plain.core_seconds,
            "detector_to_c3d": speed.detector.core_seconds / speed.c3d.core_seconds,
        },
    )


def _pass(
    study: Path, chain: Chain, write: Callable[[Detection], object]
) -> tuple[Pass, dict[str, Cost]]:
    """Go from the files to the results, and say what each stage took."""
    costs: dict[str, Cost] = {}
    series, costs[_LISTING] = measure(lambda: inventory(study).choose())
    done = chain.on(series)
    for name in chain.stages:
        _, costs[name] = measure(lambda stage=name: done.output(stage))  # type: ignore[misc]
    _, costs[REPORT] = measure(lambda: write(done.detection))
    return done, costs
