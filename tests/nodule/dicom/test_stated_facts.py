"""What a document takes from readers, from a prior study and from rules."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dicom_case import Case, groups_of, items_of, numbers, ratings
from made_findings import remeasured, renamed

from nodule.advice.case import Case as Nodules
from nodule.advice.context import Context
from nodule.advice.management import manage
from nodule.dicom._instance import save
from nodule.dicom._segmentation import build_segmentation
from nodule.dicom._structured_report import write_dicom_sr
from nodule.findings import AssessedNodule
from nodule.followup import Change, Comparison, ExamIdentity, Registration
from nodule.report import Report
from nodule.report.reported_nodule import ReaderMark, ReportedNodule


@pytest.mark.parametrize(
    ("lobe", "expected"),
    [
        ("RUL", "42400003"),
        ("RML", "72481006"),
        ("RLL", "266005"),
        ("LUL", "44714003"),
        ("LLL", "41224006"),
    ],
)
def test_names_the_lobe_that_a_reader_states(
    case: Case, lobe: str, expected: str, tmp_path: Path
) -> None:
    first = replace(case.report.findings[0], lobe=lobe)
    report = case.report.model_copy(update={"findings": (first,)})
    path = write_dicom_sr(report, source=case.source, segmentation=None, folder=tmp_path)
    (group,) = groups_of(path)
    (site,) = group.finding_sites
    assert (site.value.value, site.value.scheme_designator) == (expected, "SCT")
    assert site.laterality is None  # the code names the side
    masks = {"N1": case.masks["N1"]}
    segment = build_segmentation(
        report, masks=masks, lungs=case.lungs, source=case.source
    ).SegmentSequence[0]
    (region,) = segment.AnatomicRegionSequence
    assert region.CodeValue == expected
    assert "AnatomicRegionModifierSequence" not in region


@pytest.mark.parametrize(
    ("growth", "expected"),
    [
        ("growing, VDT up to 400 days", "15454001"),
        ("decreasing", "19776001"),
        ("stable", "129723006"),
        (None, None),
    ],
)
def test_says_what_has_become_of_a_finding(
    case: Case, growth: str | None, expected: str | None, tmp_path: Path
) -> None:
    """Codes of CID 6134, under (111049, DCM, Qualitative Difference)."""
    first = case.report.findings[0]
    report = case.report.model_copy(
        update={"findings": (first,), "comparison": grown(first, growth)}
    )
    path = write_dicom_sr(report, source=case.source, segmentation=None, folder=tmp_path)
    (group,) = groups_of(path)
    assert ratings(group).get("111049") == expected


def grown(finding: ReportedNodule, growth: str | None) -> Comparison:
    study = ExamIdentity(
        study_instance_uid=None, series_instance_uid=None, study_date=None, input_sha256="a" * 64
    )
    shown = AssessedNodule(nodule=finding.nodule, assessment=finding.assessment)
    return Comparison(
        current=study,
        prior=study,
        days=300,
        registration=Registration(overlap=0.97, surface_error_mm=1.2),
        changes=(
            Change(current=shown, prior=shown, distance_mm=1.0, ambiguous=False, growth=growth),
        ),
        new=(),
        resolved=(),
    )


def test_everything_that_can_be_said_is_valid(
    case: Case, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    """A lobe, a solid component, a change, and a category for the exam, in one document."""
    first = remeasured(
        replace(case.report.findings[0], lobe="LUL"),
        solid_axes_mm=(5.2, 4.4),
        solid_volume_mm3=61.0,
    )
    report = screened(case, first).model_copy(update={"comparison": grown(first, "stable")})
    segmentation = build_segmentation(
        report, masks={"N1": case.masks["N1"]}, lungs=case.lungs, source=case.source
    )
    seg = save(segmentation, tmp_path / "seg.dcm")
    path = write_dicom_sr(report, source=case.source, segmentation=segmentation, folder=tmp_path)
    (group,) = groups_of(path)
    assert (
        numbers(group).items()
        >= {
            ("2", "99NODULE"): (5.2, "mm"),
            ("3", "99NODULE"): (4.4, "mm"),
            ("4", "99NODULE"): (61.0, "mm3"),
        }.items()
    )
    assert dciodvfy(seg) == dciodvfy(path) == []


def test_what_a_reader_added_is_measured_but_not_rated(
    case: Case, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    first = case.report.findings[0]
    reader = ReaderMark(long_axis_mm=12.0, comment=None)
    added = replace(renamed(first, "R1"), assessment=None, rating=None, reader=reader)
    report = case.report.model_copy(update={"findings": (), "added": (added,)})
    path = write_dicom_sr(report, source=case.source, segmentation=None, folder=tmp_path)
    (group,) = groups_of(path)
    assert group.tracking_identifier == "R1"
    assert numbers(group)[("103339001", "SCT")] == (12.6, "mm")
    assert ("111012", "DCM") not in numbers(group)
    assert "RID36042" not in ratings(group)
    assert dciodvfy(path) == []


def screened(case: Case, finding: ReportedNodule) -> Report:
    """Return the report of a first screening that shows one finding."""
    context = Context(setting="screening-baseline")
    alone = (finding,)
    advice = manage(
        Nodules(
            context=context,
            patient=case.report.study.patient,
            slice_mm=case.report.study.slice_mm,
            active=alone,
            comparison=None,
        )
    )
    return case.report.model_copy(update={"findings": alone, "management": advice})


def test_a_lung_rads_category_is_stated_for_the_exam(
    case: Case, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    report = screened(case, remeasured(case.report.findings[0], texture="solid"))
    path = write_dicom_sr(report, source=case.source, segmentation=None, folder=tmp_path)
    # 12.6 x 9.4 mm, solid, baseline: 8 to < 15 mm
    category, *limits = items_of(path, "C0034375")
    assert "figures do not hold" in limits[0].TextValue
    assert category.ConceptNameCodeSequence[0].CodeValue == "1362105002"
    assert category.ConceptCodeSequence[0].CodeValue == "LR2022-4A"
    assert dciodvfy(path) == []
