"""How many nodules are found at how many false positives: the evaluation of a detector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nodule.candidates import OperatingTable
from nodule.chain import Chain
from nodule.evaluate._evaluation_result import EvaluationScope
from nodule.evaluate._leakage import cannot_be_told, patients_of, seen_in_training, unseen_members
from nodule.evaluate.nodule_detection._crop_scores import (
    ScoredNodule,
    certain_records,
    score_records,
)
from nodule.evaluate.nodule_detection._read_scans import find_read_scans
from nodule.evaluate.nodule_detection._scan_detections import ScanResult, calibrate, examine
from nodule.lidc import WholeScan
from nodule.progress import Progress, silent
from nodule.training import CropSet, NoduleRecord
from nodule.weights import Weights

_LOWEST_SCORE = 0.01
_MOST_HOSTS = 8  # scans that crops are inserted into, some 150 MB each

Score = Callable[[ScoredNodule], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredDetections:
    """Whole scans and a crop set's nodules, by one of the scores that a detection has.

    Parameters
    ----------
    table : false positives per scan at each score.
    results : the scans.
    scored : the nodules.
    score : which of a nodule's scores is meant.
    """

    table: OperatingTable
    results: Sequence[ScanResult]
    scored: Sequence[ScoredNodule]
    score: Score


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionRun:
    """What the networks found in whole scans and in crops.

    Parameters
    ----------
    chain : by the probability after false-positive reduction.
    detector : by the detector's score alone.
    scope : what was run, on whom; without draws.
    patients_lungs_saw : patients of the scans whom the lung network saw in training.
    """

    chain: ScoredDetections
    detector: ScoredDetections
    scope: EvaluationScope
    patients_lungs_saw: int


def run_detection(
    paths: Iterable[Path],
    crops: CropSet,
    *,
    chain: Chain,
    folds: Sequence[int] = (),
    allow_seen: bool = False,
    seed: int = 0,
    progress: Progress = silent,
) -> DetectionRun:
    """Run the networks over whole scans and a crop set's nodules.

    Those members of the malignancy ensemble reduce false positives that saw none of the patients
    in training, without calibration.

    Parameters
    ----------
    paths : scans with readings, or folders of them; into the first eight of these the crops are
        inserted.
    crops, folds : the nodules, of all folds if none is named.
    chain : the stages, with all members of the malignancy ensemble, which name its table. Of the
        detector every detection is looked at that scores 0.01 or more.
    allow_seen : whether training patients may be evaluated.
    seed : of where nodules are inserted.

    Raises
    ------
    InputError : ``NO_NODULES``, ``NO_READINGS``, ``SEEN_IN_TRAINING``, and as the stages.
    """
    records = certain_records(crops, folds=folds)
    scans = find_read_scans(paths)
    of_scans = patients_of(scans, known=crops.series)
    people = {each.patient_id: crops.series[each.patient_id] for each in records} | of_scans
    members = unseen_members(chain.malignancy.weights, people, also_called=people)
    networks = (chain.candidates.weights, *members)
    seen = seen_in_training(networks, people, also_called=people, allow_seen=allow_seen)
    lungs_saw = seen_in_training(
        [chain.lungs.weights], of_scans, also_called=of_scans, allow_seen=True
    )
    reduced, detector = _detect(
        scans, crops, records, chain=_held_out(chain, members), members=chain.malignancy.weights,
        seed=seed, progress=progress,
    )  # fmt: skip
    return DetectionRun(
        chain=reduced,
        detector=detector,
        scope=EvaluationScope(
            evaluation="candidates",
            patients=len(people),
            weights=_digests(lungs=[chain.lungs.weights], candidates=[chain.candidates.weights])
            | _digests(malignancy=members),
            seen_patients=len(seen),
            perhaps_seen_patients=len(cannot_be_told(networks, people) - seen),
        ),
        patients_lungs_saw=len(lungs_saw),
    )


def _held_out(chain: Chain, members: tuple[Weights, ...]) -> Chain:
    """Return the chain with some members of its ensemble, for detections of any score."""
    return replace(
        chain,
        candidates=replace(chain.candidates, score_threshold=_LOWEST_SCORE),
        malignancy=replace(chain.malignancy, weights=members, calibration=None),
    )


def _digests(**networks: Sequence[Weights]) -> dict[str, tuple[str, ...]]:
    return {stage: tuple(each.sha256 for each in members) for stage, members in networks.items()}


def _detect(
    scans: Sequence[WholeScan],
    crops: CropSet,
    records: Sequence[NoduleRecord],
    *,
    chain: Chain,
    members: Sequence[Weights],
    seed: int,
    progress: Progress,
) -> tuple[ScoredDetections, ScoredDetections]:
    examined = [
        examine(scan, chain=chain, as_host=index < _MOST_HOSTS) for index, scan in enumerate(scans)
    ]
    scored = score_records(
        crops, records, hosts=[each.host for each in examined if each.host],
        candidates=chain.candidates, malignancy=chain.malignancy, seed=seed, progress=progress,
    )  # fmt: skip
    detector = chain.candidates

    def by_score(
        results: Sequence[ScanResult], weights: Sequence[Weights], score: Score
    ) -> ScoredDetections:
        table = calibrate(results, lowest_score=detector.score_threshold, weights=weights)
        return ScoredDetections(table=table, results=results, scored=scored, score=score)

    return (
        by_score(
            [each.chain for each in examined],
            (detector.weights, *members),
            lambda each: each.probability,
        ),
        by_score(
            [each.detector for each in examined], (detector.weights,), lambda each: each.score
        ),
    )
