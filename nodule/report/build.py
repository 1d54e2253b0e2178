"""From what the stages found to what the report says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from numpy.typing import ArrayLike

from nodule.advice.case import Case
from nodule.advice.context import Context
from nodule.advice.management import manage
from nodule.errors import InputError
from nodule.findings import Finding, masks_of
from nodule.followup import Comparison, lungs_cut
from nodule.home_ground import state_home_ground
from nodule.intended_use import Limits
from nodule.lung_disease import LungDisease
from nodule.mask_labels import MaskReference, refer_to_masks
from nodule.printed import as_printed
from nodule.report._quality import LEAST_LUNGS_ML, SLICES_MM, quality_checks
from nodule.report._study_parts import reported_study
from nodule.report.model import Provenance, Report
from nodule.report.reported_nodule import NODULE_LIMIT_MM, ReportedNodule, reported
from nodule.report.software import software_of
from nodule.study import PatientHeader, Study, StudyWarning
from nodule.volume import LungMask

_NOTHING_STATED = Context()


def build_report(
    *,
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
    disease: LungDisease | None = None,
    context: Context = _NOTHING_STATED,
    comparison: Comparison | None = None,
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
    disease : how much of the lungs is diseased beyond nodules, None where nobody measured it.
    context : what somebody states about the person and the exam.
    comparison : with a prior study, of these findings.

    Raises
    ------
    InputError : ``UNKNOWN_FINDING`` where the context speaks of a finding that there is not,
        ``OUTSIDE_VOLUME`` for a finding that the images do not show.
    """
    examined = reported_study(study, lungs, patient)
    references = refer_to_masks(masks_of(findings), grid=study.volume.geometry)
    stated = tuple(
        _stated(each, study, context, references.get(each.nodule.id)) for each in findings
    )
    refuse_unknown(context, known={each.nodule.id for each in stated})
    compared = None if comparison is None else as_printed(comparison)
    extent = None if disease is None else as_printed(disease)
    of_findings = (warning for each in stated for warning in finding_warnings(each))
    return Report(
        study=examined,
        context=context,
        software=software_of(provenance),
        provenance=provenance,
        quality=quality_checks(study, lungs, extent),
        home_ground=as_printed(
            state_home_ground(
                study,
                lungs,
                whole=not lungs_cut(lungs),
                finding_count=len(findings),
                disease=disease,
            )
        ),
        disease=extent,
        findings=stated,
        dominant=dominant_id(stated, extent),
        comparison=compared,
        management=manage(
            Case(
                context=context,
                patient=examined.patient,
                slice_mm=examined.slice_mm,
                active=stated,
                comparison=compared,
                disease=extent,
            )
        ),
        limits=Limits(),
        warnings=(
            *_study_warnings(study, lungs),
            *(() if compared is None else compared.warnings),
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
            "facts are stated about findings that are not in the report",
            code="UNKNOWN_FINDING",
            expected=", ".join(sorted(known)) or "none",
            got=", ".join(unknown),
            hint="Make the report without them first; findings are named there.",
        )


def _stated(
    finding: Finding, study: Study, context: Context, reference: MaskReference | None
) -> ReportedNodule:
    nodule = finding.nodule
    if finding.assessment is None or nodule.lung is None:
        raise InputError(
            f"{nodule.id} was not found by the software",
            code="NOT_ASSESSED",
            expected="a finding with an assessment, in a lung",
            hint="A report is built from the software's findings; a review adds those of readers.",
        )
    refuse_outside(study, nodule.key_point_lps_mm)
    return reported(
        nodule,
        assessment=finding.assessment,
        lobe=context.of(nodule.id).lobe,
        mask=reference,
    )


def refuse_outside(study: Study, lps_mm: ArrayLike) -> None:
    """Refuse a point that the images do not show.

    Raises
    ------
    InputError : ``OUTSIDE_VOLUME``.
    """
    study.slice_at(lps_mm)


def dominant_id(findings: Iterable[ReportedNodule], disease: LungDisease | None) -> str | None:
    """Name the most suspicious finding, of equals the more probable; None without any.

    Those in diffusely diseased lung are left out.
    """
    outside = (e for e in findings if disease is None or not disease.holds(e.nodule.id))
    first = max(outside, key=_suspicion, default=None)
    return None if first is None else first.nodule.id


def _suspicion(finding: ReportedNodule) -> tuple[float, float]:
    if finding.rating is None or finding.assessment is None:
        return 0.0, 0.0  # nobody assessed it
    return finding.rating.score, finding.assessment.probability


def _study_warnings(study: Study, lungs: LungMask) -> Iterator[StudyWarning]:
    yield from study.warnings
    spacing_mm = study.volume.geometry.spacing_zyx_mm[0]
    if spacing_mm > SLICES_MM[1]:
        yield StudyWarning(
            code="THICK_SLICES",
            message=f"Slices lie {spacing_mm:.2f} mm apart: small nodules may be missed and "
            "sizes are uncertain.",
        )
    if study.series.lossy:
        yield StudyWarning(code="LOSSY", message="The images were compressed with loss.")
    if min(lungs.volume_ml) == 0:
        yield StudyWarning(
            code="LUNG_NOT_FOUND",
            message="One lung was not found, and was not searched for nodules.",
        )
    total_ml = sum(lungs.volume_ml)
    if 0 < total_ml < LEAST_LUNGS_ML and not lungs_cut(lungs):
        yield StudyWarning(
            code="SMALL_LUNGS",
            message=f"The lungs measure {total_ml:.0f} ml together though the scan holds them "
            f"whole, and an adult's more than {LEAST_LUNGS_ML:.0f} ml: a child, airless lungs or "
            "no lungs at all. What is found in them is in doubt.",
        )


def finding_warnings(finding: ReportedNodule) -> Iterator[StudyWarning]:
    """Say what the reader must know of a finding."""
    if finding.nodule.measurement is None:
        yield StudyWarning(
            code="NOT_MEASURED",
            message=f"{finding.nodule.id} could not be separated from its surroundings and has no "
            "size.",
        )
    elif finding.scope == "mass":
        yield StudyWarning(
            code="MASS",
            message=f"{finding.nodule.id} exceeds {NODULE_LIMIT_MM:g} mm: a mass, not a nodule. It "
            "needs its own work-up, regardless of rules for nodules.",
        )
