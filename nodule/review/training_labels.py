"""Reviews as labels: what readers accepted or added is a nodule, what all rejected is none.

What a reader left open, what readers disagree about, and where no mask can be grown, is left out,
and said to be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nodule.geometry import Geometry, Vector
from nodule.masks import NoduleMask
from nodule.report.model import Report
from nodule.report.reader_review import Decision, Review
from nodule.review.apply import check_review
from nodule.review.resegment import Resegmenter
from nodule.study import Study
from nodule.training import MARGIN_MM, CropSlices, Kind, NoduleStack, replace_series

_SAME_SHARE = 0.5  # of the smaller mask
_APART_MM = 8.0  # from a nodule's mask to a place that teaches what no nodule looks like
_USUAL_MM = 8.0  # what has no size
_WHY = {"nodule": "no mask can be grown there", "nothing said": "not judged"}


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
    stacks : a nodule each.
    negatives : places without nodules.
    left_out : what became no label, by the report's names and in the reviews' order.
    """

    stacks: tuple[NoduleStack, ...]
    negatives: tuple[NoduleStack, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Mark:
    """One reader's nodule: its name, the reader's number, and its mask."""

    id: str
    reader: int
    mask: NoduleMask
    voxels: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class _Unmarked:
    """A place without a mask by one reader, and what he took it for."""

    id: str
    center_lps_mm: Vector
    extent_mm: float | None
    taken_for: Literal["no nodule", "nodule", "nothing said"]


def review_labels(
    report: Report,
    reviews: Sequence[Review],
    *,
    masks: Mapping[str, NoduleMask],
    segmenter: Resegmenter,
    count_as: int = 1,
    margin_mm: float = MARGIN_MM,
) -> Labels:
    """Turn the reviews of one report into labels.

    Every review is one reader's. Accepted findings keep the masks that were measured; what readers
    moved or added is segmented from their points. What overlaps by half is one nodule, read by
    several. A place is without a nodule where all who judged it, in these reviews and in those
    that the report holds, rejected it, if no nodule lies within 8 mm and its crop shows nothing
    that nobody settled.

    Parameters
    ----------
    report : that the readers saw.
    reviews : each of this report, by different readers.
    masks : of the report's findings, by their ids.
    segmenter : of the report's study, for what readers moved or added.
    count_as : as how many readings one reader's word counts. The training of candidates takes a
        nodule for certain from three on, by LUNA16's rule.
    margin_mm : tissue kept around a nodule or a rejected place.

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
        for each in _marks(report, review, number, masks, segmenter)
    ]
    marks = [each for each in seen if isinstance(each, _Mark)]
    unmarked = [each for each in seen if isinstance(each, _Unmarked)]
    stacks = tuple(
        NoduleStack.of_masks(
            [(m.mask.start_zyx, m.mask.array_zyx) for m in group for _ in range(count_as)],
            study=segmenter.study,
            margin_mm=margin_mm,
            nodule_ids=tuple(m.id for m in group for _ in range(count_as)),
        )
        for group in _grouped(marks)
    )
    judged = list(_rejections(report, unmarked, marks, study=segmenter.study, margin_mm=margin_mm))
    return Labels(
        stacks=stacks,
        negatives=tuple(each for each in judged if isinstance(each, NoduleStack)),
        left_out=(
            *(
                LeftOut(id=each.id, why=_WHY[each.taken_for])
                for each in unmarked
                if each.taken_for in _WHY
            ),
            *(each for each in judged if isinstance(each, LeftOut)),
        ),
    )


def write_labels(labels: Labels, *, folder: Path, study: Study, patient_id: str) -> None:
    """Write labels into a crop set, in place of what it holds of their series.

    Parameters
    ----------
    labels : of the study.
    folder : of the crop set, which may hold other studies.
    study, patient_id : as :func:`nodule.training._crop_set_writing.write_stacks`.

    Raises
    ------
    GeometryError : as :func:`nodule.training._crop_set_writing.write_stacks`.
    """
    written: tuple[tuple[Kind, tuple[NoduleStack, ...]], ...] = (
        ("negative", labels.negatives),
        ("stack", labels.stacks),
    )
    for kind, stacks in written:
        replace_series(folder, study=study, patient_id=patient_id, stacks=stacks, kind=kind)


def pseudonym(report: Report) -> str:
    """Name the person without telling who it is; all studies of one person get one name."""
    study = report.study
    person = (
        study.patient.patient_id
        or study.series.study_instance_uid
        or report.provenance.input_sha256
    )
    return f"reviewed-{hashlib.sha256(f'person {person}'.encode()).hexdigest()[:16]}"


def _marks(
    report: Report,
    review: Review,
    reader: int,
    masks: Mapping[str, NoduleMask],
    segmenter: Resegmenter,
) -> Iterator[_Mark | _Unmarked]:
    decided = {decision.id: decision for decision in review.decisions}
    for finding in report.active:
        decision = decided.get(finding.nodule.id, Decision(id=finding.nodule.id))
        if decision.verdict == "accepted":
            moved_to = decision.moved_to_lps_mm
            mask = (
                masks.get(finding.nodule.id)
                if moved_to is None
                else segmenter.mask(moved_to, long_axis_mm=None)
            )
            place = decision.moved_to_lps_mm or finding.nodule.center_lps_mm
            yield _mark(finding.nodule.id, place, finding.extent_mm, mask, reader, segmenter)
        else:
            yield _Unmarked(
                id=finding.nodule.id,
                center_lps_mm=finding.nodule.center_lps_mm,
                extent_mm=finding.extent_mm,
                taken_for="no nodule" if decision.verdict == "rejected" else "nothing said",
            )
    for number, added in enumerate(review.additions, start=report.next_added):
        place, size_mm = added.center_lps_mm, added.long_axis_mm
        mask = segmenter.mask(place, long_axis_mm=size_mm)
        yield _mark(f"R{number}", place, size_mm, mask, reader, segmenter)


def _mark(
    name: str,
    place_lps_mm: Vector,
    size_mm: float | None,
    mask: NoduleMask | None,
    reader: int,
    segmenter: Resegmenter,
) -> _Mark | _Unmarked:
    if mask is None:
        return _Unmarked(
            id=name,
            center_lps_mm=place_lps_mm,
            extent_mm=size_mm,
            taken_for="nodule",
        )
    voxels = mask.voxel_numbers(segmenter.study.volume.geometry)
    return _Mark(id=name, reader=reader, mask=mask, voxels=voxels)


def _rejections(
    report: Report,
    unmarked: Sequence[_Unmarked],
    marks: Sequence[_Mark],
    *,
    study: Study,
    margin_mm: float,
) -> Iterator[NoduleStack | LeftOut]:
    """Return what was rejected as places without nodules, or why one is none, each once."""
    rejected = {each.id: each for each in unmarked if each.taken_for == "no nodule"}
    marked = {mark.id for mark in marks} & {each.nodule.id for each in report.active}
    disputed = marked | _accepted_before(report)
    disputed |= {each.id for each in unmarked if each.taken_for == "nodule"}
    settled = marked | (set(rejected) - disputed)
    unsettled = [each for each in unmarked if each.id not in settled]
    for each in rejected.values():
        stack = NoduleStack.of_place(
            each.center_lps_mm,
            diameter_mm=each.extent_mm or 0.0,
            study=study,
            margin_mm=margin_mm,
            nodule_ids=(each.id,),
        )
        if each.id in disputed:
            yield LeftOut(id=each.id, why="rejected by one reader, accepted by another")
        elif any(_gap_mm(mark, each) < _APART_MM for mark in marks):
            yield LeftOut(id=each.id, why="rejected, but a nodule lies beside it")
        elif any(_reaches(other, stack.box, study.volume.geometry) for other in unsettled):
            yield LeftOut(id=each.id, why="rejected, but what lies near it is undecided")
        else:
            yield stack


def _accepted_before(report: Report) -> set[str]:
    """Return what readers accepted or added in the reviews that the report holds."""
    said = (decision for review in report.reviews for decision in review.decisions)
    return {d.id for d in said if d.verdict == "accepted"} | {
        each.nodule.id for each in report.added
    }


def _gap_mm(mark: _Mark, place: _Unmarked) -> float:
    voxels = mark.mask.geometry.index_to_lps(np.argwhere(mark.mask.array_zyx))
    return float(np.linalg.norm(voxels - np.asarray(place.center_lps_mm), axis=1).min())


def _reaches(place: _Unmarked, box: CropSlices, geometry: Geometry) -> bool:
    """Whether a ball about a place reaches into a box of the grid."""
    index = geometry.lps_to_index(place.center_lps_mm)
    low = np.array([part.start for part in box])
    high = np.array([part.stop - 1 for part in box])
    beyond = np.maximum(np.maximum(low - index, index - high), 0.0) * geometry.spacing_zyx_mm
    return bool(np.linalg.norm(beyond) <= (place.extent_mm or _USUAL_MM) / 2)


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
