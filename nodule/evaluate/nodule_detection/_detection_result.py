"""From what a detector found to its figures, tables, pictures and card rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import (
    EvaluationResult,
    EvaluationScope,
    FileWriter,
    write_csv,
)
from nodule.evaluate.luna16_froc._froc_evaluation import froc_files
from nodule.evaluate.nodule_detection._crop_scores import ScoredNodule, one_per_nodule, sensitivity
from nodule.evaluate.nodule_detection._detection_evaluation import DetectionRun, ScoredDetections
from nodule.evaluate.nodule_detection._detection_figures import (
    DetectionFigures,
    DetectorFigures,
    FoundCount,
    OperatingPointFigures,
    ScanFigures,
    ScanNoduleFigures,
)
from nodule.evaluate.nodule_detection._nodule_location import side_of
from nodule.evaluate.nodule_detection._read_scans import must_be_found
from nodule.evaluate.nodule_detection._scan_detections import NoduleHit, ScanResult, poisson_rate
from nodule.lidc import LunaMark, write_submission
from nodule.weights.model_card import CardFigure, CardRows
from nodule.whole_files import write_whole

FP_RATES = (4.0, 2.0, 1.0)

_CHAIN, _DETECTOR = "with false-positive reduction", "detector alone"
_COLUMNS = (
    *("patient_id", "fold", "kind", "nodule", "diameter_mm"),
    *("texture", "side", "height_mm", "score", "probability"),
)


def detection_result(
    run: DetectionRun, *, bootstrap: BootstrapSettings
) -> EvaluationResult[DetectionFigures]:
    """Sum up a run.

    Parameters
    ----------
    bootstrap : draws of the patients, and of the scans for the FROC curve.
    """
    nodules = one_per_nodule(run.chain.scored)
    figures = DetectionFigures(
        scope=replace(run.scope, bootstrap=bootstrap),
        n_nodules=len(nodules),
        n_patients=len({each.record.patient_id for each in nodules}),
        folds=dict(sorted(Counter(str(each.record.fold) for each in nodules).items())),
        patients_lungs_saw=run.patients_lungs_saw,
        chain=detector_figures(run.chain, bootstrap=bootstrap),
        detector=detector_figures(run.detector, bootstrap=bootstrap),
    )
    n_scans = len(run.chain.results)
    return EvaluationResult(
        figures=figures,
        files=_files(run, figures, bootstrap=bootstrap),
        card=card_rows(figures),
        warnings=(
            f"false positives were counted on only {n_scans} scans: their intervals are wide",
        ),
    )


def detector_figures(
    detections: ScoredDetections, *, bootstrap: BootstrapSettings
) -> DetectorFigures:
    """Return the figures by one of the scores."""
    return DetectorFigures(
        operating_points={
            f"{rate:g}": _at(detections, rate, bootstrap=bootstrap) for rate in FP_RATES
        },
        scans=tuple(map(_scan, detections.results)),
    )


def card_rows(figures: DetectionFigures) -> CardRows:
    """Return the rows of a model card: sensitivities, then those of the chain by group."""
    folds = ", ".join(figures.folds)
    return CardRows(
        heading=f"Nodules found, fold {folds}",
        measured_on=f"{figures.n_nodules} nodules of 3 mm or more by three readers or more, of "
        f"{figures.n_patients} patients of fold {folds}, each inserted into the lung of a scan; a "
        "nodule is found where a detection lies within its radius. Intervals are over patients.",
        figures=tuple(sensitivity_rows(figures)),
        notes=(*_notes(figures), *(f"{warning}." for warning in _uncertain(figures.scope))),
    )


def sensitivity_rows(figures: DetectionFigures) -> Iterator[CardFigure]:
    """Yield a row for each sensitivity of both scores, then the chain's by kind of nodule."""
    for name, part in ((_CHAIN, figures.chain), (_DETECTOR, figures.detector)):
        for rate, point in part.operating_points.items():
            title = f"{name}: sensitivity at {rate} false positives per scan"
            yield point.sensitivity.card_figure(title)
    rate, most = next(iter(figures.chain.operating_points.items()))
    groups = (
        (most.by_size_mm, "mm"),
        (most.by_texture, ""),
        (most.by_side, "side"),
        (most.by_crop_height_mm, "mm of crop height"),
    )
    for group, unit in groups:
        for kind, measured in group.items():
            title = f"{_CHAIN}, {rate} false positives per scan: {kind} {unit}"
            yield measured.card_figure(title.rstrip())


def _uncertain(scope: EvaluationScope) -> tuple[str, ...]:
    return replace(scope, seen_patients=0).warnings


def _notes(figures: DetectionFigures) -> Iterator[str]:
    """Yield where the false positives were counted, and how the scans' nodules rank."""
    for rate, point in figures.chain.operating_points.items():
        rated, n = point.fp_per_scan, point.fp_per_scan.n
        yield (
            f"{rate} false positives per scan: threshold {point.threshold:.3f}, counted on "
            f"{n} whole scan{'s' if n > 1 else ''} (Poisson interval {rated.low:.1f} to "
            f"{rated.high:.1f})."
        )
    for name, part in ((_CHAIN, figures.chain), (_DETECTOR, figures.detector)):
        for scan in part.scans:
            for each in scan.nodules:
                rank = "missed" if each.rank is None else f"rank {each.rank}"
                yield (
                    f"{scan.scan}, {name}: nodule of {each.diameter_mm} mm by {each.readers} "
                    f"readers: {rank}."
                )


def _at(
    detections: ScoredDetections, rate: float, *, bootstrap: BootstrapSettings
) -> OperatingPointFigures:
    threshold = detections.table.threshold_for(rate)
    nodules = one_per_nodule(detections.scored)

    def measured(chosen: Sequence[ScoredNodule]) -> Estimate:
        return sensitivity(
            chosen, lambda each: detections.score(each) >= threshold, bootstrap=bootstrap
        )

    def by(
        name: Callable[[ScoredNodule], str], among: Sequence[ScoredNodule]
    ) -> dict[str, Estimate]:
        return {
            group: measured([each for each in among if name(each) == group])
            for group in dict.fromkeys(map(name, among))
        }

    by_diameter = sorted(nodules, key=lambda each: each.record.diameter_mm)
    by_height = sorted(nodules, key=lambda each: each.height_mm)
    false = detections.table.false_positives_at(threshold)
    total, by_location = _on_scans(detections.results, threshold)
    return OperatingPointFigures(
        threshold=threshold,
        fp_per_scan=poisson_rate(false, scans=detections.table.n_scans),
        sensitivity=measured(nodules),
        by_size_mm=by(lambda each: each.size, by_diameter),
        by_texture=by(lambda each: each.texture, nodules),
        by_side=by(lambda each: side_of(each.record), nodules),
        by_crop_height_mm=by(lambda each: each.height, by_height),
        by_crop=by(lambda each: each.record.kind, detections.scored),
        scan_nodules=total,
        scan_nodules_by_location=by_location,
    )


def _on_scans(
    results: Sequence[ScanResult], threshold: float
) -> tuple[FoundCount, dict[str, FoundCount]]:
    must = [each for result in results for each in result.found if must_be_found(each.nodule)]
    found = [each for each in must if (each.score or 0.0) >= threshold]
    n_by, found_by = (
        Counter(name for each in nodules for name in each.location.names)
        for nodules in (must, found)
    )
    by_location = {name: FoundCount(n=n, found=found_by[name]) for name, n in n_by.items()}
    return FoundCount(n=len(must), found=len(found)), by_location


def _scan(result: ScanResult) -> ScanFigures:
    return ScanFigures(
        scan=result.scan.name,
        series_uid=result.scan.series_uid,
        detections=len(result.detections),
        false_positives=len(result.matches.false_positive_scores),
        ignored=result.matches.n_ignored,
        nodules=tuple(map(_nodule, result.found)),
    )


def _nodule(each: NoduleHit) -> ScanNoduleFigures:
    pleura_mm, distance_mm = each.location.pleura_mm, each.distance_mm
    return ScanNoduleFigures(
        readers=each.nodule.readers,
        diameter_mm=round(each.nodule.diameter_mm, 2),
        side=each.location.side,
        lung_zone=each.location.lung_zone,
        pleura_mm=None if pleura_mm is None else round(pleura_mm, 1),
        rank=each.rank,
        score=each.score,
        distance_mm=None if distance_mm is None else round(distance_mm, 2),
    )


def _files(
    run: DetectionRun, figures: DetectionFigures, *, bootstrap: BootstrapSettings
) -> dict[str, FileWriter]:
    results = run.chain.results

    def list_series(path: Path) -> None:
        # a scan without detections is in no submission, and counts
        write_whole(path, "".join(f"{each.scan.series_uid}\n" for each in results).encode())

    def draw(path: Path) -> None:
        from nodule.evaluate.nodule_detection._detection_plots import draw_sensitivities

        draw_sensitivities(path, list(sensitivity_rows(figures)))

    curve = any(each.scan.nodules for each in results)
    return {
        "marks.csv": lambda path: _write_submission(path, results),
        "detector_marks.csv": lambda path: _write_submission(path, run.detector.results),
        "seriesuids.csv": list_series,
        "nodules.csv": lambda path: write_csv(path, _COLUMNS, map(_row, run.chain.scored)),
        "sensitivity.png": draw,
    } | (froc_files([each.matches for each in results], bootstrap=bootstrap) if curve else {})


def _row(each: ScoredNodule) -> tuple[object, ...]:
    record = each.record
    return (
        *(record.patient_id, record.fold, record.kind, record.nodule_key),
        *(f"{record.diameter_mm:.2f}", each.texture, side_of(record), f"{each.height_mm:.2f}"),
        *(f"{each.score:.5f}", f"{each.probability:.5f}"),
    )


def _write_submission(path: Path, results: Sequence[ScanResult]) -> None:
    write_submission(
        path,
        [
            LunaMark(
                series_uid=result.scan.series_uid,
                center_lps_mm=each.center_lps_mm,
                probability=each.score,
            )
            for result in results
            for each in result.detections
        ],
    )
