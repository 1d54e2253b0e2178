"""``nodule dataset``: training sets from the public collections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.lidc.luna16 import LunaFinding
    from nodule.lidc.whole_scans import WholeScan
    from nodule.lidc.xml import LidcReadings
    from pipelines.batch import Batch


dataset_app = typer.Typer(help="Build training sets from public data.", no_args_is_help=True)

SOME_FAILED = 3
Rows = list[Mapping[str, object]]
Source = Annotated[Path, typer.Argument(exists=True, file_okay=False, metavar="DIR")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="SET", help="Folder to write.")]
Margin = Annotated[
    float, typer.Option(min=0.0, help="Tissue kept around a nodule on all sides, mm.")
]


@dataset_app.callback()
def _root() -> None:
    """Build training sets from public data."""


@dataset_app.command("lidc")
def dataset_lidc(source: Source, output: Output, margin_mm: Margin = 20.0) -> None:
    """Cut the nodules of LIDC-IDRI: CT series and readers' XML as TCIA gives them, at any depth.

    The XML may lie beside the images or in a tree of its own. The last line on stdout is a JSON
    summary. Exit status 0: all went well; 1: nothing did; 3: some series failed.
    """
    from nodule.lidc.xml import read_lidc_xml
    from pipelines.batch import run_batch

    folders = SeriesFolders(source)
    paths = sorted(path for path in source.rglob("*.xml") if _is_ct_readings(path))

    seen: dict[str, Path] = {}

    def cut(path: Path) -> Rows:
        readings = read_lidc_xml(path)
        _refuse_repeated(readings, path, seen)
        return _cut_lidc(readings, folders.find(readings, near=path.parent), output, margin_mm)

    _finish(output, run_batch(_told(paths), cut), len(paths))


@dataset_app.command("luna16")
def dataset_luna16(source: Source, output: Output, margin_mm: Margin = 20.0) -> None:
    """Cut the nodules of LUNA16: `subset*/*.mhd` and `annotations.csv`, at any depth.

    LUNA16 gives centres and diameters but no masks or ratings, so those are empty, and patients
    are told apart by their series. Folds are the subsets' numbers. Summary and exit status are as
    for `lidc`.
    """
    from nodule.lidc.luna16 import findings_by_series
    from nodule.lidc.whole_scans import find_scans
    from pipelines.batch import run_batch

    scans = {scan.path: scan for scan in find_scans(source) if scan.readings is not None}
    found: dict[str, tuple[LunaFinding, ...]] = {}
    for table in {scan.readings for scan in scans.values() if scan.readings}:
        found |= findings_by_series(table)
    paths = [path for path in scans if path.stem in found]

    def cut(path: Path) -> Rows:
        return _cut_luna16(scans[path], found[path.stem], output, margin_mm)

    _finish(output, run_batch(_told(paths), cut), len(paths))


class SeriesFolders:
    """Finds the folder that holds a series, looking into each folder once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_uid: dict[str, Path] | None = None

    def find(self, readings: LidcReadings, *, near: Path) -> SeriesSource:
        """Return the series read: from the folder ``near`` if it has images, else from any.

        Raises
        ------
        NoduleError : why the series cannot be used, or ``NO_SERIES`` if it is nowhere.
        """
        from nodule.ct import inventory
        from nodule.errors import InputError
        from nodule.lidc.whole_scans import dicom_folders

        series_uid = readings.series_instance_uid
        if any(path.suffix.lower() == ".dcm" for path in near.iterdir()):
            return inventory(near).choose(series_uid or None)
        if self._by_uid is None:
            self._by_uid = {
                header["SeriesInstanceUID"]: folder for folder, header in dicom_folders(self._root)
            }
        if series_uid not in self._by_uid:
            raise InputError(
                "the images of a reading are not there", code="NO_SERIES", expected=series_uid
            )
        return inventory(self._by_uid[series_uid]).choose(series_uid)


def _is_ct_readings(path: Path) -> bool:
    """Return False for the readings of chest radiographs, which lie beside those of CT."""
    with path.open("rb") as stream:
        return b"<IdriReadMessage" not in stream.read(4096)


def _refuse_repeated(readings: LidcReadings, path: Path, seen: dict[str, Path]) -> None:
    from nodule.errors import InputError

    first = seen.setdefault(readings.series_instance_uid, path)
    if first != path:
        raise InputError(
            "two files hold readings of one series",
            code="REPEATED_READINGS",
            got=f"{first.name} and {path.name}",
            hint="Leave one copy of the readers' XML below the folder",
        )


def _cut_lidc(readings: LidcReadings, source: SeriesSource, output: Path, margin_mm: float) -> Rows:
    from nodule.ct import read_source
    from nodule.lidc.consensus import nodules_on
    from nodule.training.crop_set_writing import write_stacks
    from nodule.training.nodule_stack import NoduleStack

    study = read_source(source)
    patient_id = source.patient.patient_id or readings.series_instance_uid
    stacks = [
        NoduleStack.of_lidc(nodule, study=study, margin_mm=margin_mm)
        for nodule in nodules_on(study, readings)
    ]
    return write_stacks(output, study=study, patient_id=patient_id, stacks=stacks)


def _cut_luna16(
    scan: WholeScan, findings: tuple[LunaFinding, ...], output: Path, margin_mm: float
) -> Rows:
    from dataclasses import replace

    from nodule.ct import read_ct
    from nodule.training.crop_set_writing import write_stacks
    from nodule.training.nodule_stack import NoduleStack

    study = read_ct(scan.path)
    # a MetaImage file knows its series by its name only
    named = replace(study, series=replace(study.series, series_instance_uid=scan.patient))
    stacks = [
        NoduleStack.of_place(
            finding.center_lps_mm,
            diameter_mm=finding.diameter_mm or 0.0,
            study=named,
            margin_mm=margin_mm,
        )
        for finding in findings
    ]
    return write_stacks(output, study=named, patient_id=scan.patient, stacks=stacks, fold=scan.fold)


def _told(paths: list[Path]) -> Iterator[Path]:
    """Yield the paths behind a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import track

    yield from track(paths, description="series", console=Console(stderr=True), transient=True)


def _finish(output: Path, batch: Batch[Rows], series: int) -> None:
    from nodule.errors import InputError
    from nodule.training.crop_set_writing import write_table

    if not series:
        raise InputError("no series found", code="NO_SERIES", hint="Give the collection's folder")
    rows = [row for rows in batch.done for row in rows]
    for failure in batch.failures:
        typer.echo(f"{failure.file}: {failure.message}", err=True)
    if batch.done:
        write_table(output, rows)
    summary = {
        "set": str(output),
        "series": len(batch.done),
        "nodules": len(rows),
        "failed": [vars(failure) for failure in batch.failures],
    }
    typer.echo(json.dumps(summary))
    if batch.failures:
        raise typer.Exit(SOME_FAILED if batch.done else 1)
