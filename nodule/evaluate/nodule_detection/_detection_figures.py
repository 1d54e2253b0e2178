"""The figures of a detector, as JSON holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nodule.evaluate._estimate import Estimate
from nodule.evaluate._evaluation_result import EvaluationScope
from nodule.nodules import Lung, LungZone


@dataclass(frozen=True, kw_only=True)
class FoundCount:
    """How many nodules there are, and how many of them are found."""

    n: int
    found: int


@dataclass(frozen=True, kw_only=True)
class OperatingPointFigures:
    """A detector at one rate of false positives.

    Parameters
    ----------
    threshold : the score asked for.
    fp_per_scan : false positives counted on the whole scans, with their exact Poisson interval.
    sensitivity : of the crop set's nodules, over patients.
    by_size_mm, by_texture, by_side, by_crop_height_mm : the same by group.
    by_crop : by kind of crop; a nodule with several crops counts in each.
    scan_nodules : nodules of the whole scans that must be found.
    scan_nodules_by_location : these by side, lung zone and distance to the pleura.
    """

    threshold: float
    fp_per_scan: Estimate
    sensitivity: Estimate
    by_size_mm: Mapping[str, Estimate]
    by_texture: Mapping[str, Estimate]
    by_side: Mapping[str, Estimate]
    by_crop_height_mm: Mapping[str, Estimate]
    by_crop: Mapping[str, Estimate]
    scan_nodules: FoundCount
    scan_nodules_by_location: Mapping[str, FoundCount]


@dataclass(frozen=True, kw_only=True)
class ScanNoduleFigures:
    """A nodule of a whole scan that any reader outlined.

    Parameters
    ----------
    readers, diameter_mm : how many outlined it, and its size.
    side, lung_zone, pleura_mm : where in the lungs it lies, None far from any.
    rank, score : of its best hit, None where it was missed.
    distance_mm : to that hit, or to the nearest detection.
    """

    readers: int
    diameter_mm: float
    side: Lung | None
    lung_zone: LungZone | None
    pleura_mm: float | None
    rank: int | None
    score: float | None
    distance_mm: float | None


@dataclass(frozen=True, kw_only=True)
class ScanFigures:
    """A whole scan: its detections, what they are worth, and its nodules."""

    scan: str
    series_uid: str
    detections: int
    false_positives: int
    ignored: int
    nodules: tuple[ScanNoduleFigures, ...]


@dataclass(frozen=True, kw_only=True)
class DetectorFigures:
    """One of the two scores: operating points by false positives per scan, and the scans."""

    operating_points: Mapping[str, OperatingPointFigures]
    scans: tuple[ScanFigures, ...]


@dataclass(frozen=True, kw_only=True)
class DetectionFigures:
    """All figures of an evaluation of detection.

    Parameters
    ----------
    scope : what was evaluated.
    n_nodules, n_patients : of the crop set.
    folds : its nodules by fold.
    patients_lungs_saw : patients of the scans whom the lung network saw in training.
    chain : by the probability after false-positive reduction.
    detector : by the detector's score alone.
    """

    scope: EvaluationScope
    n_nodules: int
    n_patients: int
    folds: Mapping[str, int]
    patients_lungs_saw: int
    chain: DetectorFigures
    detector: DetectorFigures
