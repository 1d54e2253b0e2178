"""From what the stages found to what the report says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nodule.findings import Finding, Measurement
from nodule.geometry import Vector
from nodule.report.model import (
    NODULE_LIMIT_MM,
    Ends,
    FindingPart,
    LungVolumes,
    MalignancyPart,
    Patient,
    Point,
    Provenance,
    Report,
    SlicePart,
    StudyPart,
    Technique,
    WarningPart,
)
from nodule.study import PatientHeader, Study
from nodule.volume import LungMask

_THICK_MM = 3.0  # thicker slices hide small nodules and blur sizes (input rules of readers' aids)
_SIZE_DIGITS = {
    "long_axis_mm": 2,
    "short_axis_mm": 2,
    "effective_diameter_mm": 2,
    "volume_mm3": 1,
    "mean_hu": 0,
    "sphericity": 3,
}
_ENDS = ("long_axis_ends_lps_mm", "short_axis_ends_lps_mm")
_IDENTITY = ("study_instance_uid", "series_instance_uid", "frame_of_reference_uid")


def build_report(
    *,
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
) -> Report:
    """State what was found.

    Numbers are rounded to what is meaningful, so that equal inputs give equal bytes.

    Parameters
    ----------
    study : as read.
    lungs : on any grid.
    findings : in the order to report.
    patient : appears in the report's header only.
    provenance : what made it.
    """
    part = _study_part(study, lungs, patient)
    stated = tuple(_finding_part(finding, study) for finding in findings)
    of_findings = (warning for finding in stated for warning in finding_warnings(finding))
    return Report(
        study=part,
        provenance=provenance,
        findings=stated,
        warnings=(*_study_warnings(study, part.lungs), *of_findings),
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
            spacing_zyx_mm=_rounded(geometry.spacing_zyx_mm, digits=4),
        ),
        lungs=LungVolumes(right_ml=round(right_ml), left_ml=round(left_ml)),
    )


def _finding_part(finding: Finding, study: Study) -> FindingPart:
    measured = finding.measurement
    long_ends = measured.long_axis_ends_lps_mm if measured else None
    key_point = finding.center_lps_mm if long_ends is None else np.mean(long_ends, axis=0)
    a, b, c, d, e = finding.malignancy.distribution
    too_large = measured is not None and measured.long_axis_mm > NODULE_LIMIT_MM
    return FindingPart(
        id=finding.id,
        center_lps_mm=_rounded(finding.center_lps_mm),
        slice=slice_part(study, key_point),
        probability=round(finding.probability, 4),
        malignancy=MalignancyPart(
            score=round(finding.malignancy.score, 3),
            distribution=(round(a, 4), round(b, 4), round(c, 4), round(d, 4), round(e, 4)),
        ),
        **_sizes(measured),
        lung=finding.lung,
        third=finding.third,
        pleura_distance_mm=_round(finding.pleura_distance_mm, 1),
        scope="mass" if too_large else "nodule",
    )


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


def _sizes(measured: Measurement | None) -> dict[str, Any]:
    if measured is None:
        return dict.fromkeys(_SIZE_DIGITS) | dict.fromkeys((*_ENDS, "texture"))
    sizes = {name: _round(getattr(measured, name), n) for name, n in _SIZE_DIGITS.items()}
    ends = {name: _rounded_ends(getattr(measured, name)) for name in _ENDS}
    return {**sizes, **ends, "texture": measured.texture}


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _rounded(vector: Vector, *, digits: int = 3) -> Point:
    a, b, c = (round(float(v), digits) for v in vector)
    return a, b, c


def _rounded_ends(ends: tuple[Vector, Vector] | None) -> Ends | None:
    return None if ends is None else (_rounded(ends[0]), _rounded(ends[1]))


def _study_warnings(study: Study, lungs: LungVolumes) -> Iterator[WarningPart]:
    for warning in study.warnings:
        yield WarningPart(code=warning.code, message=warning.message)
    spacing_mm = study.volume.geometry.spacing_zyx_mm[0]
    if spacing_mm > _THICK_MM:
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
            message=f"{finding.id} exceeds {NODULE_LIMIT_MM:g} mm: a mass, to which no rule for "
            "nodules applies.",
        )
