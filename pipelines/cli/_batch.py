"""``nodule batch``: an archive in; a folder of results for each study out, and tables of all."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli._options import (
    CacheOption,
    ConfigOption,
    DeviceOption,
    DicomOption,
    FpPerScanOption,
    NameByOption,
    PdfOption,
    SettingOption,
    ThresholdOption,
    ViewerOption,
    out_option,
)
from pipelines.cli._progress import stderr_console
from pipelines.cli._run import prepare
from pipelines.cli._summary import finish

if TYPE_CHECKING:
    from pipelines.batch import BatchProgress

_MINUTE_S = 60
_SILENT_S = 2.0

InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Folders in which studies lie at any depth, single studies, patterns such as "
        "'data/*/CT', URLs of a storage that fsspec knows, or CSV tables with a column study and, "
        "where wanted, a column series.",
    ),
]
BatchFolderOption = Annotated[
    Path,
    out_option(
        "Folder in which each study gets a folder of results, beside tables of all. The same "
        "command goes on where an earlier one stopped."
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        help="Processes that work side by side; 0 works in this one, without Ray. As many as "
        "processors, GPUs and memory allow if not given.",
    ),
]
ThreadsOption = Annotated[
    int, typer.Option("--threads", min=1, help="Processor threads of each worker.")
]
RayAddressOption = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        metavar="HOST:PORT",
        help="A running Ray cluster, whose nodes reach INPUT and DIR by the same paths.",
    ),
]
AttemptsOption = Annotated[
    int,
    typer.Option("--attempts", min=1, help="How often a study is begun whose failure may pass."),
]
StudyLimitOption = Annotated[
    float,
    typer.Option("--study-limit-s", min=1.0, help="Longest that a worker may take for a study."),
]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Do again what was done or set aside before.")
]


def batch(
    inputs: InputsArgument,
    out: BatchFolderOption,
    config: ConfigOption = None,
    setting: SettingOption = None,
    cache: CacheOption = None,
    device: DeviceOption = "auto",
    dicom: DicomOption = False,
    pdf: PdfOption = False,
    viewer: ViewerOption = True,
    name_by: NameByOption = "uid",
    fp_per_scan: FpPerScanOption = None,
    threshold: ThresholdOption = None,
    workers: WorkersOption = None,
    threads: ThreadsOption = 1,
    ray_address: RayAddressOption = None,
    attempts: AttemptsOption = 3,
    study_limit_s: StudyLimitOption = 3600.0,
    again: AgainOption = False,
) -> None:
    """Process a whole archive of studies, several side by side, and write tables of the results.

    What a study's own faults fail is set aside; a lost worker, a full disk or a broken connection
    is tried again. The last line on stdout is a JSON summary. Exit status 0: all studies have
    results; 1: none has; 2: wrong usage; 3: some failed.
    """
    from pipelines.batch import (
        find_studies,
        open_workers,
        require_table_packages,
        run_studies,
        write_result_tables,
    )
    from pipelines.request import RunRequest

    request = RunRequest(
        studies=tuple(map(Path, inputs)),
        setting=setting,
        dicom=dicom,
        pdf=pdf,
        viewer=viewer,
        name_by=name_by,
        fp_per_scan=fp_per_scan,
        threshold=threshold,
        config=config,
        cache=cache,
        device=device,
    )
    prepare(request)
    require_table_packages()
    places = tuple(find_studies(inputs, left_out=out))
    with open_workers(
        request,
        out=out,
        count=workers,
        threads=threads,
        address=ray_address,
        study_limit_s=study_limit_s,
    ) as side_by_side:
        came = run_studies(
            places, side_by_side, out=out, attempts=attempts, again=again, tell=_Teller()
        )
    tables = write_result_tables(out)
    finish(came, {"done": came.done, "tables": str(tables)})


class _Teller:
    """Says on stderr how far a batch is, not more often than one can read."""

    def __init__(self) -> None:
        self._said = -_SILENT_S

    def __call__(self, progress: BatchProgress) -> None:
        now = time.monotonic()
        if progress.waiting and now - self._said < _SILENT_S:
            return
        self._said = now
        ended = progress.done + progress.failed
        text = f"{ended} of {ended + progress.waiting} studies, {progress.failed} set aside"
        text += f"; {progress.per_hour:.0f} an hour"
        if progress.waiting:
            text += f"; {progress.left_s / _MINUTE_S:.0f} min left"
        stderr_console().print(text, markup=False, highlight=False)
