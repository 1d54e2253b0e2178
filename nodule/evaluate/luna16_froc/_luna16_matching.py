"""A detector's marks against the nodules of a scan, by LUNA16's rules.

A mark hits a nodule when it lies strictly nearer to its centre than its radius. Of several hits
on one nodule the best score counts and the others are ignored. A mark that hits no nodule but
an excluded finding is ignored; the rest are false positives. Only the best 100 marks of a scan
are looked at.

References
----------
Setio et al. 2017, Med Image Anal 42:1-13; https://luna16.grand-challenge.org/Evaluation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodule.errors import InputError
from nodule.lidc import UNMEASURED_DIAMETER_MM, LunaFinding, LunaMark

MAX_MARKS = 100

_MISSED = -np.inf
_Row = TypeVar("_Row", LunaFinding, LunaMark)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScanMatches:
    """What a detector's marks on one scan are worth.

    Parameters
    ----------
    nodule_scores : per nodule the best score among its hits, -inf where missed.
    false_positive_scores : scores of the marks that hit nothing.
    n_marks : marks looked at.
    n_ignored : marks on excluded findings.
    n_double : further hits on nodules that were hit already.
    """

    nodule_scores: NDArray[np.float64]
    false_positive_scores: NDArray[np.float64]
    n_marks: int
    n_ignored: int
    n_double: int


def match_scan(
    *,
    marks_lps_mm: ArrayLike,
    scores: ArrayLike,
    nodules_lps_mm: ArrayLike,
    diameters_mm: ArrayLike,
    excluded_lps_mm: ArrayLike = (),
    excluded_diameters_mm: ArrayLike = (),
    max_marks: int = MAX_MARKS,
) -> ScanMatches:
    """Compare marks and truth of one scan; all positions in one frame, shape (n, 3), mm.

    Parameters
    ----------
    marks_lps_mm, scores : the detector's marks.
    nodules_lps_mm, diameters_mm : what is to be found.
    excluded_lps_mm, excluded_diameters_mm : findings that count neither way.
    max_marks : with more marks than this, those scored strictly above the next one are kept.

    Raises
    ------
    InputError : ``NOT_FINITE`` for a position or score that is not a number.
    """
    marks, score = _points(marks_lps_mm), np.asarray(scores, float).ravel()
    if not (np.isfinite(marks).all() and np.isfinite(score).all()):
        raise InputError("a detection has no finite position or score", code="NOT_FINITE")
    if len(score) > max_marks:
        keep = score > np.sort(score)[::-1][max_marks]
        marks, score = marks[keep], score[keep]
    hit = _hits(_points(nodules_lps_mm), diameters_mm, marks)
    on_nodule = hit.any(axis=0)
    on_excluded = _hits(_points(excluded_lps_mm), excluded_diameters_mm, marks).any(axis=0)
    return ScanMatches(
        nodule_scores=np.where(hit, score, _MISSED).max(axis=1, initial=_MISSED),
        false_positive_scores=score[~on_nodule & ~on_excluded],
        n_marks=len(score),
        n_ignored=int((on_excluded & ~on_nodule).sum()),
        n_double=int(np.maximum(hit.sum(axis=1) - 1, 0).sum()),
    )


def match_luna16(
    *,
    series_uids: Sequence[str],
    annotations: Iterable[LunaFinding],
    excluded: Iterable[LunaFinding],
    marks: Iterable[LunaMark],
) -> tuple[ScanMatches, ...]:
    """Match a submission scan by scan, in the order of ``series_uids``; others are left out."""
    nodules, ignore, found = _by_series(annotations), _by_series(excluded), _by_series(marks)
    return tuple(
        match_scan(
            marks_lps_mm=[m.center_lps_mm for m in found[uid]],
            scores=[m.probability for m in found[uid]],
            nodules_lps_mm=[n.center_lps_mm for n in nodules[uid]],
            diameters_mm=[n.diameter_mm or UNMEASURED_DIAMETER_MM for n in nodules[uid]],
            excluded_lps_mm=[e.center_lps_mm for e in ignore[uid]],
            excluded_diameters_mm=[e.diameter_mm or UNMEASURED_DIAMETER_MM for e in ignore[uid]],
        )
        for uid in series_uids
    )


def _by_series(rows: Iterable[_Row]) -> defaultdict[str, list[_Row]]:
    grouped: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        grouped[row.series_uid].append(row)
    return grouped


def _points(positions: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(positions, float).reshape(-1, 3)


def _hits(
    centers: NDArray[np.float64], diameters_mm: ArrayLike, marks: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which finding each mark hits, shape (findings, marks)."""
    squared = ((centers[:, None] - marks[None]) ** 2).sum(axis=-1)
    radius = np.asarray(diameters_mm, float).reshape(-1, 1) / 2.0
    return np.asarray(squared < radius**2, dtype=np.bool_)
