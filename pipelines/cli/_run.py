"""``nodule run``: studies in, reports out."""

from __future__ import annotations

import logging
from dataclasses import replace
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
    PriorOption,
    PriorSeriesOption,
    PseudonymKeyOption,
    ResultsOption,
    SaliencyOption,
    SeriesOption,
    SettingOption,
    ThresholdOption,
    ViewerOption,
)
from pipelines.cli._progress import StageBars, stderr_console, until_shown
from pipelines.cli._summary import finish
from pipelines.cli._terminal import PrintableMessages

if TYPE_CHECKING:
    from pipelines.process import Processed
    from pipelines.request import RunRequest


def run(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY",
            help="Folders or zip archives of DICOM files, DICOMDIRs, NIfTI, MetaImage or NRRD "
            "images, or studies in a DICOMweb archive, such as "
            "https://HOST/dicom-web/studies/UID.",
        ),
    ],
    out: ResultsOption,
    config: ConfigOption = None,
    series: SeriesOption = None,
    prior: PriorOption = None,
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
    """Find, measure and score nodules, and write a report for each study.

    With --prior the report also says how each nodule has changed; with --context it also says
    what published guidelines recommend. The last line on stdout is a JSON summary. Exit status 0:
    all studies succeeded; 1: none did; 2: wrong usage; 3: some failed.
    """
    from pipelines.request import RunRequest

    run_studies(
        RunRequest(
            studies=tuple(studies),
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
        ),
        out=out,
    )


def run_studies(request: RunRequest, *, out: Path) -> None:
    """Write the reports that are asked for, and end as :func:`finish` does."""
    with until_shown("loading"):
        from pipelines.batch import run_batch

        prepare(request)
    batch = run_batch(request.studies, lambda study: run_study(study, request, out=out))
    finish(batch, {"done": [_row(each) for each in batch.done]})


def run_study(study: str | Path, request: RunRequest, *, out: Path) -> Processed:
    """Write one study's report behind progress bars; raises as `fetched` and `process_study`."""
    from pipelines.places import StudyPlace, fetched
    from pipelines.process import process_study

    place = StudyPlace(location=str(study), series_uid=request.series_uid)
    with fetched(place) as path, StageBars(path.name) as bars:
        done = process_study(path, request, out=out, listen=bars.show, listen_prior=bars.show_prior)
        return replace(done, file=str(study))


def prepare(request: RunRequest) -> None:
    """Refuse, before the first study, what concerns all; and show warnings on stderr.

    Raises
    ------
    NoduleError : as the request's stages and context raise it.
    """
    from rich.logging import RichHandler

    handler = RichHandler(console=stderr_console())
    handler.addFilter(PrintableMessages())
    logging.basicConfig(
        level=logging.WARNING,
        format="%(message)s",
        handlers=[handler],
    )
    request.check()


def _row(done: Processed) -> dict[str, Any]:
    return {
        "study": done.folder.name,
        "file": done.file,
        "folder": str(done.folder),
        "findings": done.finding_count,
        "ran": list(done.ran),
    }
