"""``nodule run``: studies in, reports out."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.errors import ConfigError
from nodule.inference import Device
from pipelines.cli._options import (
    STALE_RULE,
    CacheOption,
    ConfigOption,
    DeviceOption,
    DicomOption,
    IndicationOption,
    PdfOption,
    PersonOption,
    PriorOption,
    SeriesOption,
    SettingOption,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from nodule.advice.context import Context
    from nodule.guidelines.facts import Setting
    from pipelines.batch import Batch
    from pipelines.flows import Stages
    from pipelines.process import Processed
    from pipelines.runner import Event

SOME_FAILED = 3


def run(
    studies: Annotated[
        list[Path], typer.Argument(metavar="STUDY...", help="DICOM folders or zips, or images.")
    ],
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help=f"Folder of results, one per study. {STALE_RULE}"),
    ],
    config: ConfigOption = None,
    series: SeriesOption = None,
    prior: PriorOption = None,
    setting: SettingOption = None,
    person: PersonOption = None,
    indication: IndicationOption = None,
    cache: CacheOption = None,
    device: DeviceOption = "auto",
    dicom: DicomOption = False,
    pdf: PdfOption = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show in the report where the networks looked.")
    ] = False,
    fp_per_scan: Annotated[
        float | None,
        typer.Option(help="Report as much as shows so many false findings in a scan."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Lowest probability of a finding instead."),
    ] = None,
) -> None:
    """Find, measure and score nodules, and write a report for each study.

    With --prior the report says what has become of each nodule; with --context it says what
    published rules make of them. The last line on stdout is a JSON summary. Exit status 0: all
    went well; 1: nothing did; 3: some studies failed.
    """
    from rich.console import Console
    from rich.logging import RichHandler

    from pipelines.batch import run_batch
    from pipelines.cache import Cache
    from pipelines.process import PriorStudy, process_study

    refuse_for_many(studies, prior=prior, person=person)
    context = stated(setting=setting, person=person, indication=indication)
    console = Console(stderr=True)
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=console)]
    )
    stages = at_operating_point(
        chosen_stages(config, device=device), fp_per_scan=fp_per_scan, threshold=threshold
    )
    store = Cache(cache_folder(cache))

    def process(path: Path) -> Processed:
        with StageBars(console, path.name) as bars:
            return process_study(
                path,
                series_uid=series,
                prior=PriorStudy(path=prior, listen=bars.show_prior) if prior else None,
                context=context,
                out=out,
                stages=stages,
                cache=store,
                dicom=dicom,
                pdf=pdf,
                explain=explain,
                listen=bars.show,
            )

    batch = run_batch(studies, process)
    for failure in batch.failures:
        typer.echo(f"{failure.file}: {failure.message}", err=True)
    typer.echo(json.dumps(summary(batch)))
    if batch.failures:
        raise typer.Exit(SOME_FAILED if batch.done else 1)


def stated(*, setting: Setting | None, person: Path | None, indication: str | None) -> Context:
    """Put together what the options state besides the images; raises as `read_context`."""
    from nodule.advice.context import read_context

    return read_context(person, setting=setting, indication=indication)


def refuse_for_many(studies: list[Path], *, prior: Path | None, person: Path | None) -> None:
    """Refuse what can be true of one study only.

    Raises
    ------
    ConfigError : ``ONE_STUDY``.
    """
    given = {"--prior": prior, "--person": person}
    names = [name for name, value in given.items() if value is not None]
    if names and len(studies) > 1:
        raise ConfigError(
            f"{' and '.join(names)} cannot hold for several studies",
            code="ONE_STUDY",
            expected="one study",
            got=len(studies),
        )


def chosen_stages(config: Path | None, *, device: Device) -> Stages:
    """Build the detect flow's stages as the options say; raises as `load_stages`."""
    from pipelines.config import load_stages, shipped_config
    from pipelines.flows import detect_stage_types, on_device

    stages: Stages = load_stages(config or shipped_config("detect.toml"), detect_stage_types())
    return stages if device == "auto" else on_device(stages, device)


def at_operating_point(
    stages: Stages, *, fp_per_scan: float | None, threshold: float | None
) -> Stages:
    """Return the stages with the lowest probability of a finding that is asked for.

    False positives are those of the two networks together; the measurement that follows only
    takes marks away.

    Raises
    ------
    ConfigError : ``TWO_OPERATING_POINTS``.
    WeightsError : as :meth:`nodule.candidates.operating.OperatingTable.beside`.
    """
    from nodule.candidates.operating import OperatingTable

    if fp_per_scan is None and threshold is None:
        return stages
    if fp_per_scan is not None and threshold is not None:
        raise ConfigError(
            "two operating points are asked for",
            code="TWO_OPERATING_POINTS",
            hint="Give --fp-per-scan or --threshold",
        )
    if fp_per_scan is not None:
        weights = (stages["candidates"].weights, *stages["malignancy"].weights)
        threshold = OperatingTable.beside(*weights).threshold_for(fp_per_scan)
    return {**stages, "measure": replace(stages["measure"], probability_threshold=threshold)}


def cache_folder(given: Path | None) -> Path:
    """Return the folder that was asked for, or the platform's own for this user."""
    from platformdirs import user_cache_path

    return given or user_cache_path("nodule")


def summary(batch: Batch[Processed]) -> dict[str, Any]:
    """Return what the last line of stdout says."""
    return {
        "done": [
            {
                "study": each.folder.name,
                "file": str(each.file),
                "folder": str(each.folder),
                "findings": each.finding_count,
                "ran": list(each.ran),
            }
            for each in batch.done
        ],
        "failed": [vars(each) for each in batch.failures],
    }


class StageBars:
    """A progress bar for each stage of one study, on stderr from the first event on."""

    def __init__(self, console: Any, title: str) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bars: Progress = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            TextColumn("{task.fields[state]:>7}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._console = console
        self._title = title

    def __enter__(self) -> StageBars:
        return self

    def __exit__(self, *_: object) -> None:
        if self._tasks:  # an error before the first event stands alone
            self._bars.stop()

    def show(self, event: Event) -> None:
        """Draw an event of the runner."""
        self._draw(event, "")

    def show_prior(self, event: Event) -> None:
        """Draw an event of the prior study's run, on bars of its own."""
        self._draw(event, "prior ")

    def _draw(self, event: Event, whose: str) -> None:
        from pipelines.runner import Advanced, Finished, Hit, Started

        match event:
            case Hit(step):
                self._update(whose + step, 1.0, "cached")
            case Started(step):
                self._update(whose + step, 0.0, "")
            case Advanced(step, share):
                self._update(whose + step, share, f"{share:.0%}")
            case Finished(step):
                self._update(whose + step, 1.0, "done")
            case _:  # trouble with the cache is logged
                return

    def _update(self, step: str, share: float, state: str) -> None:
        if not self._tasks:
            self._console.print(self._title, highlight=False, markup=False)
            self._bars.start()
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=1.0, state=state)
        self._bars.update(self._tasks[step], completed=share, state=state)
