"""How long, how large and how dear an archive would be, from what a batch has measured.

Studies are drawn, with replacement, from those that a batch has processed, and given to workers in
turn, each to the one that is free first; workers die at a rate, and lose what they were doing.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nodule.errors import InputError
from pipelines.batch._result_tables import TABLES_FOLDER, require_table_packages

_HOUR_S = 3600.0
_MOST_DRAWN = 100_000  # studies that are drawn one by one; more scale
_WHOLE, _FETCH = "whole", "fetch"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What is to be processed, and with what.

    Parameters
    ----------
    studies : how many.
    workers : how many work side by side.
    threads : processors of each worker.
    lost_an_hour : workers that die in an hour of one worker's work.
    price_core_hour : of one processor for an hour, in any currency.
    """

    studies: int
    workers: int
    threads: int = 1
    lost_an_hour: float = 0.0
    price_core_hour: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What it would take.

    Parameters
    ----------
    measured_studies : on which it rests.
    seconds_a_study : mean of a worker's time, and its 95th percentile.
    seconds_by_stage : mean over all studies, of stages and of fetching.
    hours : from first to last; mean and highest of the simulations.
    busy_share : of the workers' time.
    lost_share : of the workers' time, spent on studies that were begun again.
    result_bytes_a_study : mean of a folder of results.
    result_gib : of all.
    core_hours : of all processors, until the last study ends.
    price : of these; price_a_study of one study.
    """

    measured_studies: int
    seconds_a_study: tuple[float, float]
    seconds_by_stage: Mapping[str, float]
    hours: tuple[float, float]
    busy_share: float
    lost_share: float
    result_bytes_a_study: float
    result_gib: float
    core_hours: float
    price: float
    price_a_study: float


def forecast(out: Path, workload: Workload, *, seed: int = 0, draws: int = 20) -> Forecast:
    """Simulate an archive with the times of a batch.

    Parameters
    ----------
    out : folder of a batch that has ended.
    seed, draws : of the simulations.

    Raises
    ------
    InputError : ``NO_TABLES`` where no batch has ended there, or nothing was done in it.
    UsageError : ``NO_BATCH_PACKAGES``.
    """
    by_study = _seconds(out)
    whole = np.array([each[_WHOLE] for each in by_study.values()])
    random = np.random.default_rng(seed)
    drawn = min(workload.studies, _MOST_DRAWN)
    scale = workload.studies / drawn
    runs = [_simulate(random.choice(whole, drawn), workload, random) for _ in range(draws)]
    hours = np.array([span for span, _, _ in runs]) * scale / _HOUR_S
    worked = sum(busy for _, busy, _ in runs)
    sizes = [_folder_bytes(out / study) for study in by_study]
    core_hours = float(hours.mean()) * workload.workers * workload.threads
    price = core_hours * workload.price_core_hour
    return Forecast(
        measured_studies=len(whole),
        seconds_a_study=(float(whole.mean()), float(np.percentile(whole, 95))),
        seconds_by_stage=_by_stage(by_study),
        hours=(float(hours.mean()), float(hours.max())),
        busy_share=worked / sum(span * workload.workers for span, _, _ in runs),
        lost_share=sum(lost for _, _, lost in runs) / worked,
        result_bytes_a_study=float(np.mean(sizes)),
        result_gib=float(np.mean(sizes)) * workload.studies / (1 << 30),
        core_hours=core_hours,
        price=price,
        price_a_study=price / workload.studies,
    )


def _simulate(
    seconds: np.ndarray, workload: Workload, random: np.random.Generator
) -> tuple[float, float, float]:
    """Return seconds until the last study ends, those that workers worked, and those in vain."""
    free_s = [0.0] * min(workload.workers, len(seconds))
    lost_s = 0.0
    for each in seconds:
        begun_s = heapq.heappop(free_s)
        in_vain_s = _in_vain(float(each), workload.lost_an_hour / _HOUR_S, random)
        lost_s += in_vain_s
        heapq.heappush(free_s, begun_s + in_vain_s + float(each))
    return max(free_s), float(seconds.sum()) + lost_s, lost_s


def _in_vain(seconds: float, rate: float, random: np.random.Generator) -> float:
    """Return what is worked in vain before a study is done without its worker's death."""
    lost_s = 0.0
    while rate > 0 and (until_s := random.exponential(1 / rate)) < seconds:
        lost_s += until_s
    return lost_s


def _seconds(out: Path) -> dict[str, dict[str, float]]:
    require_table_packages()
    import pyarrow.parquet as pq

    folder = out / TABLES_FOLDER / "seconds"
    rows = pq.read_table(folder).to_pylist() if folder.is_dir() else []
    by_study: dict[str, dict[str, float]] = {}
    for row in rows:
        by_study.setdefault(row["study"], {})[row["stage"]] = row["seconds"]
    if not by_study:
        raise InputError(
            "there are no times of a batch",
            code="NO_TABLES",
            expected=f"{TABLES_FOLDER}/seconds with at least one study",
            hint="Give the folder of a nodule batch that has ended.",
        )
    return by_study


def _by_stage(by_study: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    stages = sorted({stage for each in by_study.values() for stage in each} - {_WHOLE})
    count = len(by_study)
    return {
        stage: sum(each.get(stage, 0.0) for each in by_study.values()) / count for stage in stages
    }


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
