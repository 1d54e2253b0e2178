"""``nodule evaluate malignancy``: the networks against the readers of a crop set."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.errors import InputError
from nodule.inference import Precision
from pipelines.cli._options import CardOption, DeviceOption, given_command
from pipelines.cli._progress import bar

if TYPE_CHECKING:
    from nodule.evaluate.leakage import Names
    from nodule.evaluate.malignancy_rating.calibrated_ratings import Assessment, Choose
    from nodule.evaluate.malignancy_rating.crop_predictions import Judgement
    from nodule.weights import Weights

logger = logging.getLogger(__name__)


def malignancy(
    context: typer.Context,
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    folds: Annotated[
        bool,
        typer.Option("--folds", help="Each nodule by the members that never saw its patient."),
    ] = False,
    fold: Annotated[
        list[int] | None, typer.Option(help="Only nodules of this fold; may be repeated.")
    ] = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option(dir_okay=False, help="A member's .safetensors; repeated; else the shipped."),
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="With --folds: write a calibration beside them.")
    ] = False,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Evaluate training patients too, and say so.")
    ] = False,
    min_readers: Annotated[int, typer.Option(min=1, help="Who marked and rated it.")] = 3,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="Folder for all results.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws of the patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    precision: Annotated[Precision, typer.Option(help="As in a run.")] = "auto",
    card: CardOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Agreement of the malignancy networks with radiologists; the last line is JSON.

    All members judge together, and patients whom any of them saw in training are refused. With
    --folds each nodule is judged by those members alone that never saw its patient, and read by a
    calibration that was fitted on the other folds. Benign against malignant is the readers' mean
    rating below 3 against above; exactly 3 is dropped from the two-class figures. Every figure
    comes with its 95 % interval over patients. OUT gets tables, JSON and pictures.
    """
    from nodule.evaluate.malignancy_rating.calibrated_ratings import assess
    from nodule.evaluate.malignancy_rating.calibration_fit import fit
    from nodule.evaluate.malignancy_rating.held_out_panels import Panel, judge_by_panels, panels
    from nodule.evaluate.malignancy_rating.malignancy_evaluation import BootstrapSettings, summarise
    from nodule.evaluate.malignancy_rating.rated_examples import rated_examples
    from nodule.evaluate.malignancy_rating.rating_baselines import outlined
    from nodule.inference import pick_device
    from nodule.malignancy.calibration import calibration_path
    from nodule.training.crop_set import CropSet

    if calibrate and not folds:
        raise InputError(
            "a calibration is fitted on what each member never saw",
            code="CALIBRATE_WITHOUT_FOLDS",
            expected="--folds beside --calibrate",
        )
    members = _members(weights)
    crops = CropSet.open(data)
    patients = {r.patient_id for r in crops.records if not fold or r.fold in fold}
    seen = 0 if folds else _seen(members, patients, crops.series, allow_seen=allow_seen)
    everybody = (Panel(members=members, patients=frozenset(patients)),)
    chosen = panels(members, patients, also_called=crops.series) if folds else everybody
    examples = rated_examples(crops, folds=fold or (), min_readers=min_readers)
    with bar("judging") as told:
        judged, around = judge_by_panels(
            chosen, examples, device=pick_device(device), precision=precision, seed=seed,
            progress=told,
        )  # fmt: skip
    choose, how = _calibration(judged, members, cross=folds)
    found = assess(judged, choose)
    with bar("measuring outlines") as told:
        features = outlined(examples, progress=told)
    summary: dict[str, Any] = {
        **summarise(
            found, choose=choose, features=features, around=around,
            draws=BootstrapSettings(count=draws, seed=seed),
        ),
        "judged_by": "the members that never saw the patient" if folds else "all members",
        "calibration": how,
        "seen_patients": seen,
        "weights": [each.sha256 for each in members],
    }  # fmt: skip
    if output is not None:
        _write(output, found, summary)
    if calibrate:
        fitted = fit(judged, members=summary["weights"])
        fitted.write(calibration_path(members[0].path))
    if card:
        which = f"fold {', '.join(map(str, sorted(fold)))}" if fold else "all patients"
        evaluated = {each.record.patient_id for each in judged}
        _write_card(members, summary, evaluated, which=which, command=given_command(context))
    typer.echo(json.dumps(summary))


def _write_card(
    members: Sequence[Weights],
    summary: dict[str, Any],
    patients: set[str],
    *,
    which: str,
    command: str,
) -> None:
    from nodule.evaluate.malignancy_rating.malignancy_card import card_notes, card_rows
    from nodule.weights.card_files import write_measured_together

    write_measured_together(
        members,
        heading=f"Agreement with readers, {which}",
        rows=list(card_rows(summary)),
        command=command,
        measured_on=f"{summary['n']} nodules of {summary['n_patients']} patients, judged by "
        f"{summary['judged_by']}; calibration: {summary['calibration']}. Intervals are over "
        "patients.",
        patients=patients,
        seen=summary["seen_patients"],
        notes=list(card_notes(summary)),
    )


def _members(files: list[Path] | None) -> tuple[Weights, ...]:
    from nodule.weights import Weights

    if files:
        return tuple(Weights.open(path) for path in files)
    return Weights.shipped_members("malignancy")


def _seen(
    members: Sequence[Weights], patients: set[str], also_called: Names, *, allow_seen: bool
) -> int:
    """Count the patients whom any member saw in training; none, unless allowed."""
    from nodule.evaluate.leakage import seen_in_training

    seen = seen_in_training(members, patients, also_called=also_called, allow_seen=allow_seen)
    if seen:
        logger.warning("%d patients were seen in training; no figure here is honest", len(seen))
    return len(seen)


def _calibration(
    judged: Sequence[Judgement], members: Sequence[Weights], *, cross: bool
) -> tuple[Choose, str]:
    """Return what reads a judgement, and say in words where it comes from."""
    from nodule.evaluate.malignancy_rating.calibration_fit import cross_fit
    from nodule.malignancy.calibration import Calibration, calibration_path

    path = calibration_path(members[0].path)
    if cross or not path.is_file():
        by_patient = cross_fit(judged, members=[each.sha256 for each in members])
        return lambda each: by_patient[each.record.patient_id], "cross-fitted on other folds"
    calibration = Calibration.open(path)
    calibration.check(members)
    return lambda each: calibration, path.name


def _write(folder: Path, found: Assessment, summary: dict[str, Any]) -> None:
    from nodule.evaluate.malignancy_rating.malignancy_evaluation import rows
    from nodule.evaluate.malignancy_rating.malignancy_figures import draw_all

    folder.mkdir(parents=True, exist_ok=True)
    table = list(rows(found))
    with (folder / "nodules.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    (folder / "malignancy.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    draw_all(folder, found)
