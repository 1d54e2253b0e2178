"""Many studies: one that fails is reported, and the others are processed."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from pipelines.batch._batch_run import (
        RETRIED,
        BatchProgress,
        BatchSummary,
        open_workers,
        run_studies,
    )
    from pipelines.batch._capacity import Forecast, Workload, forecast
    from pipelines.batch._outcomes import (
        Batch,
        Failure,
        coded,
        failure_of,
        run_batch,
        study_name,
    )
    from pipelines.batch._result_tables import require_table_packages, write_result_tables
    from pipelines.batch._study_finder import find_studies
    from pipelines.batch._study_work import StudyDone, work_on

__all__ = [
    "RETRIED",
    "Batch",
    "BatchProgress",
    "BatchSummary",
    "Failure",
    "Forecast",
    "StudyDone",
    "Workload",
    "coded",
    "failure_of",
    "find_studies",
    "forecast",
    "open_workers",
    "require_table_packages",
    "run_batch",
    "run_studies",
    "study_name",
    "work_on",
    "write_result_tables",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_batch_run": ["RETRIED", "BatchProgress", "BatchSummary", "open_workers", "run_studies"],
        "_capacity": ["Forecast", "Workload", "forecast"],
        "_outcomes": ["Batch", "Failure", "coded", "failure_of", "run_batch", "study_name"],
        "_result_tables": ["require_table_packages", "write_result_tables"],
        "_study_finder": ["find_studies"],
        "_study_work": ["StudyDone", "work_on"],
    },
)
