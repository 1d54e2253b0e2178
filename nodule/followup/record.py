"""What a report says of a comparison.

Sizes are millimetres, positions LPS, each in its own scan's frame. A doubling time that never
comes is null, as is the end of an interval that holds no growth.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nodule.detection import Detection
from nodule.findings import Finding, Measurement
from nodule.followup.compare import Change, Comparison, Lone
from nodule.followup.precision import volume_error_share
from nodule.geometry import Vector, as_vector
from nodule.guidelines.result import Figure
from nodule.masks import Texture
from nodule.study import Study

_AXES = ("long_axis_mm", "short_axis_mm")
_VOLUME = (
    *("effective_diameter_mm", "volume_mm3", "volume_limits_mm3"),
    *("volume_error_share", "solid_volume_mm3"),
)

Size = Annotated[float, Field(gt=0.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StudyRecord(_Part):
    """Which study this is: DICOM attributes, and the digest of its content."""

    study_instance_uid: str | None
    series_instance_uid: str | None
    study_date: str | None
    input_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class FindingRecord(_Part):
    """A finding as one study shows it; sizes are null where they could not be measured.

    ``slice_number`` counts from 1 along the source's index axis z, null outside the scan.
    ``volume_error_share`` is how far a second measurement of the volume by the same method may be
    off, in 95 of 100, as a share of it. Where no volume can be stated, all volumes and what follows
    from them, the effective diameter too, are null.
    """

    id: str
    center_lps_mm: Vector
    slice_number: int | None
    instance_number: int | None
    probability: Share | None
    malignancy_score: float | None
    long_axis_mm: Size | None
    short_axis_mm: Size | None
    effective_diameter_mm: Size | None
    volume_mm3: Size | None
    volume_limits_mm3: tuple[float, float] | None
    volume_error_share: Share | None
    solid_axes_mm: tuple[Size, Size] | None
    solid_volume_mm3: Size | None
    texture: Texture | None


class FigureRecord(_Part):
    """A number with its 95 % interval, where one is known."""

    value: float | None
    low: float | None
    high: float | None
    unit: str


class ChangeRecord(_Part):
    """One nodule in both studies."""

    current: FindingRecord
    prior: FindingRecord
    distance_mm: float
    ambiguous: bool
    volume_change_mm3: float | None
    volume_change: FigureRecord | None
    diameter_change_mm: float | None
    growth: str | None
    doubling_time: FigureRecord | None
    notes: tuple[str, ...]


class LoneRecord(_Part):
    """One nodule in one study, and where it would lie in the other."""

    finding: FindingRecord
    place_in_other_lps_mm: Vector
    covered: bool
    ambiguous: bool


class RegistrationRecord(_Part):
    """How well the lungs of both studies fit: Dice, and the mean distance of their surfaces."""

    overlap: Share
    surface_error_mm: float | None


class WarningRecord(_Part):
    """Something the reader must know, with a stable code."""

    code: str
    message: str


class ComparisonRecord(_Part):
    """Two studies of one patient."""

    kind: Literal["nodule comparison, version 1"] = "nodule comparison, version 1"
    current: StudyRecord
    prior: StudyRecord
    days: int | None
    registration: RegistrationRecord
    changes: tuple[ChangeRecord, ...]
    new: tuple[LoneRecord, ...]
    resolved: tuple[LoneRecord, ...]
    warnings: tuple[WarningRecord, ...]


def record_comparison(
    comparison: Comparison,
    *,
    current: Detection,
    prior: Detection,
) -> ComparisonRecord:
    """Write down a comparison with the studies that it compares.

    Parameters
    ----------
    comparison : of these two.
    """
    return ComparisonRecord(
        current=_study(current),
        prior=_study(prior),
        days=comparison.days,
        registration=RegistrationRecord(
            overlap=round(comparison.overlap, 3),
            surface_error_mm=_round(comparison.surface_error_mm, 2),
        ),
        changes=tuple(_change(c, current.study, prior.study) for c in comparison.changes),
        new=tuple(_lone(each, current.study) for each in comparison.new),
        resolved=tuple(_lone(each, prior.study) for each in comparison.resolved),
        warnings=tuple(WarningRecord(code=w.code, message=w.message) for w in comparison.warnings),
    )


def _study(found: Detection) -> StudyRecord:
    return StudyRecord(
        study_instance_uid=found.study.series.study_instance_uid,
        series_instance_uid=found.study.series.series_instance_uid,
        study_date=found.patient.study_date,
        input_sha256=found.input_sha256,
    )


def _change(change: Change, current: Study, prior: Study) -> ChangeRecord:
    return ChangeRecord(
        current=_finding(change.current, current),
        prior=_finding(change.prior, prior),
        distance_mm=round(change.distance_mm, 2),
        ambiguous=change.ambiguous,
        volume_change_mm3=_round(change.volume_change_mm3, 1),
        volume_change=_figure(change.volume_change),
        diameter_change_mm=_round(change.diameter_change_mm, 2),
        growth=change.growth,
        doubling_time=_figure(change.doubling_time),
        notes=change.notes,
    )


def _lone(lone: Lone, study: Study) -> LoneRecord:
    return LoneRecord(
        finding=_finding(lone.finding, study),
        place_in_other_lps_mm=_point(lone.place_in_other_lps_mm),
        covered=lone.covered,
        ambiguous=lone.ambiguous,
    )


def _figure(figure: Figure | None) -> FigureRecord | None:
    if figure is None:
        return None
    value, low, high = (
        None if number is None or math.isinf(number) else round(number, 1)
        for number in (figure.value, figure.low, figure.high)
    )
    return FigureRecord(value=value, low=low, high=high, unit=figure.unit)


def _finding(finding: Finding, study: Study) -> FindingRecord:
    number = image = None
    nodule, assessment = finding.nodule, finding.assessment
    if study.volume.geometry.contains(nodule.center_lps_mm):
        index, reference = study.slice_at(nodule.center_lps_mm)
        number, image = index + 1, reference.instance_number
    return FindingRecord(
        id=nodule.id,
        center_lps_mm=_point(nodule.center_lps_mm),
        slice_number=number,
        instance_number=image,
        probability=None if assessment is None else round(assessment.probability, 4),
        malignancy_score=None if assessment is None else round(assessment.malignancy.score, 3),
        **_sizes(nodule.measurement, study),
    )


def _sizes(measured: Measurement | None, study: Study) -> dict[str, Any]:
    nothing = dict.fromkeys((*_AXES, "solid_axes_mm", "texture", *_VOLUME))
    if measured is None:
        return nothing
    return nothing | {
        **{name: round(getattr(measured, name), 2) for name in _AXES},
        "solid_axes_mm": _pair(measured.solid_axes_mm, 2),
        "texture": measured.texture,
        **({} if measured.volume_limits_mm3 is None else _volume_fields(measured, study)),
    }


def _volume_fields(measured: Measurement, study: Study) -> dict[str, Any]:
    share = volume_error_share(measured.volume_mm3, study=study)
    return {
        "effective_diameter_mm": round(measured.effective_diameter_mm, 2),
        "volume_mm3": round(measured.volume_mm3, 1),
        "volume_limits_mm3": _pair(measured.volume_limits_mm3, 1),
        "volume_error_share": min(round(share, 4), 1.0),
        "solid_volume_mm3": _round(measured.solid_volume_mm3, 1),
    }


def _pair(values: tuple[float, float] | None, digits: int) -> tuple[float, float] | None:
    return None if values is None else (round(values[0], digits), round(values[1], digits))


def _point(vector: Vector) -> Vector:
    return as_vector([round(v, 3) for v in vector])


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
