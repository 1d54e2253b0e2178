"""``nodule review``: a reader's decisions, applied to the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._options import (
    STALE_RULE,
    DeidentifyOption,
    DicomOption,
    DicomWithOption,
    FhirOption,
    IndicationOption,
    PdfOption,
    PersonOption,
    PseudonymKeyOption,
    ReportArgument,
    SettingOption,
    ViewerOption,
    out_option,
)
from pipelines.cli._terminal import say_error

review_app = typer.Typer(help="Apply what readers decided.", no_args_is_help=True)


@review_app.command("apply")
def apply(
    report_json: ReportArgument,
    review_json: Annotated[
        Path,
        typer.Argument(
            metavar="REVIEW_JSON",
            exists=True,
            dir_okay=False,
            help="The review as the page has saved it.",
        ),
    ],
    study: Annotated[
        Path,
        typer.Option(
            metavar="STUDY",
            help="The images, as given to nodule run; the pictures are made from them again.",
        ),
    ],
    out: Annotated[Path, out_option(f"Folder of the reviewed report. {STALE_RULE}")],
    setting: SettingOption = None,
    person: PersonOption = None,
    indication: IndicationOption = None,
    dicom: DicomOption = False,
    dicom_with: DicomWithOption = None,
    fhir: FhirOption = False,
    pdf: PdfOption = False,
    deidentify: DeidentifyOption = False,
    pseudonym_key: PseudonymKeyOption = None,
    viewer: ViewerOption = True,
) -> None:
    """Apply a reader's review to a report: reject, move and add findings.

    Findings that were moved or added are measured from the reader's point, or stated as not
    measurable, and the guidelines are evaluated again. The reviewed report names the reader, the
    time, and the digests of the review and of the report that was read. Facts about the person are
    those of the report unless they are given again. The review of a report without identifiers is
    written without them too.
    """
    from pipelines.request import RunRequest
    from pipelines.reviewing import review_report

    request = RunRequest(
        studies=(study,),
        setting=setting,
        person=person,
        indication=indication,
        dicom=dicom,
        dicom_with=tuple(dicom_with or ()),
        fhir=fhir,
        pdf=pdf,
        deidentify=deidentify,
        pseudonym_key=pseudonym_key,
        viewer=viewer,
    )
    reviewed = review_report(report_json, review_json, request, out=out)
    say_error(
        f"{len(reviewed.findings)} findings stand, {len(reviewed.rejected)} were rejected, "
        f"{len(reviewed.added)} were added: {out / 'report.html'}",
    )
