"""``nodule check``: what an input holds, and whether it can be read."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.errors import NoduleError
from pipelines.cli._options import StudyArgument
from pipelines.cli._summary import NOTHING_DONE
from pipelines.cli._terminal import in_markup, say_json

if TYPE_CHECKING:
    from nodule.ct import Inventory, SeriesRecord, SeriesSource
    from nodule.study import Study, StudyWarning

_HEADINGS = ("description", "kind", "images", "grid", "verdict")


def check(
    study: StudyArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    lungs: Annotated[
        bool,
        typer.Option(
            "--lungs",
            help="Look for the lungs too, which takes some seconds: nodule run refuses an image "
            "that shows no chest.",
        ),
    ] = False,
) -> None:
    """List the series of a study, which of them nodule run would read, and why others cannot be.

    The chosen series is read to its last voxel. Exit status 0 if that went well, 1 otherwise. No
    patient data are shown.
    """
    from nodule.ct import inventory

    outcome = _read_chosen(inventory(study), lungs=lungs)
    if as_json:
        say_json(json.dumps(_document(outcome), indent=2))
    else:
        _print_tables(outcome)
    if outcome.refusal is not None:
        raise typer.Exit(NOTHING_DONE)


@dataclass(frozen=True, kw_only=True)
class _CheckOutcome:
    """What there is, and either the series that was read or the reason why none could be."""

    found: Inventory
    chosen: SeriesSource | None = None
    refusal: NoduleError | None = None
    warnings: tuple[StudyWarning, ...] = ()


def _read_chosen(found: Inventory, *, lungs: bool) -> _CheckOutcome:
    from nodule.ct import read_source

    try:
        chosen = found.choose()
    except NoduleError as refusal:
        return _CheckOutcome(found=found, refusal=refusal)
    try:
        study = read_source(chosen)
        if lungs:
            _refuse_without_lungs(study)
    except NoduleError as refusal:
        series = (
            replace(record, problems=(refusal,)) if record.uid == chosen.series_uid else record
            for record in found.series
        )
        return _CheckOutcome(found=replace(found, series=tuple(series)), refusal=refusal)
    return _CheckOutcome(found=found, chosen=chosen, warnings=study.warnings)


def _refuse_without_lungs(study: Study) -> None:
    from nodule.chain import Chain

    _ = Chain().on(study).lungs


def _document(outcome: _CheckOutcome) -> dict[str, Any]:
    found, chosen, refusal = outcome.found, outcome.chosen, outcome.refusal
    return {
        "usable": chosen is not None,
        "chosen": chosen and {"series_uid": chosen.series_uid, "reason": chosen.reason},
        "error": refusal and _error(refusal),
        "warnings": [{"code": w.code, "message": w.message} for w in outcome.warnings],
        "series": [_series(record) for record in found.series],
        "ignored": [{"name": i.name, "code": i.code, "message": i.message} for i in found.ignored],
    }


def _series(record: SeriesRecord) -> dict[str, Any]:
    grid = record.geometry
    return {
        "series_uid": record.uid,
        "description": record.description,
        "modality": record.modality,
        "images": record.image_count,
        "shape_zyx": grid and grid.shape_zyx,
        "spacing_zyx_mm": grid and grid.spacing_zyx_mm,
        "verdict": record.verdict,
        "problems": [_error(problem) for problem in record.problems],
    }


def _error(error: NoduleError) -> dict[str, Any]:
    shown = {"what": error.what, "expected": error.expected, "got": error.got, "hint": error.hint}
    return {"code": error.code} | {k: None if v is None else str(v) for k, v in shown.items()}


def _print_tables(outcome: _CheckOutcome) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    found, chosen, refusal = outcome.found, outcome.chosen, outcome.refusal
    console = Console()
    if found.series:
        table = Table(Column("series", overflow="fold"), *_HEADINGS)
        for record in found.series:
            is_chosen = chosen is not None and chosen.series_uid == record.uid
            verdict = "[green]OK, chosen" if is_chosen else _verdict(record)
            table.add_row(*map(in_markup, _cells(record)), verdict)
        console.print(table)
    for code, count in sorted(Counter(i.code for i in found.ignored).items()):
        first = next(i for i in found.ignored if i.code == code)
        more = f" and {count - 1} more" if count > 1 else ""
        console.print(
            f"ignored {code}: {in_markup(first.name)}{more}", highlight=False, soft_wrap=True
        )
    if chosen is not None:
        console.print(f"chosen: {in_markup(chosen.reason)}", highlight=False)
    for warning in outcome.warnings:
        line = f"warning {warning.code}: {in_markup(warning.message)}"
        console.print(line, style="yellow", highlight=False, soft_wrap=True)
    if refusal is not None:
        console.print(in_markup(str(refusal)), style="red", highlight=False, soft_wrap=True)


def _cells(record: SeriesRecord) -> tuple[str, ...]:
    grid = record.geometry
    shape = "" if grid is None else " x ".join(map(str, grid.shape_zyx))
    spacing = "" if grid is None else " x ".join(f"{s:.3g}" for s in grid.spacing_zyx_mm)
    return (
        record.uid or "",
        record.description or "",
        record.modality or record.header.source_format,
        str(record.image_count),
        f"{shape}, {spacing} mm" if grid else "",
    )


def _verdict(record: SeriesRecord) -> str:
    if not record.problems:
        return "[green]OK"
    more = len({problem.code for problem in record.problems}) - 1
    return f"[red]{record.verdict}" + (f" and {more} more" if more else "")
