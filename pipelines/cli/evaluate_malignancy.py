"""``nodule evaluate malignancy``: the network against the readers of a crop set."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.errors import InputError
from nodule.inference import Precision
from pipelines.cli.options import DeviceOption

if TYPE_CHECKING:
    from nodule.evaluate.ratings import Interval
    from nodule.malignancy.examples import NoduleExample
    from nodule.malignancy.judge import Judgement
    from nodule.weights import Weights


def malignancy(
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    fold: Annotated[
        list[int] | None, typer.Option(help="Only nodules of this fold; may be repeated.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A .safetensors file; else the shipped.")
    ] = None,
    min_readers: Annotated[int, typer.Option(min=1, help="Who marked and rated it.")] = 3,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="CSV, a row a nodule.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws of the patients.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
    precision: Annotated[Precision, typer.Option(help="As in a run.")] = "auto",
    device: DeviceOption = "auto",
) -> None:
    """Agreement of the malignancy network with radiologists; the last line is JSON.

    Patients whom the weights saw in training are left out, and counted. Benign against malignant
    is the readers' mean rating below 3 against above; exactly 3 is dropped from AUC, sensitivity,
    Brier score and calibration. Every figure comes with its 95 % interval over patients.
    """
    from nodule.evaluate.malignancy import (
        agreement,
        context_shift,
        discernment,
        reader_kappa,
    )
    from nodule.inference import pick_device
    from nodule.malignancy.judge import discern, judge
    from nodule.malignancy.predict import Predictor
    from nodule.weights import Weights

    opened = Weights.shipped("malignancy") if weights is None else Weights.open(weights)
    examples, seen = _unseen(data, folds=fold, min_readers=min_readers, weights=opened)
    predictor = Predictor.load(opened, device=pick_device(device), precision=precision)
    judged = judge(predictor, examples)
    places = discern(predictor, examples, seed=seed)
    summary: dict[str, Any] = {
        **_counts(judged),
        **_flat(agreement(judged, draws=draws, seed=seed)),
        "reader_quadratic_weighted_kappa": reader_kappa([each.votes for each in judged]),
        **_flat(context_shift(judged, draws=draws, seed=seed)),
        **_flat(discernment(places, draws=draws, seed=seed)),
        "n_deep_views": int(places.is_nodule.sum()),
        "n_other_places": int((~places.is_nodule).sum()),
        "seen_records_left_out": seen,
        "weights": opened.sha256,
    }
    if output is not None:
        _write(output, judged)
    typer.echo(json.dumps(summary))


def _unseen(
    data: Path, *, folds: list[int] | None, min_readers: int, weights: Weights
) -> tuple[tuple[NoduleExample, ...], int]:
    from nodule.lidc.crops import CropSet
    from nodule.malignancy.examples import load_examples

    crops = CropSet.open(data)
    wanted = [record for record in crops.records if not folds or record.fold in folds]
    trained = frozenset(weights.training_patients)
    unseen = {record for record in wanted if record.patient_id not in trained}
    examples = load_examples(crops, keep=unseen.__contains__)
    chosen = tuple(
        example
        for example in examples
        if example.record.n_readers >= min_readers and any(example.votes["malignancy"])
    )
    if not chosen:
        raise InputError(
            "no nodule is left to evaluate",
            code="NO_NODULES",
            expected=f"{min_readers} readers and a patient unseen in training",
            hint="Name other folds with --fold, or other weights with --weights",
        )
    return chosen, len(wanted) - len(unseen)


def _counts(judged: tuple[Judgement, ...]) -> dict[str, int]:
    means = [each.readers_mean for each in judged]
    return {
        "n": len(judged),
        "n_patients": len({each.record.patient_id for each in judged}),
        "n_benign": sum(mean < 3.0 for mean in means),
        "n_malignant": sum(mean > 3.0 for mean in means),
        "n_dropped_at_3": sum(mean == 3.0 for mean in means),
    }


def _flat(figures: dict[str, Interval]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, figure in figures.items():
        flat[name] = figure.estimate
        flat[f"{name}_interval"] = [figure.lower, figure.upper]
    return flat


def _write(path: Path, judged: tuple[Judgement, ...]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            (
                *("patient_id", "fold", "nodule", "diameter_mm", "votes", "probability"),
                *("network_diameter_mm", *(f"p{rating}" for rating in range(1, 6))),
            )
        )
        writer.writerows(_row(each) for each in judged)


def _row(each: Judgement) -> Iterator[object]:
    yield from (each.record.patient_id, each.record.fold, each.record.nodule_key)
    yield from (f"{each.record.diameter_mm:.2f}", "|".join(map(str, each.votes)))
    yield from (f"{each.probability:.4f}", f"{each.diameter_mm:.2f}")
    yield from (f"{p:.4f}" for p in each.distribution)
