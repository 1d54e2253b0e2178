"""What has become of each nodule since the prior study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import StringConstraints

from nodule.detection import Detection
from nodule.findings import AssessedNodule, Finding, without_mask
from nodule.followup._exam_pair import days_between, warnings_of
from nodule.followup._lung_map import LungMap
from nodule.followup._match import Matching, Pair, match_findings
from nodule.followup._register import FULL_EFFORT, Effort, register_lungs
from nodule.geometry import Vector, as_vector
from nodule.guidelines.growth import Volumetry, judge_growth, significant_change
from nodule.guidelines.result import Figure
from nodule.nodules import Measurement, Point
from nodule.printed import Digits
from nodule.sphere import sphere_diameter_mm
from nodule.study import StudyWarning

_POOR_OVERLAP = 0.90


@dataclass(frozen=True, kw_only=True)
class ExamIdentity:
    """Which exam this is: DICOM attributes, and the digest of its content."""

    study_instance_uid: str | None
    series_instance_uid: str | None
    study_date: str | None
    input_sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, kw_only=True)
class Registration:
    """How well the lungs of both studies fit, as :class:`nodule.followup._lung_map.LungMap`.

    Parameters
    ----------
    overlap : Dice.
    surface_error_mm : mean distance of their surfaces; printed, it is None where it is infinite.
    """

    overlap: Annotated[float, Ge(0), Le(1), Digits(3)]
    surface_error_mm: Annotated[float | None, Digits(2)]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One nodule in both studies.

    Parameters
    ----------
    current, prior : as found, each in its own scan's frame.
    distance_mm : between the centres, the current one mapped to the prior scan.
    ambiguous : another assignment would be nearly as good.
    volume_change_mm3, diameter_change_mm : current less prior, of the volume and of the effective
        diameter; None unless both volumes can be stated.
    volume_change : the same in per cent of the prior volume, with its 95 % interval where days
        are known.
    growth : as :mod:`nodule.guidelines.growth` classes it, ``growing`` alone without days; None
        without a change of volume.
    doubling_time : days, with its 95 % interval; None for a nodule that shrank, and without days.
        Printed, a doubling that never comes is None, as is the end of an interval that holds no
        growth.
    notes : what limits this row.
    """

    current: AssessedNodule
    prior: AssessedNodule
    distance_mm: Annotated[float, Ge(0), Digits(2)]
    ambiguous: bool
    volume_change_mm3: Annotated[float | None, Digits(1)] = None
    volume_change: Annotated[Figure | None, Digits(1)] = None
    diameter_change_mm: Annotated[float | None, Digits(2)] = None
    growth: str | None = None
    doubling_time: Annotated[Figure | None, Digits(1)] = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unmatched:
    """A nodule that one study shows and the other does not.

    Parameters
    ----------
    finding : as found.
    place_in_other_lps_mm : where it would lie in the other scan.
    covered : whether the other scan shows that place; if not, it says nothing of the nodule.
    ambiguous : it might stand in a pair that is ambiguous.
    """

    finding: AssessedNodule
    place_in_other_lps_mm: Point
    covered: bool
    ambiguous: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The findings of two studies of one patient side by side.

    Parameters
    ----------
    kind : of the record; its version rises where the same studies may give other answers.
    current, prior : the studies.
    days : from the prior study to the current one, None where a date is missing.
    registration : how well the lungs were registered.
    changes : nodules in both, in the order of the current findings.
    new, resolved : in one study only. New means not found in the prior study, resolved not found
        in the current one: what a detector missed is neither.
    warnings : what the reader must know.
    """

    kind: Literal["nodule comparison, version 2"] = "nodule comparison, version 2"
    current: ExamIdentity
    prior: ExamIdentity
    days: int | None
    registration: Registration
    changes: tuple[Change, ...]
    new: tuple[Unmatched, ...]
    resolved: tuple[Unmatched, ...]
    warnings: tuple[StudyWarning, ...] = ()

    @property
    def by_current_id(self) -> dict[str, Change]:
        """What has become of each nodule that both studies show, by its current name."""
        return {change.current.nodule.id: change for change in self.changes}


def compare_exams(
    *, current: Detection, prior: Detection, effort: Effort = FULL_EFFORT
) -> Comparison:
    """Match the findings of two studies and assess what changed.

    Raises
    ------
    InputError : ``PRIOR_IS_LATER``, ``BAD_DATE``, or ``NO_LUNGS``.
    """
    days = days_between(current=current.patient, prior=prior.patient)
    lung_map = register_lungs(
        current=current.study.volume,
        current_lungs=current.lungs,
        prior=prior.study.volume,
        prior_lungs=prior.lungs,
        effort=effort,
    )
    matching = match_findings(current.findings, prior.findings, lung_map=lung_map)
    new, resolved = _unmatched(matching, current, prior, lung_map)
    return Comparison(
        current=_identity(current),
        prior=_identity(prior),
        days=days,
        registration=Registration(
            overlap=lung_map.overlap, surface_error_mm=lung_map.surface_error_mm
        ),
        changes=tuple(_change(pair, current, prior, days) for pair in matching.pairs),
        new=new,
        resolved=resolved,
        warnings=(*_registration_warnings(lung_map), *warnings_of(current, prior, days=days)),
    )


def _identity(exam: Detection) -> ExamIdentity:
    series = exam.study.series
    return ExamIdentity(
        study_instance_uid=series.study_instance_uid,
        series_instance_uid=series.series_instance_uid,
        study_date=exam.patient.study_date,
        input_sha256=exam.input_sha256,
    )


def _change(pair: Pair, current: Detection, prior: Detection, days: int | None) -> Change:
    now, then = current.findings[pair.current], prior.findings[pair.prior]
    change = Change(
        current=without_mask(now),
        prior=without_mask(then),
        distance_mm=pair.distance_mm,
        ambiguous=pair.ambiguous,
    )
    after, before = now.nodule.measurement, then.nodule.measurement
    if after is None or before is None:
        unmeasured = [n for n, m in (("current", after), ("prior", before)) if m is None]
        note = f"Not measured in the {' and the '.join(unmeasured)} study: no change computed."
        return replace(change, notes=(note,))
    volume_now, volume_then = volumetry(after), volumetry(before)
    if volume_now is None or volume_then is None:
        both = (("current", volume_now), ("prior", volume_then))
        where = " and the ".join(name for name, volume in both if volume is None)
        note = f"No volume can be stated in the {where} study: see both, and compare the axes."
        return replace(change, notes=(note, *_texture_notes(before, after)))
    change = replace(
        change,
        volume_change_mm3=volume_now.volume_mm3 - volume_then.volume_mm3,
        diameter_change_mm=sphere_diameter_mm(volume_now.volume_mm3)
        - sphere_diameter_mm(volume_then.volume_mm3),
        notes=_texture_notes(before, after),
    )
    return _judged(change, before=volume_then, after=volume_now, days=days)


def _judged(change: Change, *, before: Volumetry, after: Volumetry, days: int | None) -> Change:
    if not days:
        return _without_days(change, before.volume_mm3, after.volume_mm3)
    result = judge_growth(before=before, after=after, days=days)
    figures = {figure.name: figure for figure in result.figures}
    return replace(
        change,
        volume_change=figures["volume change"],
        growth=result.answer,
        doubling_time=figures.get("volume doubling time"),
        notes=(*change.notes, *result.caveats),
    )


def _without_days(change: Change, before_mm3: float, after_mm3: float) -> Change:
    percent = 100.0 * (after_mm3 / before_mm3 - 1.0)
    return replace(
        change,
        volume_change=Figure(name="volume change", unit="%", value=percent),
        growth=significant_change(before_mm3, after_mm3),
        notes=(*change.notes, "No doubling time: no interval between the studies is known."),
    )


def volumetry(measured: Measurement | None) -> Volumetry | None:
    """Return a nodule's volume with its error, None where none can be stated."""
    if measured is None or measured.volume_mm3 is None:
        return None
    return Volumetry(volume_mm3=measured.volume_mm3, error_share=measured.volume_error_share)


def _texture_notes(before: Measurement, after: Measurement) -> tuple[str, ...]:
    if None in (before.texture, after.texture) or before.texture == after.texture:
        return ()
    return (f"Classified as {before.texture} before and as {after.texture} now.",)


def _unmatched(
    matching: Matching, current: Detection, prior: Detection, lung_map: LungMap
) -> tuple[tuple[Unmatched, ...], tuple[Unmatched, ...]]:
    new = tuple(
        _of_one_study(
            f,
            as_vector(lung_map.to_prior(f.nodule.center_lps_mm)),
            prior,
            i in matching.ambiguous_new,
        )
        for i, f in ((i, current.findings[i]) for i in matching.new)
    )
    resolved = tuple(
        _of_one_study(
            f,
            as_vector(lung_map.to_current(f.nodule.center_lps_mm)),
            current,
            i in matching.ambiguous_resolved,
        )
        for i, f in ((i, prior.findings[i]) for i in matching.resolved)
    )
    return new, resolved


def _of_one_study(finding: Finding, place: Vector, other: Detection, ambiguous: bool) -> Unmatched:
    return Unmatched(
        finding=without_mask(finding),
        place_in_other_lps_mm=place,
        covered=other.study.volume.geometry.contains(place),
        ambiguous=ambiguous,
    )


def _registration_warnings(lung_map: LungMap) -> tuple[StudyWarning, ...]:
    if lung_map.overlap >= _POOR_OVERLAP:
        return ()
    message = (
        f"The lungs overlap by only {lung_map.overlap:.2f} after registration: "
        "which nodules are new or resolved is not reliable."
    )
    return (StudyWarning(code="REGISTRATION_POOR", message=message),)
