"""What has become of each nodule since the prior study."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nodule.detection import Detection
from nodule.findings import Finding, Measurement
from nodule.followup.exam_pair import days_between, warnings_of
from nodule.followup.lung_map import LungMap
from nodule.followup.match import Matching, Pair, match_findings
from nodule.followup.precision import volume_error_share
from nodule.followup.register import FULL_EFFORT, Effort, register_lungs
from nodule.geometry import Vector, as_vector
from nodule.guidelines.growth import Volumetry, judge_growth, significant_change
from nodule.guidelines.result import Figure, Result
from nodule.study import Study, StudyWarning

_POOR_OVERLAP = 0.90


@dataclass(frozen=True, kw_only=True)
class Change:
    """One nodule in both studies.

    Parameters
    ----------
    current, prior : as found.
    distance_mm : between the centres, the current one mapped to the prior scan.
    ambiguous : another assignment would be nearly as good.
    volume_change_mm3, diameter_change_mm : current less prior, of the volume and of the effective
        diameter; None unless both were measured and their volumes can be stated.
    volume_change : the same in per cent of the prior volume, with its 95 % interval where days
        are known.
    growth : as :mod:`nodule.guidelines.growth` classes it, ``growing`` alone without days; None
        without a change of volume.
    doubling_time : days, with its 95 % interval; None for a nodule that shrank, and without days.
    result : the rule set's whole answer, None without days.
    notes : what limits this row.
    """

    current: Finding
    prior: Finding
    distance_mm: float
    ambiguous: bool
    volume_change_mm3: float | None = None
    volume_change: Figure | None = None
    diameter_change_mm: float | None = None
    growth: str | None = None
    doubling_time: Figure | None = None
    result: Result | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Lone:
    """A nodule that one study shows and the other does not.

    Parameters
    ----------
    finding : as found.
    place_in_other_lps_mm : where it would lie in the other scan.
    covered : whether the other scan shows that place; if not, it says nothing of the nodule.
    ambiguous : it might stand in a pair that is ambiguous.
    """

    finding: Finding
    place_in_other_lps_mm: Vector
    covered: bool
    ambiguous: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The findings of two studies side by side.

    Parameters
    ----------
    days : from the prior study to the current one, None where a date is missing.
    changes : nodules in both, in the order of the current findings.
    new, resolved : in one study only. New means not found in the prior study, resolved not found
        in the current one: what a detector missed is neither.
    overlap, surface_error_mm : how well the lungs were registered, as
        :class:`nodule.followup.register.LungMap`.
    warnings : what the reader must know.
    """

    days: int | None
    changes: tuple[Change, ...]
    new: tuple[Lone, ...]
    resolved: tuple[Lone, ...]
    overlap: float
    surface_error_mm: float
    warnings: tuple[StudyWarning, ...] = ()


def compare_exams(
    *, current: Detection, prior: Detection, effort: Effort = FULL_EFFORT
) -> Comparison:
    """Match the findings of two studies and judge what changed.

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
    new, resolved = _lone(matching, current, prior, lung_map)
    return Comparison(
        days=days,
        changes=tuple(_change(pair, current, prior, days) for pair in matching.pairs),
        new=new,
        resolved=resolved,
        overlap=lung_map.overlap,
        surface_error_mm=lung_map.surface_error_mm,
        warnings=(*_registration_warnings(lung_map), *warnings_of(current, prior, days=days)),
    )


def _change(pair: Pair, current: Detection, prior: Detection, days: int | None) -> Change:
    now, then = current.findings[pair.current], prior.findings[pair.prior]
    change = Change(current=now, prior=then, distance_mm=pair.distance_mm, ambiguous=pair.ambiguous)
    after, before = now.nodule.measurement, then.nodule.measurement
    if after is None or before is None:
        unmeasured = [n for n, m in (("current", after), ("prior", before)) if m is None]
        note = f"Not measured in the {' and the '.join(unmeasured)} study: no change computed."
        return replace(change, notes=(note,))
    unstated = [
        n for n, m in (("current", after), ("prior", before)) if m.volume_limits_mm3 is None
    ]
    if unstated:
        where = " and the ".join(unstated)
        note = f"No volume can be stated in the {where} study: see both, and compare the axes."
        return replace(change, notes=(note, *_texture_notes(before, after)))
    change = replace(
        change,
        volume_change_mm3=after.volume_mm3 - before.volume_mm3,
        diameter_change_mm=after.effective_diameter_mm - before.effective_diameter_mm,
        notes=_texture_notes(before, after),
    )
    if not days:
        return _without_days(change, before, after)
    result = judge_growth(
        before=_volumetry(before, prior.study), after=_volumetry(after, current.study), days=days
    )
    figures = {figure.name: figure for figure in result.figures}
    return replace(
        change,
        volume_change=figures["volume change"],
        growth=result.answer,
        doubling_time=figures.get("volume doubling time"),
        result=result,
        notes=(*change.notes, *result.caveats),
    )


def _without_days(change: Change, before: Measurement, after: Measurement) -> Change:
    percent = 100.0 * (after.volume_mm3 / before.volume_mm3 - 1.0)
    return replace(
        change,
        volume_change=Figure(name="volume change", unit="%", value=percent),
        growth=significant_change(before.volume_mm3, after.volume_mm3),
        notes=(*change.notes, "No doubling time: no interval between the studies is known."),
    )


def _volumetry(measured: Measurement, study: Study) -> Volumetry:
    share = volume_error_share(measured.volume_mm3, study=study)
    return Volumetry(volume_mm3=measured.volume_mm3, error_share=share)


def _texture_notes(before: Measurement, after: Measurement) -> tuple[str, ...]:
    if None in (before.texture, after.texture) or before.texture == after.texture:
        return ()
    return (f"Read as {before.texture} before and as {after.texture} now.",)


def _lone(
    matching: Matching, current: Detection, prior: Detection, lung_map: LungMap
) -> tuple[tuple[Lone, ...], tuple[Lone, ...]]:
    new = tuple(
        _alone(
            f,
            as_vector(lung_map.to_prior(f.nodule.center_lps_mm)),
            prior,
            i in matching.ambiguous_new,
        )
        for i, f in ((i, current.findings[i]) for i in matching.new)
    )
    resolved = tuple(
        _alone(
            f,
            as_vector(lung_map.to_current(f.nodule.center_lps_mm)),
            current,
            i in matching.ambiguous_resolved,
        )
        for i, f in ((i, prior.findings[i]) for i in matching.resolved)
    )
    return new, resolved


def _alone(finding: Finding, place: Vector, other: Detection, ambiguous: bool) -> Lone:
    return Lone(
        finding=finding,
        place_in_other_lps_mm=place,
        covered=other.study.volume.geometry.contains(place),
        ambiguous=ambiguous,
    )


def _registration_warnings(lung_map: LungMap) -> tuple[StudyWarning, ...]:
    if lung_map.overlap >= _POOR_OVERLAP:
        return ()
    message = (
        f"The lungs overlap by {lung_map.overlap:.2f} only after registration: "
        "do not trust what is called new or resolved."
    )
    return (StudyWarning(code="REGISTRATION_POOR", message=message),)
