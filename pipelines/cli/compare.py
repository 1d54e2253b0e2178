"""``nodule compare``: what has become of each nodule since a prior study."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.errors import InputError
from nodule.files import write_whole
from pipelines.cli.options import CacheOption, ConfigOption, DeviceOption
from pipelines.cli.run import StageBars, cache_folder, chosen_stages

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.followup import Exam
    from nodule.followup.record import (
        ChangeRecord,
        ComparisonRecord,
        FigureRecord,
        FindingRecord,
        LoneRecord,
    )
    from pipelines.cache import Cache
    from pipelines.flows import Stages

_SIZES = ("long_axis_mm", "short_axis_mm", "effective_diameter_mm", "volume_mm3", "texture")
_PLACE = ("id", "slice_number", "instance_number", *_SIZES)
_COLUMNS = (
    "status",
    *(f"{when}_{name}" for when in ("current", "prior") for name in _PLACE),
    "days",
    "volume_change_mm3",
    "volume_change_percent",
    "volume_change_low_percent",
    "volume_change_high_percent",
    "diameter_change_mm",
    "growth",
    "doubling_time_days",
    "doubling_time_low_days",
    "doubling_time_high_days",
    "distance_mm",
    "ambiguous",
    "covered",
    "notes",
)
_HEADINGS = ("now", "before", "status", "volume mm³", "change", "doubling, days", "notes")


def compare(
    current: Annotated[Path, typer.Argument(help="The study in question, as for a run.")],
    prior: Annotated[Path, typer.Argument(help="An earlier study of the same patient.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the results.")],
    config: ConfigOption = None,
    current_series: Annotated[
        str | None, typer.Option(help="SeriesInstanceUID, where there are several.")
    ] = None,
    prior_series: Annotated[str | None, typer.Option(help="The same for the prior study.")] = None,
    cache: CacheOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Match the nodules of two studies and say which are new, resolved, grown or stable.

    Writes OUT/comparison.json and OUT/comparison.csv. The last line on stdout is a JSON summary.
    """
    from rich.console import Console

    from nodule.ct import inventory
    from nodule.followup import compare_exams, days_between
    from nodule.followup.record import record_comparison
    from pipelines.cache import Cache

    stages = chosen_stages(config, device=device)
    now = inventory(current).choose(current_series)
    then = inventory(prior).choose(prior_series)
    days_between(current=now.patient, prior=then.patient)  # refused before hours are spent
    store = Cache(cache_folder(cache))
    exams = [
        _examine(series, name, stages=stages, cache=store)
        for series, name in ((now, current.name), (then, prior.name))
    ]
    record = record_comparison(
        compare_exams(current=exams[0], prior=exams[1]),
        current=exams[0],
        prior=exams[1],
        current_sha256=now.digest,
        prior_sha256=then.digest,
    )
    _write(out, record)
    _print_table(Console(), record)
    typer.echo(json.dumps(summary(record, out)))


def summary(record: ComparisonRecord, folder: Path) -> dict[str, Any]:
    """Return what the last line of stdout says: counts, and nothing of the patient."""
    return {
        "folder": str(folder),
        "matched": len(record.changes),
        "new": len(record.new),
        "resolved": len(record.resolved),
        "growth": dict(sorted(Counter(c.growth or "not measured" for c in record.changes).items())),
        "days": record.days,
        "warnings": [warning.code for warning in record.warnings],
    }


def comparison_csv(record: ComparisonRecord) -> str:
    """Return a row a nodule as RFC 4180 text; text that a spreadsheet would run is disarmed."""
    from nodule.report.tables import safe_cell

    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval=None)
    writer.writeheader()
    for row in _rows(record):
        writer.writerow({name: safe_cell(cell) for name, cell in row.items()})
    return text.getvalue()


def _examine(series: SeriesSource, title: str, *, stages: Stages, cache: Cache) -> Exam:
    from rich.console import Console

    from nodule.followup import Exam
    from pipelines.flows import detect

    with StageBars(Console(stderr=True), title) as bars:
        found = detect(series, stages=stages, cache=cache, listen=bars.show)
    return Exam(
        study=found.study, lungs=found.lungs, findings=found.findings, patient=found.patient
    )


def _rows(record: ComparisonRecord) -> Iterator[dict[str, Any]]:
    for change in record.changes:
        yield {"status": "matched", "days": record.days, **_change_cells(change)}
    for status, when, lone in _lone(record):
        yield {
            "status": status,
            "days": record.days,
            **_finding_cells(when, lone.finding),
            "ambiguous": lone.ambiguous,
            "covered": lone.covered,
        }


def _lone(record: ComparisonRecord) -> Iterator[tuple[str, str, LoneRecord]]:
    for each in record.new:
        yield "new", "current", each
    for each in record.resolved:
        yield "resolved", "prior", each


def _change_cells(change: ChangeRecord) -> dict[str, Any]:
    return {
        **_finding_cells("current", change.current),
        **_finding_cells("prior", change.prior),
        "volume_change_mm3": change.volume_change_mm3,
        **_figure_cells("volume_change", "percent", change.volume_change),
        "diameter_change_mm": change.diameter_change_mm,
        "growth": change.growth,
        **_figure_cells("doubling_time", "days", change.doubling_time),
        "distance_mm": change.distance_mm,
        "ambiguous": change.ambiguous,
        "covered": True,
        "notes": " ".join(change.notes),
    }


def _finding_cells(when: str, finding: FindingRecord) -> dict[str, Any]:
    return {f"{when}_{name}": getattr(finding, name) for name in _PLACE}


def _figure_cells(name: str, unit: str, figure: FigureRecord | None) -> dict[str, Any]:
    if figure is None:
        return {}
    return {
        f"{name}_{unit}": figure.value,
        f"{name}_low_{unit}": figure.low,
        f"{name}_high_{unit}": figure.high,
    }


def _write(folder: Path, record: ComparisonRecord) -> None:
    """Write both files, each whole or not at all, the record last."""
    contents = {
        "comparison.csv": comparison_csv(record).encode("utf-8-sig"),  # so that Excel reads UTF-8
        "comparison.json": f"{record.model_dump_json(indent=2)}\n".encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_whole(folder / name, content)
    except OSError as error:
        raise InputError(
            "the results cannot be written", code="DISK_FAILED", got=error.strerror
        ) from error


def _print_table(console: Any, record: ComparisonRecord) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(*_HEADINGS)
    for change in record.changes:
        table.add_row(*map(escape, _change_line(change)))
    for status, when, lone in _lone(record):
        ids = (lone.finding.id, "") if when == "current" else ("", lone.finding.id)
        doubts = [] if lone.covered else ["outside the other scan"]
        doubts += ["ambiguous"] * lone.ambiguous
        table.add_row(*ids, status, _volume(lone.finding), "", "", escape(", ".join(doubts)))
    console.print(table)
    for warning in record.warnings:
        console.print(f"{warning.code}: {escape(warning.message)}", highlight=False)


def _change_line(change: ChangeRecord) -> tuple[str, ...]:
    percent = change.volume_change
    doubts = ["ambiguous"] * change.ambiguous + list(change.notes)
    return (
        change.current.id,
        change.prior.id,
        change.growth or "matched",
        f"{_volume(change.prior)} → {_volume(change.current)}",
        "" if percent is None or percent.value is None else f"{percent.value:+.0f} %",
        _doubling(change.doubling_time),
        " ".join(doubts),
    )


def _volume(finding: FindingRecord) -> str:
    return "not measured" if finding.volume_mm3 is None else f"{finding.volume_mm3:.0f}"


def _doubling(figure: FigureRecord | None) -> str:
    if figure is None:
        return ""
    value, low, high = ("never" if v is None else f"{v:.0f}" for v in _values(figure))
    return f"{value} ({low} to {high})"


def _values(figure: FigureRecord) -> tuple[float | None, float | None, float | None]:
    return figure.value, figure.low, figure.high
