"""Reviews as labels: what readers accepted or added, as nodules of a crop set.

A crop set holds nodules only. What a reader rejected, left open, or where no mask can be grown, is
left out, and said to be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.geometry import Vector
from nodule.lidc.stack import MARGIN_MM, NoduleStack
from nodule.measure.segment import NoduleMask
from nodule.report.finding_parts import AddedPart, FindingPart
from nodule.report.model import Report
from nodule.report.regrow import Regrower
from nodule.report.review import check_review
from nodule.report.review_file import Decision, Review

_SAME_SHARE = 0.5  # of the smaller mask


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Something that a reader saw and that became no label."""

    id: str
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """What reviews say of one study.

    Parameters
    ----------
    stacks : a nodule each, to be written by :func:`nodule.lidc.writing.write_stacks`.
    left_out : what became no label, by the report's names and in the reviews' order.
    """

    stacks: tuple[NoduleStack, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Mark:
    """One reader's nodule: its name, the reader's number, and its mask."""

    id: str
    reader: int
    mask: NoduleMask
    voxels: NDArray[np.int64]


def review_labels(
    report: Report,
    reviews: Sequence[Review],
    *,
    grower: Regrower,
    count_as: int = 1,
    margin_mm: float = MARGIN_MM,
) -> Labels:
    """Turn the reviews of one report into labels.

    Every review is one reader's. Masks are grown from the places of accepted findings, as moved,
    and of additions; what overlaps by half is one nodule, read by several.

    Parameters
    ----------
    report : that the readers saw.
    reviews : each of this report, by different readers.
    grower : of the report's study.
    count_as : as how many readings one reader's word counts. The training of candidates takes a
        nodule for certain from three on, by LUNA16's rule.
    margin_mm : tissue kept around a nodule.

    Raises
    ------
    InputError : ``REVIEW_OF_OTHER_REPORT``, ``UNKNOWN_FINDING``, ``DOUBLE_DECISION``, or
        ``TOO_MANY_READINGS`` for more than eight readings of a nodule.
    """
    for review in reviews:
        check_review(report, review)
    seen = [
        each
        for number, review in enumerate(reviews)
        for each in _marks(report, review, number, grower)
    ]
    stacks = tuple(
        NoduleStack.of_masks(
            [(m.mask.start_zyx, m.mask.array_zyx) for m in group for _ in range(count_as)],
            study=grower.study,
            margin_mm=margin_mm,
            nodule_ids=tuple(m.id for m in group for _ in range(count_as)),
        )
        for group in _grouped([each for each in seen if isinstance(each, _Mark)])
    )
    return Labels(stacks=stacks, left_out=tuple(each for each in seen if isinstance(each, LeftOut)))


def pseudonym(report: Report) -> str:
    """Name the person without telling who it is; all studies of one person get one name."""
    study = report.study
    person = study.patient.patient_id or study.study_instance_uid or report.provenance.input_sha256
    return f"reviewed-{hashlib.sha256(f'person {person}'.encode()).hexdigest()[:16]}"


def _marks(
    report: Report, review: Review, reader: int, grower: Regrower
) -> Iterator[_Mark | LeftOut]:
    decided = {decision.id: decision for decision in review.decisions}
    for finding in report.standing:
        decision = decided.get(finding.id, Decision(id=finding.id))
        if decision.verdict == "rejected":
            yield LeftOut(id=finding.id, why="rejected: a crop set holds no places without nodules")
        elif decision.verdict is None:
            yield LeftOut(id=finding.id, why="not judged")
        else:
            place, size_mm = _place(finding, decision)
            yield _mark(finding.id, place, size_mm, reader, grower)
    for number, added in enumerate(review.additions, start=report.next_added):
        name = f"R{number}"
        yield _mark(name, added.center_lps_mm, added.long_axis_mm, reader, grower)


def _place(finding: FindingPart | AddedPart, decision: Decision) -> tuple[Vector, float | None]:
    if decision.moved_to_lps_mm is not None:
        return decision.moved_to_lps_mm, None
    return finding.center_lps_mm, finding.extent_mm


def _mark(
    name: str, place_lps_mm: Vector, long_axis_mm: float | None, reader: int, grower: Regrower
) -> _Mark | LeftOut:
    mask = grower.mask(place_lps_mm, long_axis_mm=long_axis_mm)
    if mask is None:
        return LeftOut(id=name, why="no mask can be grown there")
    shape = grower.study.volume.geometry.shape_zyx
    places = np.argwhere(mask.array_zyx) + mask.start_zyx
    voxels = np.asarray(np.ravel_multi_index(tuple(places.T), shape), np.int64)
    return _Mark(id=name, reader=reader, mask=mask, voxels=voxels)


def _grouped(marks: Sequence[_Mark]) -> list[list[_Mark]]:
    """Bring together what overlaps; of one reader's overlapping marks the first counts."""
    groups: list[list[_Mark]] = []
    for mark in marks:
        group = next((g for g in groups if any(_overlap(mark, m) for m in g)), None)
        if group is None:
            groups.append([mark])
        elif all(m.reader != mark.reader for m in group):
            group.append(mark)
    return groups


def _overlap(one: _Mark, other: _Mark) -> bool:
    common = np.intersect1d(one.voxels, other.voxels, assume_unique=True).size
    return bool(common >= _SAME_SHARE * min(one.voxels.size, other.voxels.size))
