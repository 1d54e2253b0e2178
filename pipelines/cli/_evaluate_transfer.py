"""``nodule evaluate transfer``: whether it helps to have learnt something else before."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.inference import Precision
from pipelines.cli._options import DeviceOption
from pipelines.cli._progress import bar

if TYPE_CHECKING:
    from nodule.evaluate.malignancy_rating.crop_predictions import Judgement


def transfer(
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    fold: Annotated[list[int], typer.Option(help="Nodules of this fold; may be repeated.")],
    tuned: Annotated[
        list[Path], typer.Option(dir_okay=False, help="Fine-tuned weights; one for each seed.")
    ],
    scratch: Annotated[
        list[Path], typer.Option(dir_okay=False, help="Weights from scratch; one for each seed.")
    ],
    min_readers: Annotated[int, typer.Option(min=1, help="Who marked and rated it.")] = 3,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="CSV, a row a nodule.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws of the patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    precision: Annotated[Precision, typer.Option(help="As in a run.")] = "auto",
    device: DeviceOption = "auto",
) -> None:
    """Fine-tuned malignancy networks against those from scratch; the last line is JSON.

    Each network judges alone; a group's AUC is the mean of its networks'. The difference of the
    two is taken on the same nodules, with its 95 % interval over patients. Any weights may be
    compared so. Refused where any of them saw a patient of the fold in training.
    """
    from nodule.evaluate.leakage import seen_in_training
    from nodule.evaluate.malignancy_rating.crop_predictions import judge
    from nodule.evaluate.malignancy_rating.rated_examples import rated_examples
    from nodule.evaluate.malignancy_rating.rating_scale import class_counts
    from nodule.evaluate.malignancy_rating.transfer_evaluation import (
        compare,
        judged_truth,
        member_aucs,
    )
    from nodule.inference import pick_device
    from nodule.malignancy.ensemble import Ensemble
    from nodule.malignancy.predict import Predictor
    from nodule.training.crop_set import CropSet
    from nodule.weights import Weights

    members = [Weights.open(path) for path in (*tuned, *scratch)]
    crops = CropSet.open(data)
    examples = rated_examples(crops, folds=fold, min_readers=min_readers)
    patients = (example.record.patient_id for example in examples)
    seen_in_training(members, patients, also_called=crops.series)
    on = pick_device(device)
    # not Ensemble.load, which would let each see other mirror images
    panel = tuple(Predictor.load(each, device=on, precision=precision) for each in members)
    with bar("judging") as told:
        judged = judge(Ensemble(members=panel), examples, progress=told)
    first, second = range(len(tuned)), range(len(tuned), len(members))
    figures = compare(judged, tuned=first, scratch=second, draws=draws, seed=seed)
    aucs = member_aucs(judged)
    summary: dict[str, Any] = {
        **class_counts(judged_truth(judged), [each.record.patient_id for each in judged]),
        **{name: figure.estimate for name, figure in figures.items()},
        **{f"{name}_interval": [f.lower, f.upper] for name, f in figures.items()},
        "auc_of_each_tuned": [aucs[member] for member in first],
        "auc_of_each_scratch": [aucs[member] for member in second],
        "tuned": [each.sha256 for each in members[: len(tuned)]],
        "scratch": [each.sha256 for each in members[len(tuned) :]],
    }
    if output is not None:
        _write(output, judged, names=[each.sha256[:12] for each in members])
    typer.echo(json.dumps(summary))


def _write(path: Path, judged: Sequence[Judgement], *, names: Sequence[str]) -> None:
    from nodule.evaluate.malignancy_rating.transfer_evaluation import judged_truth, member_suspicion

    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("patient_id", "fold", "nodule", "readers_mean", *names))
        rows = zip(judged, judged_truth(judged), member_suspicion(judged).T, strict=True)
        for each, mean, suspicion in rows:
            record = each.record
            said = (f"{value:.4f}" for value in suspicion)
            writer.writerow(
                (record.patient_id, record.fold, record.nodule_key, f"{mean:.2f}", *said)
            )
