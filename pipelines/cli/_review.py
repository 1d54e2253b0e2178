"""``nodule review``: a reader's decisions, applied to the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nodule.errors import InputError
from pipelines.cli._options import (
    STALE_RULE,
    DicomOption,
    IndicationOption,
    PdfOption,
    PersonOption,
    ReportArgument,
    SettingOption,
    out_option,
)

if TYPE_CHECKING:
    from nodule.advice.context import Context
    from nodule.ct import SeriesSource
    from nodule.guidelines.facts import Setting
    from nodule.report import Report

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
    pdf: PdfOption = False,
) -> None:
    """Apply a reader's review to a report: reject, move and add findings.

    Findings that were moved or added are measured from the reader's point, or stated as not
    measurable, and the guidelines are evaluated again. The reviewed report names the reader, the
    time, and the digests of the review and of the report that was read. Facts about the person are
    those of the report unless they are given again.
    """
    from nodule.ct import ReadCt
    from nodule.outputs import read_lungs, read_masks, write_report
    from nodule.page.pdf import write_pdf
    from nodule.result_files import NODULES_NAME, remove_stale
    from nodule.review.apply import apply_review
    from nodule.review.review_file import read_report, read_review

    report, review = read_report(report_json), read_review(review_json)
    lungs = read_lungs(report_json.with_name("lungs.nii.gz"))
    series = series_of(report, study)
    images = ReadCt().run(source=series)
    after = apply_review(
        report,
        review,
        study=images,
        lungs=lungs,
        masks=read_masks(report_json.with_name(NODULES_NAME), report=report, study=images),
        context=_restated(report, setting=setting, person=person, indication=indication),
    )
    reviewed, masks = after.report, after.masks
    objects: tuple[Path, ...] = ()
    if dicom:
        from nodule.dicom.objects import write_dicom

        objects = write_dicom(reviewed, masks=masks, lungs=lungs, source=series, folder=out)
    written = write_report(reviewed, study=images, lungs=lungs, masks=masks, folder=out)
    remove_stale(out, written=(*objects, *written))
    if pdf:
        write_pdf(out / "report.html")
    typer.echo(
        f"{len(reviewed.findings)} findings stand, {len(reviewed.rejected)} rejected, "
        f"{len(reviewed.added)} added: {out / 'report.html'}",
        err=True,
    )


def _restated(
    report: Report, *, setting: Setting | None, person: Path | None, indication: str | None
) -> Context:
    """Return what is known now: a new file replaces the old facts, the options single ones."""
    from nodule.advice.context import read_context

    before = report.context
    setting, indication = setting or before.setting, indication or before.indication
    if person is not None:
        return read_context(person, setting=setting, indication=indication)
    return before.model_copy(update={"setting": setting, "indication": indication})


def series_of(report: Report, path: Path) -> SeriesSource:
    """Return the series of a report, and no other.

    Raises
    ------
    InputError : ``OTHER_IMAGES``.
    """
    from nodule.ct import inventory

    series = inventory(path).choose(report.study.series_instance_uid)
    if series.digest != report.provenance.input_sha256:
        raise InputError(
            "these are not the images of the report",
            code="OTHER_IMAGES",
            expected=report.provenance.input_sha256,
            got=series.digest,
            hint="Give the study from which the report was made.",
        )
    return series
