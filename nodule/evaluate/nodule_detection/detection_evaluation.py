"""How many nodules are found at how many false positives: the figures of a detector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nodule.candidates.operating import OperatingTable
from nodule.candidates.stage import ProposeCandidates
from nodule.evaluate.nodule_detection.crop_scores import (
    ScoredNodule,
    one_per_nodule,
    score_records,
    sensitivity,
)
from nodule.evaluate.nodule_detection.nodule_location import side_of
from nodule.evaluate.nodule_detection.scan_detections import (
    Found,
    ScanResult,
    calibrate,
    examine,
    poisson_interval,
)
from nodule.lidc.whole_scans import WholeScan
from nodule.lungs.stage import SegmentLungs
from nodule.malignancy.stage import ScoreMalignancy
from nodule.progress import Progress, silent
from nodule.training.crop_set import CropSet
from nodule.training.nodule_record import NoduleRecord
from nodule.weights import Weights

FP_RATES = (4.0, 2.0, 1.0)

_MOST_HOSTS = 8  # scans that lend their lung, some 150 MB each

Score = Callable[[ScoredNodule], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionEvaluation:
    """Whole scans and a crop set's nodules, by one of the scores that a mark has.

    Parameters
    ----------
    table : what the score is worth on the scans.
    results : the scans.
    scored : the nodules.
    score : which of a nodule's scores is meant.
    """

    table: OperatingTable
    results: Sequence[ScanResult]
    scored: Sequence[ScoredNodule]
    score: Score

    def summary(self, *, draws: int, seed: int) -> dict[str, Any]:
        """Return ``operating_points`` by false positives a scan, and ``scans``; JSON's types.

        Parameters
        ----------
        draws, seed : of the bootstrap over patients.
        """
        return {
            "operating_points": {
                f"{rate:g}": self._at(rate, draws=draws, seed=seed) for rate in FP_RATES
            },
            "scans": [_scan(result) for result in self.results],
        }

    def _at(self, rate: float, *, draws: int, seed: int) -> dict[str, Any]:
        threshold = self.table.threshold_for(rate)
        false = self.table.false_positives_at(threshold)

        def measured(chosen: Sequence[ScoredNodule]) -> dict[str, Any]:
            share = sensitivity(
                chosen, lambda each: self.score(each) >= threshold, draws=draws, seed=seed
            )
            return {
                "n": len(chosen),
                "sensitivity": share.estimate,
                "interval": [share.lower, share.upper],
            }

        def by(name: Callable[[ScoredNodule], str], among: Sequence[ScoredNodule]) -> Any:
            return {
                group: measured([each for each in among if name(each) == group])
                for group in dict.fromkeys(map(name, among))
            }

        nodules = one_per_nodule(self.scored)
        return {
            "threshold": threshold,
            "fp_per_scan": false / self.table.n_scans,
            "fp_per_scan_interval": poisson_interval(false, scans=self.table.n_scans),
            **self._on_scans(threshold),
            **measured(nodules),
            "by_size_mm": by(
                lambda each: each.size, sorted(nodules, key=lambda each: each.record.diameter_mm)
            ),
            "by_texture": by(lambda each: each.texture, nodules),
            "by_side": by(lambda each: side_of(each.record), nodules),
            "by_crop_height_mm": by(
                lambda each: each.height, sorted(nodules, key=lambda each: each.height_mm)
            ),
            "by_crop": by(lambda each: each.record.kind, self.scored),
        }

    def _on_scans(self, threshold: float) -> dict[str, Any]:
        must = [each for result in self.results for each in result.found if each.nodule.certain]
        found = [each for each in must if (each.score or 0.0) >= threshold]
        n_by, found_by = (
            Counter(name for each in nodules for name in each.location.names)
            for nodules in (must, found)
        )
        return {
            "scan_nodules": len(must),
            "scan_nodules_found": len(found),
            "scan_nodules_by_location": {
                name: {"n": n, "found": found_by[name]} for name, n in n_by.items()
            },
        }


def detect_both_ways(
    scans: Sequence[WholeScan],
    crops: CropSet,
    records: Sequence[NoduleRecord],
    *,
    lungs: SegmentLungs,
    candidates: ProposeCandidates,
    malignancy: ScoreMalignancy,
    judges: Sequence[Weights],
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[DetectionEvaluation, DetectionEvaluation]:
    """Run the networks over whole scans and a crop set's nodules.

    Parameters
    ----------
    scans : with readings; into the first eight of these the crops are laid.
    crops, records : the nodules.
    lungs, candidates, malignancy : stages; the last with members that saw nobody here.
    judges : all members of the ensemble that will use the chain's table; they name it.
    seed : of where nodules are laid.

    Returns
    -------
    The chain's figures, and the detector's alone. Errors as the stages'.
    """
    examined = [
        examine(
            scan, lungs=lungs, candidates=candidates, malignancy=malignancy,
            as_host=index < _MOST_HOSTS,
        )
        for index, scan in enumerate(scans)
    ]  # fmt: skip
    scored = score_records(
        crops, records, hosts=[each.host for each in examined if each.host], candidates=candidates,
        malignancy=malignancy, seed=seed, progress=progress,
    )  # fmt: skip

    def detection(
        results: Sequence[ScanResult], weights: Sequence[Weights], score: Score
    ) -> DetectionEvaluation:
        table = calibrate(results, lowest_score=candidates.score_threshold, weights=weights)
        return DetectionEvaluation(table=table, results=results, scored=scored, score=score)

    return (
        detection(
            [each.chain for each in examined],
            (candidates.weights, *judges),
            lambda each: each.probability,
        ),
        detection(
            [each.detector for each in examined], (candidates.weights,), lambda each: each.score
        ),
    )


def _scan(result: ScanResult) -> dict[str, Any]:
    return {
        "scan": result.scan.name,
        "series_uid": result.scan.series_uid,
        "marks": len(result.marks),
        "false_positives": len(result.matches.false_positive_scores),
        "ignored": result.matches.n_ignored,
        "nodules": [_found(each) for each in result.found],
    }


def _found(each: Found) -> dict[str, Any]:
    return {
        "readers": each.nodule.readers,
        "diameter_mm": round(each.nodule.diameter_mm, 2),
        "side": each.location.side,
        "third": each.location.third,
        "pleura_mm": None if each.location.pleura_mm is None else round(each.location.pleura_mm, 1),
        "rank": each.rank,
        "score": each.score,
        "distance_mm": None if each.distance_mm is None else round(each.distance_mm, 2),
    }
