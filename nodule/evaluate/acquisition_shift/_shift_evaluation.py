"""What the chain finds in scans as they are, and as other acquisitions might have shown them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nodule.chain import Chain
from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import EvaluationResult, EvaluationScope, write_csv
from nodule.evaluate._leakage import patients_of, seen_in_training
from nodule.evaluate.acquisition_shift._home_evaluation import AS_IT_IS, acquired, wilson
from nodule.evaluate.luna16_froc._luna16_matching import match_scan
from nodule.evaluate.nodule_detection._read_scans import ReadScan, find_read_scans, load_read_scan
from nodule.evaluate.nodule_detection._scan_detections import poisson_rate
from nodule.followup import lungs_cut
from nodule.home_ground import state_home_ground
from nodule.lidc import WholeScan
from nodule.study import Study
from nodule.volume import LungMask
from nodule.whole_files import write_whole

_COLUMNS = ("acquisition", "scan", "nodules", "found", "false_positives", "off_home", "reasons")


@dataclass(frozen=True, kw_only=True)
class ShiftedScan:
    """What was found in one scan as one acquisition shows it.

    Parameters
    ----------
    acquisition, scan : which.
    nodules : that must be found, and that the image shows.
    found : of them, at the chain's threshold.
    false_positives : at the same threshold.
    reasons : why the study is off home ground, its findings and disease left aside; none where it
        is on it.
    """

    acquisition: str
    scan: str
    nodules: int
    found: int
    false_positives: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ShiftFigures:
    """What one acquisition costs.

    Parameters
    ----------
    found : share of the nodules, with Wilson's interval; None where none is shown.
    lost_points : percentage points less than the same nodules as they are.
    fp_per_scan : false positives, with the exact Poisson interval.
    off_home : share of scans that are called off home ground.
    """

    found: Estimate | None
    lost_points: float | None
    fp_per_scan: Estimate
    off_home: Estimate


@dataclass(frozen=True, kw_only=True)
class ShiftEvaluation:
    """What all acquisitions cost.

    Parameters
    ----------
    scope : what was evaluated.
    threshold : lowest probability of a finding.
    acquisitions : by name; the scans as they are come first.
    """

    scope: EvaluationScope
    threshold: float
    acquisitions: Mapping[str, ShiftFigures]


def evaluate_shift(
    paths: Sequence[Path],
    *,
    chain: Chain,
    store: Path,
    only: Sequence[str] = (),
    seed: int = 0,
    allow_seen: bool = False,
    progress: Callable[[float], None] = lambda _: None,
) -> EvaluationResult[ShiftEvaluation]:
    """Run the chain on scans as other acquisitions might have shown them.

    Parameters
    ----------
    paths : of scans with readings, or of folders of them.
    chain : the stages.
    store : a folder; what is there for the same networks and settings is not done again.
    only : acquisitions to do; none for all. Scans as they are are always done.
    seed : of the noise.
    allow_seen : whether scans of training patients may be evaluated.
    progress : called with the share done.

    Raises
    ------
    InputError : ``SEEN_IN_TRAINING``, and as reading and the stages raise it.
    """
    scans = find_read_scans(paths)
    people = patients_of(scans)
    networks = [chain.lungs.weights, chain.candidates.weights, *chain.malignancy.weights]
    seen = seen_in_training(networks, people, also_called=people, allow_seen=allow_seen)
    rows: list[ShiftedScan] = []
    for number, scan in enumerate(scans, start=1):
        rows.extend(_of_scan(scan, chain, store, only, seed))
        progress(number / len(scans))
    figures = ShiftEvaluation(
        scope=EvaluationScope(
            evaluation="shift",
            patients=len(people),
            weights={
                "lungs": (chain.lungs.weights.sha256,),
                "candidates": (chain.candidates.weights.sha256,),
                "malignancy": tuple(each.sha256 for each in chain.malignancy.weights),
            },
            seen_patients=len(seen),
        ),
        threshold=chain.measure.probability_threshold,
        acquisitions=shift_figures(rows),
    )
    table = [(*_row(each),) for each in rows]
    return EvaluationResult(
        figures=figures, files={"shift.csv": lambda path: write_csv(path, _COLUMNS, table)}
    )


def shift_figures(rows: Sequence[ShiftedScan]) -> dict[str, ShiftFigures]:
    """Sum up scans by acquisition; losses are against the same scans as they are."""
    before = {each.scan: each for each in rows if each.acquisition == AS_IT_IS}
    return {
        name: _figures([each for each in rows if each.acquisition == name], before)
        for name in dict.fromkeys(each.acquisition for each in rows)
    }


def _figures(rows: Sequence[ShiftedScan], before: Mapping[str, ShiftedScan]) -> ShiftFigures:
    nodules, found = sum(each.nodules for each in rows), sum(each.found for each in rows)
    same = [before[each.scan] for each in rows if each.scan in before]
    then, found_then = sum(each.nodules for each in same), sum(each.found for each in same)
    return ShiftFigures(
        found=wilson(found, nodules) if nodules else None,
        lost_points=100.0 * (found_then / then - found / nodules) if then and nodules else None,
        fp_per_scan=poisson_rate(sum(each.false_positives for each in rows), scans=len(rows)),
        off_home=wilson(sum(bool(each.reasons) for each in rows), len(rows)),
    )


def _of_scan(
    whole: WholeScan, chain: Chain, store: Path, only: Sequence[str], seed: int
) -> Iterator[ShiftedScan]:
    scan, study = load_read_scan(whole)
    known = {name: _stored(store, scan.name, name, chain, seed) for name in (AS_IT_IS, *only)}
    if only and all(path.is_file() for path in known.values()):
        yield from map(_read, known.values())
        return
    lungs = chain.on(study).lungs
    for name, shown in acquired(study, lungs, seed=seed):
        path = _stored(store, scan.name, name, chain, seed)
        if path.is_file():
            yield _read(path)
        elif name == AS_IT_IS or not only or name in only:
            row = _run(scan, name, shown, lungs, chain)
            store.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(asdict(row)).encode())
            yield row


def _stored(store: Path, scan: str, name: str, chain: Chain, seed: int) -> Path:
    """Return where a result is kept: another network, version or setting has another place."""
    said = repr((scan, name, seed, chain.records))
    return store / f"{hashlib.sha256(said.encode()).hexdigest()[:24]}.json"


def _read(path: Path) -> ShiftedScan:
    known = json.loads(path.read_text(encoding="utf-8"))
    return ShiftedScan(**{**known, "reasons": tuple(known["reasons"])})


def _run(scan: ReadScan, name: str, shown: Study, lungs: LungMask, chain: Chain) -> ShiftedScan:
    grid = shown.volume.geometry
    nodules, others = (
        [each for each in marked if grid.contains(each.center_lps_mm)]
        for marked in (scan.nodules, scan.ignored)
    )
    least = chain.measure.probability_threshold
    marks = [each for each in chain.on(shown).scored if each.probability >= least]
    matches = match_scan(
        marks_lps_mm=[each.candidate.center_lps_mm for each in marks],
        scores=[each.probability for each in marks],
        nodules_lps_mm=[each.center_lps_mm for each in nodules],
        diameters_mm=[each.diameter_mm for each in nodules],
        excluded_lps_mm=[each.center_lps_mm for each in others],
        excluded_diameters_mm=[each.diameter_mm for each in others],
    )
    home = state_home_ground(
        shown, lungs, whole=not lungs_cut(lungs), finding_count=None, disease=None
    )
    return ShiftedScan(
        acquisition=name,
        scan=scan.name,
        nodules=len(nodules),
        found=int(np.isfinite(matches.nodule_scores).sum()),
        false_positives=len(matches.false_positive_scores),
        reasons=tuple(each.name for each in home.unmet),
    )


def _row(each: ShiftedScan) -> Iterator[object]:
    yield from (each.acquisition, each.scan, each.nodules, each.found, each.false_positives)
    yield from (int(bool(each.reasons)), "; ".join(each.reasons))
