"""``nodule dataset lidc`` and ``luna16``: crop sets from the public collections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli._options import MarginOption, SetOption
from pipelines.cli._progress import with_bar
from pipelines.cli._summary import finish
from pipelines.cli._terminal import say_error

if TYPE_CHECKING:
    from nodule.training import LidcCollection, Luna16Collection

_SHOWN = 5
CollectionArgument = Annotated[
    Path,
    typer.Argument(
        exists=True, file_okay=False, metavar="DIR", help="Folder of the downloaded collection."
    ),
]


def lidc(source: CollectionArgument, out: SetOption, margin_mm: MarginOption = 20.0) -> None:
    """Crop the nodules of LIDC-IDRI: CT series and readers' XML as TCIA gives them, at any depth.

    The XML may lie beside the images or in a tree of its own; XML files that hold no readings of
    CT are ignored. The last line on stdout is a JSON summary. Exit status 0: all series succeeded;
    1: none did; 3: some failed.
    """
    from nodule.training import LidcCollection

    collection = LidcCollection(source)
    _name_foreign(collection.foreign)
    _cut(collection, out, margin_mm)


def luna16(source: CollectionArgument, out: SetOption, margin_mm: MarginOption = 20.0) -> None:
    """Crop the nodules of LUNA16: `subset*/*.mhd` and `annotations.csv`, at any depth.

    LUNA16 gives centres and diameters but no masks or ratings, so those are empty, and each series
    counts as a patient. Folds are the numbers of the subsets. Summary and exit status are those of
    `nodule dataset lidc`.
    """
    from nodule.training import Luna16Collection

    _cut(Luna16Collection(source), out, margin_mm)


def _cut(collection: LidcCollection | Luna16Collection, out: Path, margin_mm: float) -> None:
    from nodule.errors import InputError
    from nodule.training import write_table
    from pipelines.batch import run_batch

    if not collection.inputs:
        raise InputError(
            "there is no series with readings",
            code="NO_SERIES",
            hint="Give the folder of the collection.",
        )
    batch = run_batch(
        with_bar(collection.inputs, "series"),
        lambda path: collection.cut(path, folder=out, margin_mm=margin_mm),
    )
    rows = [row for rows in batch.done for row in rows]
    if batch.done:
        write_table(out, rows)
    finish(batch, {"set": str(out), "series": len(batch.done), "nodules": len(rows)})


def _name_foreign(paths: tuple[Path, ...]) -> None:
    if not paths:
        return
    names = ", ".join(path.name for path in paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    say_error(f"ignored XML that holds no readings of CT: {names}{more}")
