"""``nodule evaluate candidates``: false positives on whole scans, sensitivity on a crop set."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nodule.errors import InputError
from nodule.inference import Device
from pipelines.cli.options import DeviceOption

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nodule.candidates.operating import OperatingTable
    from nodule.candidates.stage import ProposeCandidates
    from nodule.evaluate.candidates import Found, ScanResult
    from nodule.evaluate.crop_scores import ScoredNodule
    from nodule.lungs.stage import SegmentLungs

FP_RATES = (4.0, 2.0, 1.0)
_LOWEST_SCORE = 0.01
_SHOWN = ("texture", "height_mm", "score")


def candidates(
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A crop set's folder.")],
    scans: Annotated[
        list[Path],
        typer.Option(exists=True, help="A whole study, readers' XML beside it; may be repeated."),
    ],
    weights: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A .safetensors file; else the shipped.")
    ] = None,
    fold: Annotated[
        list[int] | None, typer.Option(help="Only nodules of this fold; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="Folder for CSV and JSON.")
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Write the operating points beside the weights.")
    ] = False,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Evaluate training patients too, and say so.")
    ] = False,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws of the patients.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the draws and placements.")] = 0,
    device: DeviceOption = "auto",
) -> None:
    """Count false positives on whole scans and find a crop set's nodules; the last line is JSON.

    The scans give the thresholds with 4, 2 and 1 false positives a scan; at these the share of the
    crop set's nodules of 3 mm or more by three readers or more is measured, with 95 % intervals
    over patients. A crop shows less than a scan does, a thin stack far less: by_crop_height_mm.
    Findings by fewer readers are ignored on the scans, as LUNA16 does.
    """
    from nodule.candidates.operating import operating_path
    from nodule.evaluate.candidates import calibrate as calibrated
    from nodule.evaluate.candidates import examine
    from nodule.evaluate.crop_scores import certain_records, score_records
    from nodule.evaluate.leakage import seen_in_training
    from nodule.evaluate.scans import load_read_scan, patients_of
    from nodule.lidc.crops import CropSet

    stage, lungs = _stages(weights, device)
    crops = CropSet.open(data)
    records = certain_records(crops, folds=fold or ())
    _refuse_none(len(records))
    of_scans = frozenset[str]().union(*(patients_of(path) for path in scans))
    patients = of_scans.union(record.patient_id for record in records)
    seen = seen_in_training(stage.weights, patients, allow_seen=allow_seen)
    results = [examine(load_read_scan(path), lungs=lungs, candidates=stage) for path in scans]
    table = calibrated(results, candidates=stage)
    scored = score_records(crops, records, candidates=stage, seed=seed)
    summary = {
        **_summary(table, results, scored, draws=draws, seed=seed),
        "seen_patients": len(seen),
        "patients_lungs_saw": len(of_scans & frozenset(lungs.weights.training_patients)),
        "weights": stage.weights.sha256,
        "lungs_weights": lungs.weights.sha256,
    }
    if output is not None:
        _write(output, summary, results, scored)
    if calibrate:
        table.write(operating_path(stage.weights.path))
    _warn(len(seen), len(results))
    typer.echo(json.dumps(summary))


def _stages(weights: Path | None, device: Device) -> tuple[ProposeCandidates, SegmentLungs]:
    from nodule.candidates.stage import ProposeCandidates
    from nodule.lungs.stage import SegmentLungs
    from nodule.weights import Weights

    opened = Weights.shipped("candidates") if weights is None else Weights.open(weights)
    stage = ProposeCandidates(weights=opened, score_threshold=_LOWEST_SCORE, device=device)
    return stage, SegmentLungs(device=device)


def _refuse_none(records: int) -> None:
    if not records:
        raise InputError(
            "no nodule is left to evaluate",
            code="NO_NODULES",
            expected="nodules of 3 mm or more by three readers or more",
            hint="Name other folds with --fold",
        )


def _warn(seen: int, scans: int) -> None:
    if seen:
        typer.echo(
            f"{seen} patients were seen in training: these figures are no performance", err=True
        )
    typer.echo(f"false positives were counted on {scans} scans only: mind the intervals", err=True)


def _at_rate(
    rate: float,
    table: OperatingTable,
    results: Sequence[ScanResult],
    nodules: Sequence[ScoredNodule],
    scored: Sequence[ScoredNodule],
    *,
    draws: int,
    seed: int,
) -> dict[str, Any]:
    from nodule.evaluate.candidates import poisson_interval
    from nodule.evaluate.crop_scores import sensitivity

    threshold = table.threshold_for(rate)
    false = table.false_positives_at(threshold)
    must = [each for result in results for each in result.found if each.nodule.certain]

    def measured(chosen: Sequence[ScoredNodule]) -> dict[str, Any]:
        share = sensitivity(chosen, threshold, draws=draws, seed=seed)
        return {
            "n": len(chosen),
            "sensitivity": share.estimate,
            "interval": [share.lower, share.upper],
        }

    def by(name: Callable[[ScoredNodule], str], among: Sequence[ScoredNodule]) -> dict[str, Any]:
        return {
            group: measured([each for each in among if name(each) == group])
            for group in dict.fromkeys(map(name, among))
        }

    by_size = sorted(nodules, key=lambda each: each.record.diameter_mm)
    by_height = sorted(nodules, key=lambda each: each.height_mm)

    return {
        "threshold": threshold,
        "fp_per_scan": false / table.n_scans,
        "fp_per_scan_interval": poisson_interval(false, scans=table.n_scans),
        "scan_nodules": len(must),
        "scan_nodules_found": sum((each.score or 0.0) >= threshold for each in must),
        **measured(nodules),
        "by_size_mm": by(lambda each: each.size, by_size),
        "by_texture": by(lambda each: each.texture, nodules),
        "by_crop_height_mm": by(lambda each: each.height, by_height),
        "by_crop": by(lambda each: each.record.kind, scored),
    }


def _summary(
    table: OperatingTable,
    results: Sequence[ScanResult],
    scored: Sequence[ScoredNodule],
    *,
    draws: int,
    seed: int,
) -> dict[str, Any]:
    from nodule.evaluate.crop_scores import one_per_nodule

    nodules = one_per_nodule(scored)
    return {
        "operating_points": {
            f"{rate:g}": _at_rate(rate, table, results, nodules, scored, draws=draws, seed=seed)
            for rate in FP_RATES
        },
        "scans": [_scan(result) for result in results],
        "n_nodules": len(nodules),
        "n_patients": len({each.record.patient_id for each in nodules}),
        "folds": dict(sorted(Counter(str(each.record.fold) for each in nodules).items())),
    }


def _scan(result: ScanResult) -> dict[str, Any]:
    return {
        "scan": result.scan.name,
        "marks": len(result.marks),
        "false_positives": len(result.matches.false_positive_scores),
        "ignored": result.matches.n_ignored,
        "nodules": [_found(each) for each in result.found],
    }


def _found(each: Found) -> dict[str, Any]:
    return {
        "readers": each.nodule.readers,
        "diameter_mm": round(each.nodule.diameter_mm, 2),
        "rank": each.rank,
        "score": each.score,
        "distance_mm": None if each.distance_mm is None else round(each.distance_mm, 2),
    }


def _write(
    folder: Path,
    summary: dict[str, Any],
    results: Sequence[ScanResult],
    scored: Sequence[ScoredNodule],
) -> None:
    from nodule.lidc.luna16 import LunaMark, write_submission

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "candidates.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    write_submission(
        folder / "marks.csv",
        [
            LunaMark(
                series_uid=result.scan.study.series.series_instance_uid or result.scan.name,
                center_lps_mm=mark.center_lps_mm,
                probability=mark.score,
            )
            for result in results
            for mark in result.marks
        ],
    )
    with (folder / "nodules.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("patient_id", "fold", "kind", "nodule", "diameter_mm", *_SHOWN))
        for each in scored:
            record = each.record
            row = (record.patient_id, record.fold, record.kind, record.nodule_key)
            shown = (each.texture, f"{each.height_mm:.2f}", f"{each.score:.5f}")
            writer.writerow((*row, f"{record.diameter_mm:.2f}", *shown))
