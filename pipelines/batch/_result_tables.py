"""What a batch has found as one set of Parquet tables, made from the studies' own results.

The tables hold nothing that the folders of results and the list of jobs do not; they can be made
again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodule.errors import UsageError
from nodule.report.tables import ADVICE_COLUMNS, FINDING_COLUMNS, advice_rows, finding_rows
from nodule.result_files import REPORT_NAME
from nodule.review import read_report
from nodule.whole_folders import draft_beside, put_in_place
from pipelines.jobs import BATCH_JOBS_NAME, Job, JobState, JobStore

if TYPE_CHECKING:
    import pyarrow as pa

TABLES_FOLDER = "tables"
_STUDIES_A_PART = 1000
_FAILURE_COLUMNS = ("code", "message", "file")


def write_result_tables(out: Path) -> Path:
    """Write `findings`, `management`, `failures` and `seconds`, and return their folder.

    Each is a folder of Parquet files whose first column, ``study``, is the name of the study's
    folder of results; ``seconds`` has a row a stage that ran, and one for the ``whole`` study.

    Parameters
    ----------
    out : folder of the batch, in which the list of its jobs lies.

    Raises
    ------
    UsageError : ``NO_BATCH_PACKAGES`` without pyarrow.
    InputError : ``BAD_REPORT`` for results of a study that are damaged or no longer there.
    """
    schemas = _schemas()
    place = out / TABLES_FOLDER
    with JobStore(out / BATCH_JOBS_NAME) as store, draft_beside(place) as draft:
        for name in schemas:
            (draft / name).mkdir()
        for number, jobs in enumerate(_parts(store.jobs(JobState.DONE))):
            rows = _rows_of_done(jobs, out)
            for name in ("findings", "management", "seconds"):
                _write(draft / name, number, rows[name], schemas[name])
        for number, jobs in enumerate(_parts(store.jobs(JobState.FAILED))):
            _write(draft / "failures", number, map(_failure_row, jobs), schemas["failures"])
        return put_in_place(draft, lambda: place, is_own=lambda _: True)


def require_table_packages() -> None:
    """Raise, before the work, what :func:`write_result_tables` would raise after it."""
    _schemas()


def _parts(jobs: Iterator[Job]) -> Iterator[list[Job]]:
    while part := list(islice(jobs, _STUDIES_A_PART)):
        yield part


def _rows_of_done(jobs: Iterable[Job], out: Path) -> Mapping[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {"findings": [], "management": [], "seconds": []}
    for job in jobs:
        assert job.outcome is not None
        study = job.outcome["folder"]
        report = read_report(out / study / REPORT_NAME)
        rows["findings"] += [{"study": study, **row} for row in finding_rows(report)]
        rows["management"] += [{"study": study, **_text(row)} for row in advice_rows(report)]
        rows["seconds"] += list(_seconds(study, job.outcome["seconds"]))
    return rows


def _text(row: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: None if cell is None else str(cell) for name, cell in row.items()}


def _seconds(study: str, seconds: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    for stage, each in seconds.items():
        yield {"study": study, "stage": stage, "seconds": each}


def _failure_row(job: Job) -> dict[str, Any]:
    assert job.outcome is not None
    return {"attempts": job.attempts, **{k: job.outcome[k] for k in ("study", *_FAILURE_COLUMNS)}}


def _write(folder: Path, number: int, rows: Iterable[dict[str, Any]], schema: pa.Schema) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(list(rows), schema=schema)
    pq.write_table(table, folder / f"part-{number:05d}.parquet", compression="zstd")


def _schemas() -> Mapping[str, pa.Schema]:
    try:
        import pyarrow as pa
    except ImportError:
        raise UsageError(
            "the tables of a batch need pyarrow",
            code="NO_BATCH_PACKAGES",
            hint="Install nodule[batch].",
        ) from None
    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    study = ("study", pa.string())
    text = pa.string()
    return {
        "findings": pa.schema([study, *((n, kinds[kind]) for n, kind in FINDING_COLUMNS.items())]),
        "management": pa.schema([study, *((name, text) for name in ADVICE_COLUMNS)]),
        "failures": pa.schema(
            [study, *((name, text) for name in _FAILURE_COLUMNS), ("attempts", pa.int64())]
        ),
        "seconds": pa.schema([study, ("stage", text), ("seconds", pa.float64())]),
    }
