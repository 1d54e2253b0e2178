"""``nodule check``: what an input holds, and whether it can be read."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.errors import NoduleError
from pipelines.cli._options import StudyArgument
from pipelines.cli._summary import NOTHING_DONE

if TYPE_CHECKING:
    from nodule.ct import Inventory, SeriesRecord, SeriesSource

_HEADINGS = ("description", "kind", "images", "grid", "verdict")


def check(
    study: StudyArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """List the series of a study, which of them nodule run would read, and why others cannot be.

    Exit status 0 if there is a usable series, 1 otherwise. No patient data are shown.
    """
    from nodule.ct import inventory

    found = inventory(study)
    chosen, refusal = _choose(found)
    if as_json:
        typer.echo(json.dumps(_document(found, chosen, refusal), indent=2))
    else:
        _print_tables(found, chosen, refusal)
    if refusal is not None:
        raise typer.Exit(NOTHING_DONE)


def _choose(found: Inventory) -> tuple[SeriesSource | None, NoduleError | None]:
    try:
        return found.choose(), None
    except NoduleError as refusal:
        return None, refusal


def _document(
    found: Inventory, chosen: SeriesSource | None, refusal: NoduleError | None
) -> dict[str, Any]:
    return {
        "usable": chosen is not None,
        "chosen": chosen and {"series_uid": chosen.series_uid, "reason": chosen.reason},
        "error": refusal and _error(refusal),
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


def _print_tables(
    found: Inventory, chosen: SeriesSource | None, refusal: NoduleError | None
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    console = Console()
    if found.series:
        table = Table(Column("series", overflow="fold"), *_HEADINGS)
        for record in found.series:
            is_chosen = chosen is not None and chosen.series_uid == record.uid
            verdict = "[green]OK, chosen" if is_chosen else _verdict(record)
            table.add_row(*map(escape, _cells(record)), verdict)
        console.print(table)
    for code, count in sorted(Counter(i.code for i in found.ignored).items()):
        first = next(i for i in found.ignored if i.code == code)
        more = f" and {count - 1} more" if count > 1 else ""
        console.print(
            f"ignored {code}: {escape(first.name)}{more}", highlight=False, soft_wrap=True
        )
    if chosen is not None:
        console.print(f"chosen: {escape(chosen.reason)}", highlight=False)
    if refusal is not None:
        console.print(escape(str(refusal)), style="red", highlight=False, soft_wrap=True)


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
