"""``nodule evaluate candidates``: false positives on whole scans, sensitivity on a crop set."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.errors import InputError
from pipelines.cli._options import CardOption, DeviceOption, given_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodule.evaluate.nodule_detection.crop_scores import ScoredNodule
    from nodule.evaluate.nodule_detection.detection_evaluation import DetectionEvaluation
    from nodule.evaluate.nodule_detection.scan_detections import ScanResult
    from nodule.weights import Weights

_LOWEST_SCORE = 0.01
_SHOWN = ("texture", "side", "height_mm", "score", "probability")
_PERHAPS_SEEN = (
    "go by a series here and by a number in some network's list, or the reverse: whether it saw "
    "them in training cannot be told"
)


def candidates(
    context: typer.Context,
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    scans: Annotated[
        list[Path],
        typer.Option(
            exists=True,
            help="Whole scans with readings, one or a folder of them: LIDC-IDRI's DICOM and XML, "
            "LUNA16's subsets; may be repeated.",
        ),
    ],
    weights: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A .safetensors file; else the shipped.")
    ] = None,
    fold: Annotated[
        list[int] | None, typer.Option(help="Only nodules of this fold; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Folder for CSV, JSON and PNG."),
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Write the operating points beside the weights.")
    ] = False,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Evaluate training patients too, and say so.")
    ] = False,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws of the patients.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the draws and placements.")] = 0,
    card: CardOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Count false positives on whole scans and find a crop set's nodules; the last line is JSON.

    The scans give the thresholds with 4, 2 and 1 false positives a scan; at these the share of the
    crop set's nodules of 3 mm or more by three readers or more is measured, with 95 % intervals
    over patients. Figures are the chain's, detector and second network together; those under
    "detector" are the detector's alone. Most crops end with their nodule, and so are laid into the
    scans' lungs. Findings by fewer readers, and LUNA16's annotations_excluded.csv, are ignored on
    the scans, as LUNA16 does. Those members of the second network judge that saw none of the
    patients.

    OUT gets the marks as submissions to LUNA16, the chain's (marks.csv) and the detector's
    (detector_marks.csv), with seriesuids.csv: `nodule evaluate froc` scores them against any lists.
    """
    from nodule.candidates.operating import operating_path
    from nodule.candidates.stage import ProposeCandidates
    from nodule.evaluate.leakage import (
        as_listed,
        cannot_be_told,
        patients_of,
        seen_in_training,
        unseen_members,
    )
    from nodule.evaluate.nodule_detection.crop_scores import certain_records
    from nodule.evaluate.nodule_detection.detection_evaluation import detect_both_ways
    from nodule.evaluate.nodule_detection.read_scans import find_read_scans
    from nodule.lungs.stage import SegmentLungs
    from nodule.malignancy.stage import ScoreMalignancy
    from nodule.training.crop_set import CropSet
    from nodule.weights import Weights

    opened = Weights.shipped("candidates") if weights is None else Weights.open(weights)
    stage = ProposeCandidates(weights=opened, score_threshold=_LOWEST_SCORE, device=device)
    lungs, judges = SegmentLungs(device=device), ScoreMalignancy(device=device)
    crops = CropSet.open(data)
    records = certain_records(crops, folds=fold or ())
    _refuse_none(len(records))
    whole = find_read_scans(scans)
    of_scans = patients_of(whole, known=crops.series)
    people = {each.patient_id: crops.series[each.patient_id] for each in records} | of_scans
    members = unseen_members(judges.weights, people, also_called=people)
    networks = (opened, *members)
    seen = seen_in_training(networks, people, also_called=people, allow_seen=allow_seen)
    lungs_saw = seen_in_training([lungs.weights], of_scans, also_called=of_scans, allow_seen=True)
    chain, detector = detect_both_ways(
        whole, crops, records, lungs=lungs, candidates=stage,
        malignancy=replace(judges, weights=members, calibration=None), judges=judges.weights,
        seed=seed,
    )  # fmt: skip
    summary = {
        **chain.summary(draws=draws, seed=seed),
        "detector": detector.summary(draws=draws, seed=seed),
        **_counts(chain.scored),
        "seen_patients": len(seen),
        "perhaps_seen_patients": len(cannot_be_told(networks, people) - seen),
        "patients_lungs_saw": len(lungs_saw),
        "weights": opened.sha256,
        "malignancy_weights": [each.sha256 for each in members],
        "lungs_weights": lungs.weights.sha256,
    }
    if output is not None:
        _write(output, summary, chain, detector)
        _draw(output, summary, chain.results, draws=draws, seed=seed)
    if calibrate:
        chain.table.write(operating_path(opened.path))
    if card:
        patients = as_listed(opened, people)
        _write_card(opened, summary, patients, command=given_command(context))
    _warn(summary, len(whole))
    typer.echo(json.dumps(summary))


def _refuse_none(records: int) -> None:
    if not records:
        raise InputError(
            "no nodule is left to evaluate",
            code="NO_NODULES",
            expected="nodules of 3 mm or more by three readers or more",
            hint="Name other folds with --fold",
        )


def _warn(summary: dict[str, Any], scans: int) -> None:
    seen, perhaps = summary["seen_patients"], summary["perhaps_seen_patients"]
    if seen:
        typer.echo(
            f"{seen} patients were seen in training: these figures are no performance", err=True
        )
    if perhaps:
        typer.echo(f"{perhaps} patients {_PERHAPS_SEEN}", err=True)
    typer.echo(f"false positives were counted on {scans} scans only: mind the intervals", err=True)


def _counts(scored: Sequence[ScoredNodule]) -> dict[str, Any]:
    from nodule.evaluate.nodule_detection.crop_scores import one_per_nodule

    nodules = one_per_nodule(scored)
    return {
        "n_nodules": len(nodules),
        "n_patients": len({each.record.patient_id for each in nodules}),
        "folds": dict(sorted(Counter(str(each.record.fold) for each in nodules).items())),
    }


def _write_card(
    weights: Weights, summary: dict[str, Any], patients: frozenset[str], *, command: str
) -> None:
    from nodule.evaluate.nodule_detection.detection_card import card_notes, card_rows
    from nodule.weights.card_files import write_measured

    folds, perhaps = ", ".join(summary["folds"]), summary["perhaps_seen_patients"]
    write_measured(
        weights,
        heading=f"Nodules found, fold {folds}",
        rows=list(card_rows(summary)),
        command=command,
        measured_on=f"{summary['n_nodules']} nodules of 3 mm or more by three readers or more, of "
        f"{summary['n_patients']} patients of fold {folds}, each laid into the lung of a scan; "
        "found where a mark lies within the radius. Intervals are over patients.",
        patients=patients,
        notes=[
            *card_notes(summary),
            *([f"{perhaps} patients {_PERHAPS_SEEN}."] if perhaps else []),
        ],
    )


def _write(
    folder: Path, summary: dict[str, Any], chain: DetectionEvaluation, detector: DetectionEvaluation
) -> None:
    from nodule.evaluate.nodule_detection.nodule_location import side_of

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "candidates.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    _write_marks(folder / "marks.csv", chain.results)
    _write_marks(folder / "detector_marks.csv", detector.results)
    # a scan without marks is in no submission, and counts
    uids = "".join(f"{result.scan.series_uid}\n" for result in chain.results)
    (folder / "seriesuids.csv").write_text(uids, encoding="utf-8")
    with (folder / "nodules.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("patient_id", "fold", "kind", "nodule", "diameter_mm", *_SHOWN))
        for each in chain.scored:
            record = each.record
            row = (record.patient_id, record.fold, record.kind, record.nodule_key)
            shown = (each.texture, side_of(record), f"{each.height_mm:.2f}")
            scores = (f"{each.score:.5f}", f"{each.probability:.5f}")
            writer.writerow((*row, f"{record.diameter_mm:.2f}", *shown, *scores))


def _write_marks(path: Path, results: Sequence[ScanResult]) -> None:
    from nodule.lidc.luna16 import LunaMark, write_submission

    write_submission(
        path,
        [
            LunaMark(
                series_uid=result.scan.series_uid,
                center_lps_mm=mark.center_lps_mm,
                probability=mark.score,
            )
            for result in results
            for mark in result.marks
        ],
    )


def _draw(
    folder: Path,
    summary: dict[str, Any],
    results: Sequence[ScanResult],
    *,
    draws: int,
    seed: int,
) -> None:
    from nodule.evaluate.nodule_detection.detection_card import card_rows
    from nodule.evaluate.nodule_detection.detection_figures import draw_sensitivities
    from pipelines.cli._evaluate import write_froc

    draw_sensitivities(folder / "sensitivity.png", list(card_rows(summary)))
    if any(result.scan.nodules for result in results):
        write_froc(folder, [result.matches for result in results], draws=draws, seed=seed)
