"""``nodule review``: a reader's decisions, folded into the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nodule.errors import InputError

if TYPE_CHECKING:
    from nodule.report import Report
    from nodule.study import Study

review_app = typer.Typer(help="Work with what readers decided.", no_args_is_help=True)


@review_app.command("apply")
def apply(
    report_json: Annotated[
        Path, typer.Argument(metavar="REPORT_JSON", help="Beside the page that was read.")
    ],
    review_json: Annotated[
        Path, typer.Argument(metavar="REVIEW_JSON", help="As the page has saved it.")
    ],
    study: Annotated[
        Path, typer.Option(help="The images, as given to nodule run: pictures are made anew.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the reviewed report.")],
    pdf: Annotated[bool, typer.Option("--pdf", help="Print the page to report.pdf too.")] = False,
) -> None:
    """Fold a review into a report: rejected findings set apart, moved ones moved, added ones in.

    Writes the report's files to OUT, which may be another folder than the first report's. The
    result names reader, time and digests of the review and of the report that was read.
    """
    from nodule.report.pdf import write_pdf
    from nodule.report.review import apply_review, read_report, read_review
    from nodule.report.write import read_lungs, write_report

    report, review = read_report(report_json), read_review(review_json)
    lungs = read_lungs(report_json.with_name("lungs.nii.gz"))
    images = _images_of(report, study)
    reviewed = apply_review(report, review, study=images, lungs=lungs)
    write_report(reviewed, study=images, lungs=lungs, folder=out)
    if pdf:
        write_pdf(out / "report.html")
    typer.echo(
        f"{len(reviewed.findings)} findings stand, {len(reviewed.rejected)} rejected, "
        f"{len(reviewed.added)} added: {out / 'report.html'}",
        err=True,
    )


def _images_of(report: Report, path: Path) -> Study:
    """Read the study of a report, and no other."""
    from nodule.ct import inventory
    from nodule.ct.stage import ReadCt

    series = inventory(path).choose(report.study.series_instance_uid)
    if series.digest != report.provenance.input_sha256:
        raise InputError(
            "these are not the images of the report",
            code="OTHER_IMAGES",
            expected=report.provenance.input_sha256,
            got=series.digest,
            hint="Give the study from which the report was made.",
        )
    return ReadCt().run(source=series)
