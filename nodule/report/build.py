"""From what the stages found to what the report says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nodule.advice.case import Case
from nodule.advice.context import Context, FindingFacts
from nodule.advice.management import manage
from nodule.errors import InputError
from nodule.findings import Finding, Malignancy, Measurement, Nodule, masks_of
from nodule.followup.record import ComparisonRecord
from nodule.geometry import Geometry, Vector
from nodule.guidelines.facts import half_up
from nodule.masks import MaskReference, refer_to_masks
from nodule.report.finding_parts import (
    MALIGNANCY_WORDS,
    NODULE_LIMIT_MM,
    SIZED_FIELDS,
    FindingPart,
    MalignancyPart,
    SeedPart,
    SlicePart,
    key_point,
    nearest_rating,
)
from nodule.report.limits import LimitsPart
from nodule.report.model import Provenance, Report, WarningPart
from nodule.report.parts import Ends, Point
from nodule.report.quality import SLICES_MM, quality_parts
from nodule.report.software import software_part
from nodule.report.study_parts import LungVolumes, Patient, StudyPart, Technique
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask

_SIZE_DIGITS = {"long_axis_mm": 2, "short_axis_mm": 2, "mean_hu": 0, "sphericity": 3}
_VOLUME_DIGITS = {"effective_diameter_mm": 2, "volume_mm3": 1, "solid_volume_mm3": 1}
_ENDS = ("long_axis_ends_lps_mm", "short_axis_ends_lps_mm")
_IDENTITY = ("study_instance_uid", "series_instance_uid", "frame_of_reference_uid")
_DIRECTIONS = (("right to left", "left to right"), ("front to back", "back to front"))
_ALONG_BODY = ("foot to head", "head to foot")
_NOTHING_STATED = Context()


def build_report(
    *,
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
    context: Context = _NOTHING_STATED,
    comparison: ComparisonRecord | None = None,
) -> Report:
    """State what was found, and what published rules make of it.

    Numbers are rounded to what is meaningful, so that equal inputs give equal bytes.

    Parameters
    ----------
    study : as read.
    lungs : on any grid.
    findings : in the order to report.
    patient : appears in the report's header, and its age and sex are read by the rules.
    provenance : what made it.
    context : what somebody states about the person and the exam.
    comparison : with a prior study, of these findings.

    Raises
    ------
    InputError : ``UNKNOWN_FINDING`` where the context speaks of a finding that there is not.
    """
    part = _study_part(study, lungs, patient)
    references = refer_to_masks(masks_of(findings), grid=study.volume.geometry)
    stated = tuple(
        _finding_part(each, study, context, references.get(each.nodule.id)) for each in findings
    )
    refuse_unknown(context, known={finding.id for finding in stated})
    of_findings = (warning for finding in stated for warning in finding_warnings(finding))
    case = Case(context=context, study=part, standing=stated, comparison=comparison)
    return Report(
        study=part,
        context=context,
        software=software_part(provenance),
        provenance=provenance,
        quality=quality_parts(study, lungs),
        findings=stated,
        dominant=dominant_id(stated),
        comparison=comparison,
        management=manage(case),
        limits=LimitsPart(),
        warnings=(
            *_study_warnings(study, part.lungs),
            *_comparison_warnings(comparison),
            *of_findings,
        ),
    )


def refuse_unknown(context: Context, *, known: set[str]) -> None:
    """Refuse statements about findings that the report lacks.

    Raises
    ------
    InputError : ``UNKNOWN_FINDING``.
    """
    unknown = sorted(set(context.findings) - known)
    if unknown:
        raise InputError(
            "something is stated of findings that the report lacks",
            code="UNKNOWN_FINDING",
            expected=", ".join(sorted(known)) or "none",
            got=", ".join(unknown),
            hint="Make the report without them first; findings are named there.",
        )


def _study_part(study: Study, lungs: LungMask, patient: PatientHeader) -> StudyPart:
    geometry = study.volume.geometry
    header = vars(study.series)
    right_ml, left_ml = lungs.volume_ml
    return StudyPart(
        **{name: header[name] for name in _IDENTITY},
        patient=Patient(**vars(patient)),
        technique=Technique(
            **{name: value for name, value in header.items() if name not in _IDENTITY},
            shape_zyx=geometry.shape_zyx,
            spacing_zyx_mm=rounded(geometry.spacing_zyx_mm, digits=4),
            slice_direction=slice_direction(geometry),
        ),
        lungs=LungVolumes(right_ml=round(right_ml), left_ml=round(left_ml)),
    )


def slice_direction(geometry: Geometry) -> str:
    """Return where slice numbers rise to, by the nearest axis of the body."""
    step = np.asarray(geometry.direction)[:, 0]
    axis = int(np.abs(step).argmax())
    return (*_DIRECTIONS, _ALONG_BODY)[axis][int(step[axis] < 0)]


def _finding_part(
    finding: Finding, study: Study, context: Context, reference: MaskReference | None
) -> FindingPart:
    nodule, assessment = finding.nodule, finding.assessment
    if assessment is None or nodule.lung is None:
        raise InputError(
            f"{nodule.id} was not found by the software",
            code="NOT_ASSESSED",
            expected="a finding with an assessment, in a lung",
            hint="A report is built from the software's findings; a review adds those of readers.",
        )
    return FindingPart(
        id=nodule.id,
        center_lps_mm=rounded(nodule.center_lps_mm),
        slice=slice_of(nodule, study),
        probability=round(assessment.probability, 4),
        malignancy=_malignancy_part(assessment.malignancy),
        lung=nodule.lung,
        mask=reference,
        **sized_fields(nodule, facts=context.findings.get(nodule.id, FindingFacts())),
    )


def dominant_id(findings: Iterable[FindingPart]) -> str | None:
    """Name the most suspicious finding, of equals the more probable; None without any."""
    first = max(findings, key=lambda f: (f.malignancy.score, f.probability), default=None)
    return None if first is None else first.id


def _malignancy_part(malignancy: Malignancy) -> MalignancyPart:
    a, b, c, d, e = malignancy.distribution
    score = round(malignancy.score, 3)
    return MalignancyPart(
        score=score,
        word=MALIGNANCY_WORDS[nearest_rating(score) - 1],
        distribution=(round(a, 4), round(b, 4), round(c, 4), round(d, 4), round(e, 4)),
        spread=round(malignancy.spread, 3),
        suspicion=_round(malignancy.suspicion, 4),
        indeterminate=malignancy.indeterminate,
    )


def sized_fields(nodule: Nodule, *, facts: FindingFacts) -> dict[str, Any]:
    """Return what was measured of a nodule, and its lobe where somebody states it."""
    measured = nodule.measurement
    fields: dict[str, Any] = dict.fromkeys(SIZED_FIELDS) | {
        "third": nodule.lung_zone,
        "lobe": facts.lobe,
        "pleura_distance_mm": _round(nodule.pleura_distance_mm, 1),
        "scope": "nodule",
    }
    if measured is None:
        return fields
    return fields | {
        **{name: _round(getattr(measured, name), n) for name, n in _SIZE_DIGITS.items()},
        **{name: _rounded_ends(getattr(measured, name)) for name in _ENDS},
        "mean_diameter_mm": mean_diameter_mm(measured),
        **_volume_fields(measured),
        "solid_axes_mm": _pair(measured.solid_axes_mm, 2),
        "texture": measured.texture,
        "scope": "mass" if measured.long_axis_mm > NODULE_LIMIT_MM else "nodule",
        "seed": SeedPart(**vars(nodule.seed)) if nodule.seed else None,
    }


def _volume_fields(measured: Measurement) -> dict[str, Any]:
    """Return the volumes and what follows from them; nothing where no volume can be stated."""
    if measured.volume_limits_mm3 is None:
        return {}
    volumes = {name: _round(getattr(measured, name), n) for name, n in _VOLUME_DIGITS.items()}
    return {**volumes, "volume_limits_mm3": _pair(measured.volume_limits_mm3, 1)}


def mean_diameter_mm(measured: Measurement) -> float:
    """Return the mean of both axes as they are printed, to 0.1 mm, as the rules read it."""
    axes = (round(measured.long_axis_mm, 2), round(measured.short_axis_mm, 2))
    return float(half_up((half_up(axes[0]) + half_up(axes[1])) / 2))


def slice_of(nodule: Nodule, study: Study) -> SlicePart:
    """Name the slice on which to look at a nodule; raises as :func:`slice_part`."""
    ends = nodule.measurement.long_axis_ends_lps_mm if nodule.measurement else None
    return slice_part(study, key_point(ends, center_lps_mm=nodule.center_lps_mm))


def slice_part(study: Study, lps_mm: ArrayLike) -> SlicePart:
    """Name the slice nearest to a point.

    Raises
    ------
    InputError : ``OUTSIDE_VOLUME``.
    """
    z, reference = study.slice_at(lps_mm)
    return SlicePart(
        number=z + 1,
        count=study.volume.geometry.shape_zyx[0],
        instance_number=reference.instance_number,
        sop_instance_uid=reference.sop_instance_uid,
    )


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _pair(values: tuple[float, float] | None, digits: int) -> tuple[float, float] | None:
    return None if values is None else (round(values[0], digits), round(values[1], digits))


def rounded(vector: Vector, *, digits: int = 3) -> Point:
    """Return a place as the report states it."""
    a, b, c = (round(float(v), digits) for v in vector)
    return a, b, c


def _rounded_ends(ends: tuple[Vector, Vector] | None) -> Ends | None:
    return None if ends is None else (rounded(ends[0]), rounded(ends[1]))


def _study_warnings(study: Study, lungs: LungVolumes) -> Iterator[WarningPart]:
    for warning in study.warnings:
        yield WarningPart(code=warning.code, message=warning.message)
    spacing_mm = study.volume.geometry.spacing_zyx_mm[0]
    if spacing_mm > SLICES_MM[1]:
        yield WarningPart(
            code="THICK_SLICES",
            message=f"Slices lie {spacing_mm:.2f} mm apart: small nodules may be missed and "
            "sizes are uncertain.",
        )
    if study.series.lossy:
        yield WarningPart(code="LOSSY", message="The images were compressed with loss.")
    if min(lungs.right_ml, lungs.left_ml) == 0:
        yield WarningPart(
            code="LUNG_NOT_FOUND",
            message="A lung was not found: nodules in it are not looked for.",
        )


def _comparison_warnings(comparison: ComparisonRecord | None) -> Iterator[WarningPart]:
    for warning in () if comparison is None else comparison.warnings:
        yield WarningPart(code=warning.code, message=warning.message)


def finding_warnings(finding: FindingPart) -> Iterator[WarningPart]:
    """Say what the reader must know of a finding."""
    if finding.long_axis_mm is None:
        yield WarningPart(
            code="NOT_MEASURED",
            message=f"{finding.id} could not be told from its surroundings and has no size.",
        )
    elif finding.scope == "mass":
        yield WarningPart(
            code="MASS",
            message=f"{finding.id} exceeds {NODULE_LIMIT_MM:g} mm: a mass, not a nodule. It needs "
            "work-up of its own, whatever rules for nodules say.",
        )
