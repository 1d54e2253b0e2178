"""``nodule dataset review``: readers' decisions about a report, as labels for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._options import MarginOption, ReportArgument, SetOption, StudyArgument
from pipelines.cli._summary import summarise


def review(
    study: StudyArgument,
    report_json: ReportArgument,
    review_json: Annotated[
        list[Path],
        typer.Argument(
            metavar="REVIEW_JSON",
            exists=True,
            dir_okay=False,
            help="The reviews as the page has saved them, one for each reader.",
        ),
    ],
    out: SetOption,
    margin_mm: MarginOption = 20.0,
    count_as: Annotated[
        int,
        typer.Option(
            min=1,
            max=8,
            help="Number of readings that each reader's decision counts as; the detector is "
            "trained on nodules of 3 readings or more.",
        ),
    ] = 1,
) -> None:
    """Crop the nodules that readers accepted or added in a report, and what all readers rejected.

    Findings that every reader who decided on them rejected become negatives. SET may hold other
    studies already; what it holds of this series is replaced. Patients get pseudonyms, by which
    folds are made. Findings without a decision become no label. The last line on stdout is a JSON
    summary, which says what was left out and why.
    """
    from nodule.ct import ReadCt
    from nodule.outputs import read_lungs, read_masks
    from nodule.result_files import NODULES_NAME
    from nodule.review.resegment import Resegmenter, growth_rules
    from nodule.review.review_file import read_report, read_review
    from nodule.review.training_labels import pseudonym, review_labels
    from nodule.training.crop_set_writing import read_rows, write_stacks, write_table
    from nodule.training.nodule_record import Kind
    from nodule.training.nodule_stack import NoduleStack
    from pipelines.cli._review import series_of

    report = read_report(report_json)
    segmenter = Resegmenter(
        study=ReadCt().run(source=series_of(report, study)),
        lungs=read_lungs(report_json.with_name("lungs.nii.gz")),
        rules=growth_rules(report),
    )
    labels = review_labels(
        report,
        [read_review(path) for path in review_json],
        masks=read_masks(report_json.with_name(NODULES_NAME), report=report, study=segmenter.study),
        segmenter=segmenter,
        count_as=count_as,
        margin_mm=margin_mm,
    )
    person = pseudonym(report)
    series_uid = segmenter.study.series.series_instance_uid or ""
    written: dict[Kind, tuple[NoduleStack, ...]] = {
        "negative": labels.negatives,
        "stack": labels.stacks,
    }
    for kind, stacks in written.items():
        rows = write_stacks(out, study=segmenter.study, patient_id=person, stacks=stacks, kind=kind)
        others = [row for row in read_rows(out, kind=kind) if row["series_uid"] != series_uid]
        write_table(out, [*others, *rows], kind=kind)
    summary = {
        "set": str(out),
        "patient": person,
        "nodules": len(labels.stacks),
        "negatives": len(labels.negatives),
        "readings": [stack.n_readers for stack in labels.stacks],
        "left_out": [vars(each) for each in labels.left_out],
    }
    summarise(summary)
