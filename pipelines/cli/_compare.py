"""``nodule compare``: how each nodule has changed since a prior study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli._options import (
    CacheOption,
    ConfigOption,
    DeidentifyOption,
    DeviceOption,
    DicomOption,
    DicomWithOption,
    EngineOption,
    FhirOption,
    FpPerScanOption,
    IndicationOption,
    NameByOption,
    PdfOption,
    PersonOption,
    PriorSeriesOption,
    PseudonymKeyOption,
    ResultsOption,
    SaliencyOption,
    SettingOption,
    ThresholdOption,
    ViewerOption,
)
from pipelines.cli._run import prepare, run_study
from pipelines.cli._summary import summarise
from pipelines.cli._terminal import in_markup

if TYPE_CHECKING:
    from nodule.findings import AssessedNodule
    from nodule.followup import Change, Comparison, Unmatched
    from nodule.guidelines.result import Figure

_HEADINGS = ("now", "before", "status", "volume mm³", "change", "doubling, days", "notes")


def compare(
    current: Annotated[
        Path, typer.Argument(metavar="CURRENT", help="The current study, as for nodule run.")
    ],
    prior: Annotated[
        Path, typer.Argument(metavar="PRIOR", help="An earlier study of the same patient.")
    ],
    out: ResultsOption,
    config: ConfigOption = None,
    series: Annotated[
        str | None,
        typer.Option(
            "--series",
            "--current-series",
            metavar="UID",
            help="SeriesInstanceUID to read of the current study.",
        ),
    ] = None,
    prior_series: PriorSeriesOption = None,
    setting: SettingOption = None,
    person: PersonOption = None,
    indication: IndicationOption = None,
    cache: CacheOption = None,
    device: DeviceOption = "auto",
    engine: EngineOption = "auto",
    dicom: DicomOption = False,
    dicom_with: DicomWithOption = None,
    fhir: FhirOption = False,
    pdf: PdfOption = False,
    name_by: NameByOption = "folder",
    deidentify: DeidentifyOption = False,
    pseudonym_key: PseudonymKeyOption = None,
    viewer: ViewerOption = True,
    explain: SaliencyOption = False,
    fp_per_scan: FpPerScanOption = None,
    threshold: ThresholdOption = None,
) -> None:
    """Match the nodules of two studies and say which are new, resolved, growing or stable.

    Writes the same report as nodule run CURRENT --prior PRIOR, and prints the comparison as a
    table. The last line on stdout is a JSON summary.
    """
    from rich.console import Console

    from pipelines.request import RunRequest

    request = RunRequest(
        studies=(current,),
        series_uid=series,
        prior=prior,
        prior_series_uid=prior_series,
        setting=setting,
        person=person,
        indication=indication,
        dicom=dicom,
        dicom_with=tuple(dicom_with or ()),
        fhir=fhir,
        pdf=pdf,
        name_by=name_by,
        deidentify=deidentify,
        pseudonym_key=pseudonym_key,
        viewer=viewer,
        saliency="malignancy" if explain else None,
        fp_per_scan=fp_per_scan,
        threshold=threshold,
        config=config,
        cache=cache,
        device=device,
        engine=engine,
    )
    prepare(request)
    done = run_study(current, request, out=out)
    assert done.comparison is not None  # a prior study was given
    _print_table(Console(), done.comparison)
    summarise(summary(done.comparison, done.folder))


def summary(record: Comparison, folder: Path) -> dict[str, Any]:
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


def _unmatched(record: Comparison) -> Iterator[tuple[str, str, Unmatched]]:
    for each in record.new:
        yield "new", "current", each
    for each in record.resolved:
        yield "resolved", "prior", each


def _print_table(console: Any, record: Comparison) -> None:
    from rich.table import Table

    table = Table(*_HEADINGS)
    for change in record.changes:
        table.add_row(*map(in_markup, _change_line(change)))
    for status, when, each in _unmatched(record):
        ids = (each.finding.nodule.id, "") if when == "current" else ("", each.finding.nodule.id)
        doubts = [] if each.covered else ["outside the other scan"]
        doubts += ["ambiguous"] * each.ambiguous
        table.add_row(*ids, status, _volume(each.finding), "", "", in_markup(", ".join(doubts)))
    console.print(table)
    for warning in record.warnings:
        console.print(f"{warning.code}: {in_markup(warning.message)}", highlight=False)


def _change_line(change: Change) -> tuple[str, ...]:
    percent = change.volume_change
    doubts = ["ambiguous"] * change.ambiguous + list(change.notes)
    return (
        change.current.nodule.id,
        change.prior.nodule.id,
        change.growth or "matched",
        f"{_volume(change.prior)} → {_volume(change.current)}",
        "" if percent is None or percent.value is None else f"{percent.value:+.0f} %",
        _doubling(change.doubling_time),
        " ".join(doubts),
    )


def _volume(finding: AssessedNodule) -> str:
    measured = finding.nodule.measurement
    if measured is None or measured.volume_mm3 is None:
        return "not measurable"
    return f"{measured.volume_mm3:.0f}"


def _doubling(figure: Figure | None) -> str:
    if figure is None:
        return ""
    value, low, high = ("never" if v is None else f"{v:.0f}" for v in _values(figure))
    return f"{value} ({low} to {high})"


def _values(figure: Figure) -> tuple[float | None, float | None, float | None]:
    return figure.value, figure.low, figure.high
