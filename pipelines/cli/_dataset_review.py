"""``nodule dataset review``: what readers decided on a report's page, as labels for training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def review(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="As given to nodule run.")],
    report_json: Annotated[
        Path, typer.Argument(metavar="REPORT_JSON", help="Beside the page that was read.")
    ],
    review_json: Annotated[
        list[Path],
        typer.Argument(metavar="REVIEW_JSON...", help="As the page saved them, one a reader."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="SET", help="Crop set.")],
    margin_mm: Annotated[
        float, typer.Option(min=0.0, help="Tissue kept around a place on all sides, mm.")
    ] = 20.0,
    count_as: Annotated[
        int,
        typer.Option(
            min=1,
            max=8,
            help="As how many readings a reader's word counts; the training of candidates is "
            "certain of a nodule from 3 on.",
        ),
    ] = 1,
) -> None:
    """Cut the nodules that readers accepted or added on a report's page, and what all rejected.

    What every reader who judged it rejected teaches training what is no nodule. SET may hold other
    studies already; what it holds of this series is replaced. Persons get pseudonyms, by which
    folds are made. What was left open becomes no label. The last line on stdout is a JSON summary,
    which says what was left out and why.
    """
    from nodule.ct.stage import ReadCt
    from nodule.outputs import read_lungs
    from nodule.review.resegment import Regrower, growth_rules
    from nodule.review.review_file import read_report, read_review
    from nodule.review.training_labels import pseudonym, review_labels
    from nodule.training.crop_set_writing import read_rows, write_stacks, write_table
    from nodule.training.nodule_record import Kind
    from nodule.training.nodule_stack import NoduleStack
    from pipelines.cli._review import series_of

    report = read_report(report_json)
    grower = Regrower(
        study=ReadCt().run(source=series_of(report, study)),
        lungs=read_lungs(report_json.with_name("lungs.nii.gz")),
        rules=growth_rules(report),
    )
    labels = review_labels(
        report,
        [read_review(path) for path in review_json],
        grower=grower,
        count_as=count_as,
        margin_mm=margin_mm,
    )
    person = pseudonym(report)
    series_uid = grower.study.series.series_instance_uid or ""
    written: dict[Kind, tuple[NoduleStack, ...]] = {
        "negative": labels.negatives,
        "stack": labels.stacks,
    }
    for kind, stacks in written.items():
        rows = write_stacks(output, study=grower.study, patient_id=person, stacks=stacks, kind=kind)
        others = [row for row in read_rows(output, kind=kind) if row["series_uid"] != series_uid]
        write_table(output, [*others, *rows], kind=kind)
    summary = {
        "set": str(output),
        "patient": person,
        "nodules": len(labels.stacks),
        "negatives": len(labels.negatives),
        "readings": [stack.n_readers for stack in labels.stacks],
        "left_out": [vars(each) for each in labels.left_out],
    }
    typer.echo(json.dumps(summary))
