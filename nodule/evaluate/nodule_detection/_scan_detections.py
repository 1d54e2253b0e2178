"""Detections on whole scans: false positives, and the ranks of the readers' nodules.

Two lists of detections are compared with the readers: the detector's own, and those that the
malignancy classifier has given a probability to reduce false positives. What hits and what is
ignored is LUNA16's rule, decided in :mod:`~nodule.evaluate.luna16_froc._luna16_matching`. Whole
scans with readings are few; every rate comes with its exact Poisson interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from nodule.candidates import OperatingTable
from nodule.chain import Chain
from nodule.evaluate._estimate import Estimate
from nodule.evaluate.luna16_froc._luna16_matching import ScanMatches, match_scan
from nodule.evaluate.nodule_detection._crop_patches import HostScan
from nodule.evaluate.nodule_detection._nodule_location import Location, locate
from nodule.evaluate.nodule_detection._read_scans import ReadScan, load_read_scan
from nodule.findings import Candidate
from nodule.lidc import WholeScan
from nodule.training import Annotation
from nodule.weights import Weights


@dataclass(frozen=True, kw_only=True)
class NoduleHit:
    """How a detector ranked one nodule of a scan.

    Parameters
    ----------
    nodule : what the readers marked.
    location : where in the lungs it lies.
    rank : of its best hit among the scan's detections, from 1; None where it was missed.
    score : of that hit.
    distance_mm : from the nodule's centre to that hit, or to the nearest detection where it was
        missed; None in a scan without detections.
    """

    nodule: Annotation
    location: Location
    rank: int | None
    score: float | None
    distance_mm: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class ScanResult:
    """A detector's detections on one scan against its readers.

    Parameters
    ----------
    scan : what was read.
    detections : highest score first.
    matches : what they are worth.
    found : per nodule that any reader outlined.
    """

    scan: ReadScan
    detections: tuple[Candidate, ...]
    matches: ScanMatches
    found: tuple[NoduleHit, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExaminedScan:
    """What the networks found in one scan.

    Parameters
    ----------
    detector, chain : the detections by the detector's score, and by the probability of the chain.
    host : the scan as one that crops are inserted into, where that was asked for.
    """

    detector: ScanResult
    chain: ScanResult
    host: HostScan | None


def examine(
    whole: WholeScan,
    *,
    chain: Chain,
    as_host: bool = True,
) -> ExaminedScan:
    """Read one scan and run the chain on it up to the candidates with a probability.

    Parameters
    ----------
    whole : of :func:`find_read_scans`.
    chain : the stages.
    as_host : whether crops will be inserted into it.

    Raises
    ------
    InputError : as :func:`load_read_scan`, the stages and :meth:`HostScan.of`.
    """
    scan, study = load_read_scan(whole)
    seen = chain.on(study)
    locations = [locate(nodule, seen.lungs) for nodule in scan.outlined]
    by_chain = [replace(each.candidate, score=each.probability) for each in seen.scored]
    return ExaminedScan(
        detector=match_detections(scan, seen.candidates, locations=locations),
        chain=match_detections(scan, by_chain, locations=locations),
        host=HostScan.of(seen.volume, seen.lungs) if as_host else None,
    )


def match_detections(
    scan: ReadScan, detections: Sequence[Candidate], *, locations: Sequence[Location]
) -> ScanResult:
    """Compare detections, highest score first, with what the readers of a scan marked.

    Parameters
    ----------
    scan, detections : the scan and its detections.
    locations : of the nodules that the readers outlined, in their order.
    """
    matches = match_scan(
        marks_lps_mm=[mark.center_lps_mm for mark in detections],
        scores=[mark.score for mark in detections],
        nodules_lps_mm=[nodule.center_lps_mm for nodule in scan.nodules],
        diameters_mm=[nodule.diameter_mm for nodule in scan.nodules],
        excluded_lps_mm=[mark.center_lps_mm for mark in scan.ignored],
        excluded_diameters_mm=[mark.diameter_mm for mark in scan.ignored],
    )
    return ScanResult(
        scan=scan,
        detections=tuple(detections),
        matches=matches,
        found=tuple(
            _find(nodule, location, detections)
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
    lowest_score : of the detections that were looked at.
    weights : of the networks that made the scores; they name the table.
    """
    return OperatingTable.of_false_positives(
        [result.matches.false_positive_scores.tolist() for result in results],
        lowest_score=lowest_score,
        weights_sha256=tuple(each.sha256 for each in weights),
    )


def poisson_rate(count: int, *, scans: int, confidence: float = 0.95) -> Estimate:
    """Return a count of events per scan, with its exact interval (Garwood 1936)."""
    tail = (1.0 - confidence) / 2.0
    low = stats.chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    high = stats.chi2.ppf(1.0 - tail, 2 * count + 2) / 2
    return Estimate(value=count / scans, low=float(low) / scans, high=float(high) / scans, n=scans)


def _find(nodule: Annotation, location: Location, detections: Sequence[Candidate]) -> NoduleHit:
    distances = [
        float(np.linalg.norm(np.subtract(mark.center_lps_mm, nodule.center_lps_mm)))
        for mark in detections
    ]
    hit = next((i for i, mm in enumerate(distances) if mm < nodule.diameter_mm / 2), None)
    return NoduleHit(
        nodule=nodule,
        location=location,
        rank=None if hit is None else hit + 1,
        score=None if hit is None else detections[hit].score,
        distance_mm=min(distances, default=None) if hit is None else distances[hit],
    )
