from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nodule.errors import InputError
from pipelines.batch import Workload, forecast


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    """Two studies of 10 and 20 s, whose results take 1000 and 3000 bytes."""
    rows = []
    for study, whole_s, size in (("a", 10.0, 1000), ("b", 20.0, 3000)):
        (tmp_path / study).mkdir()
        (tmp_path / study / "report.html").write_bytes(bytes(size))
        rows += [
            {"study": study, "stage": "whole", "seconds": whole_s},
            {"study": study, "stage": "candidates", "seconds": whole_s / 2},
        ]
    folder = tmp_path / "tables" / "seconds"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "part-00000.parquet")
    return tmp_path


def test_an_archive_takes_the_mean_time_of_its_studies_over_the_workers(batch: Path) -> None:
    """By arithmetic: 6000 studies of 15 s on 10 workers are 2.5 hours; 25 core-hours."""
    told = forecast(batch, Workload(studies=6000, workers=10, price_core_hour=0.04))
    assert told.measured_studies == 2
    assert told.seconds_a_study[0] == 15.0
    assert told.seconds_by_stage == {"candidates": 7.5}
    assert told.hours[0] == pytest.approx(2.5, rel=0.02)
    assert told.busy_share == pytest.approx(1.0, abs=0.01)
    assert told.lost_share == 0.0
    assert told.result_bytes_a_study == 2000.0
    assert told.result_gib == pytest.approx(6000 * 2000 / 2**30)
    assert told.price == pytest.approx(25 * 0.04, rel=0.02)


def test_threads_cost_and_a_million_scales_from_what_is_drawn(batch: Path) -> None:
    small = forecast(batch, Workload(studies=100_000, workers=100, threads=2), draws=2)
    large = forecast(batch, Workload(studies=1_000_000, workers=100, threads=2), draws=2)
    assert large.hours[0] == pytest.approx(10 * small.hours[0], rel=0.01)
    assert small.core_hours == pytest.approx(small.hours[0] * 200)


def test_workers_that_die_cost_what_they_had_begun(batch: Path) -> None:
    """At rate r a study of t seconds wastes (e^rt - 1)/r - t on average (a renewal process)."""
    import numpy as np

    rate = 60 / 3600
    expected = np.mean([(np.exp(rate * t) - 1) / rate - t for t in (10.0, 20.0)])
    told = forecast(batch, Workload(studies=20_000, workers=5, lost_an_hour=60.0), draws=4)
    assert told.lost_share == pytest.approx(expected / (15 + expected), rel=0.05)


def test_fewer_studies_than_workers_leave_some_idle(batch: Path) -> None:
    told = forecast(batch, Workload(studies=5, workers=50))
    assert told.hours[1] <= 20 / 3600 + 1e-9
    assert told.busy_share < 0.11


def test_a_folder_without_a_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="NO_TABLES"):
        forecast(tmp_path, Workload(studies=1, workers=1))
