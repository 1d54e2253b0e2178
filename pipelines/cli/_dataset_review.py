"""``nodule dataset review``: readers' decisions about a report, as labels for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._options import (
    MarginOption,
    PseudonymKeyOption,
    ReportArgument,
    SetOption,
    StudyArgument,
)
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
    pseudonym_key: PseudonymKeyOption = None,
) -> None:
    """Crop the nodules that readers accepted or added in a report, and what all readers rejected.

    Findings that every reader who decided on them rejected become negatives. SET may hold other
    studies already; what it holds of this series is replaced. Patients get pseudonyms, by which
    folds are made. Findings without a decision become no label. The last line on stdout is a JSON
    summary, which says what was left out and why.
    """
    from pipelines.reviewing import label_reviews

    done = label_reviews(
        report_json,
        review_json,
        images=study,
        folder=out,
        count_as=count_as,
        margin_mm=margin_mm,
        pseudonym_key=pseudonym_key,
    )
    labels = done.labels
    summarise(
        {
            "set": str(out),
            "patient": done.patient,
            "nodules": len(labels.stacks),
            "negatives": len(labels.negatives),
            "readings": [stack.n_readers for stack in labels.stacks],
            "left_out": [vars(each) for each in labels.left_out],
        }
    )
