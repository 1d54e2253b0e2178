"""Marks on whole scans: false positives, and where the readers' nodules rank.

Two lists of marks are held against the readers: the detector's own, and the chain's, which the
second network has judged. What hits and what is ignored is LUNA16's rule, decided in
:mod:`~nodule.evaluate.nodule_detection.luna16_matching`. Whole scans with readings are few; every
rate comes with its exact Poisson interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from nodule.candidates.operating import OperatingTable
from nodule.candidates.stage import ProposeCandidates
from nodule.evaluate.nodule_detection.crop_patches import Host
from nodule.evaluate.nodule_detection.luna16_matching import ScanMatches, match_scan
from nodule.evaluate.nodule_detection.nodule_location import Location, locate
from nodule.evaluate.nodule_detection.read_scans import Marked, ReadScan, load_read_scan
from nodule.findings import Candidate
from nodule.lidc.whole_scans import WholeScan
from nodule.lungs.stage import SegmentLungs
from nodule.malignancy.stage import ScoreMalignancy
from nodule.resample import Resample
from nodule.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Found:
    """How a detector fared on one nodule of a scan.

    Parameters
    ----------
    nodule : what the readers marked.
    location : where in the lungs it lies.
    rank : of its best hit among the scan's marks, from 1; None where it was missed.
    score : of that hit.
    distance_mm : from the nodule's centre to that hit, or to the nearest mark where it was
        missed; None in a scan without marks.
    """

    nodule: Marked
    location: Location
    rank: int | None
    score: float | None
    distance_mm: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class ScanResult:
    """A detector's marks on one scan against its readers.

    Parameters
    ----------
    scan : what was read.
    marks : highest score first.
    matches : what they are worth.
    found : per nodule that any reader outlined.
    """

    scan: ReadScan
    marks: tuple[Candidate, ...]
    matches: ScanMatches
    found: tuple[Found, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Examined:
    """What the networks made of one scan.

    Parameters
    ----------
    detector, chain : the marks by the detector's score, and by the probability of the chain.
    host : the scan as a place to lay crops into, where that was asked for.
    """

    detector: ScanResult
    chain: ScanResult
    host: Host | None


def examine(
    whole: WholeScan,
    *,
    lungs: SegmentLungs,
    candidates: ProposeCandidates,
    malignancy: ScoreMalignancy,
    as_host: bool = True,
) -> Examined:
    """Read one scan and run the chain on it up to the judged candidates.

    Parameters
    ----------
    whole : of :func:`find_read_scans`.
    lungs, candidates, malignancy : stages.
    as_host : whether crops will be laid into it.

    Raises
    ------
    InputError : as :func:`load_read_scan`, the stages and :meth:`Host.of`.
    """
    scan, study = load_read_scan(whole)
    volume = Resample().run(volume=study.volume)
    mask = lungs.run(volume=volume)
    marks = candidates.run(volume=volume, lungs=mask)
    judged = malignancy.run(volume=volume, candidates=marks)
    locations = [locate(nodule, mask) for nodule in scan.outlined]
    by_chain = [replace(each.candidate, score=each.probability) for each in judged]
    return Examined(
        detector=judge_marks(scan, marks, locations=locations),
        chain=judge_marks(scan, by_chain, locations=locations),
        host=Host.of(volume, mask) if as_host else None,
    )


def judge_marks(
    scan: ReadScan, marks: Sequence[Candidate], *, locations: Sequence[Location]
) -> ScanResult:
    """Hold marks, highest score first, against what the readers of a scan marked.

    Parameters
    ----------
    scan, marks : the scan and its marks.
    locations : of the nodules that the readers outlined, in their order.
    """
    matches = match_scan(
        marks_lps_mm=[mark.center_lps_mm for mark in marks],
        scores=[mark.score for mark in marks],
        nodules_lps_mm=[nodule.center_lps_mm for nodule in scan.nodules],
        diameters_mm=[nodule.diameter_mm for nodule in scan.nodules],
        excluded_lps_mm=[mark.center_lps_mm for mark in scan.ignored],
        excluded_diameters_mm=[mark.diameter_mm for mark in scan.ignored],
    )
    return ScanResult(
        scan=scan,
        marks=tuple(marks),
        matches=matches,
        found=tuple(
            _find(nodule, location, marks)
            for nodule, location in zip(scan.outlined, locations, strict=True)
        ),
    )


def calibrate(
    results: Sequence[ScanResult], *, lowest_score: float, weights: Sequence[Weights]
) -> OperatingTable:
    """Return what the scores are worth on these scans.

    Parameters
    ----------
    results : of every scan, those without nodules included.
    lowest_score : of the marks that were looked at.
    weights : of the networks that made the scores; they name the table.
    """
    return OperatingTable.of_false_positives(
        [result.matches.false_positive_scores.tolist() for result in results],
        lowest_score=lowest_score,
        weights_sha256=tuple(each.sha256 for each in weights),
    )


def poisson_interval(count: int, *, scans: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval (Garwood 1936) of a count of events, per scan."""
    tail = (1.0 - confidence) / 2.0
    lower = stats.chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    upper = stats.chi2.ppf(1.0 - tail, 2 * count + 2) / 2
    return float(lower) / scans, float(upper) / scans


def _find(nodule: Marked, location: Location, marks: Sequence[Candidate]) -> Found:
    distances = [
        float(np.linalg.norm(np.subtract(mark.center_lps_mm, nodule.center_lps_mm)))
        for mark in marks
    ]
    hit = next((i for i, mm in enumerate(distances) if mm < nodule.diameter_mm / 2), None)
    return Found(
        nodule=nodule,
        location=location,
        rank=None if hit is None else hit + 1,
        score=None if hit is None else marks[hit].score,
        distance_mm=min(distances, default=None) if hit is None else distances[hit],
    )
