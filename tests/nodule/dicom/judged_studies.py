"""Forty studies with all that a report can say, made from small series without any network."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import highdicom as hd
import pydicom
from dicom_case import Case, box_mask, read_case, write_series
from made_findings import made_finding, remeasured, renamed
from test_reviewed_document import decision, reviewed
from test_stated_facts import grown, screened

from nodule.ct import inventory
from nodule.dicom import DicomOptions, write_dicom
from nodule.nodules import Measurement
from nodule.report import Provenance, Report, build_report
from nodule.report.reported_nodule import ReaderMark

Change = Callable[[Case], Report]
ROOT = "1.2.826.0.1.3680043.10.2"
KEY_OBJECTS = DicomOptions(key_objects=True)
WITHOUT = (  # attributes of which each is missing once
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("StudyID", "AccessionNumber", "ReferringPhysicianName", "SeriesDate", "SliceThickness"),
    *("PositionReferenceIndicator", "SeriesNumber", "Manufacturer"),
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a study is made: attributes of its series, what is reported, and what is written."""

    report: Change
    attributes: tuple[tuple[str, object], ...] = ()
    multi_frame: bool = False
    options: DicomOptions = KEY_OBJECTS
    segments: bool = True


def only(*numbers: int, **said: Any) -> Change:
    """Report some of the three findings: a nodule, a mass, one without a size."""

    def report(case: Case) -> Report:
        kept = tuple(case.report.findings[n] for n in numbers)
        return case.report.model_copy(update={"findings": kept, **said})

    return report


def forty(case: Case) -> Report:
    """Report forty findings, each of another size."""
    grid = case.study.volume.geometry
    findings = []
    for n in range(1, 41):
        place = tuple(grid.index_to_lps((n % 13, 5 + n % 20, 6 + n % 25)).tolist())
        size = Measurement(
            center_lps_mm=place,
            long_axis_mm=4.0 + n / 8,
            short_axis_mm=3.0 + n / 8,
            volume_mm3=40.0 + n,
            texture=("solid", "part-solid", "ground-glass", "calcified")[n % 4],
        )
        mask = box_mask(grid, (n % 13, 5 + n % 20, 6 + n % 25), (1, 2, 2))
        findings.append(made_finding(f"N{n}", place, measurement=size, mask=mask, study=case.study))
    return build_report(
        study=case.study,
        lungs=case.lungs,
        findings=tuple(findings),
        patient=case.source.patient,
        provenance=Provenance(
            input_sha256=case.source.digest, weights={}, config={}, versions={"nodule": "0.1.0"}
        ),
    )


def changed(growth: str | None) -> Change:
    def report(case: Case) -> Report:
        first = case.report.findings[0]
        update = {"findings": (first,), "comparison": grown(first, growth)}
        return case.report.model_copy(update=update)

    return report


def with_axes(case: Case) -> Report:
    grid = case.study.volume.geometry

    def line(*ends_zyx: tuple[int, int, int]) -> Any:
        return tuple(tuple(grid.index_to_lps(end).tolist()) for end in ends_zyx)

    first = remeasured(
        case.report.findings[0],
        long_axis_ends_lps_mm=line((5, 9, 21), (5, 12, 25)),
        short_axis_ends_lps_mm=line((5, 8, 24), (5, 11, 22)),
        solid_axes_mm=(5.2, 4.4),
        solid_volume_mm3=61.0,
    )
    return case.report.model_copy(update={"findings": (first,)})


def in_lobe(lobe: str) -> Change:
    def report(case: Case) -> Report:
        first = replace(case.report.findings[0], lobe=lobe)
        return case.report.model_copy(update={"findings": (first,)})

    return report


def added_unsized(case: Case) -> Report:
    unsized = replace(
        renamed(case.report.findings[2], "R1"),
        assessment=None,
        rating=None,
        reader=ReaderMark(long_axis_mm=None, comment=None),
    )
    return case.report.model_copy(update={"findings": (), "added": (unsized,)})


def abstained(case: Case) -> Report:
    first = case.report.findings[0]
    assert first.assessment is not None
    unsure = replace(first.assessment.malignancy, indeterminate=True)
    alone = replace(first, assessment=replace(first.assessment, malignancy=unsure))
    return case.report.model_copy(update={"findings": (alone,)})


def complete(case: Case, **review: Any) -> Report:
    everything = (*reviewed(case).reviews[0].decisions, decision("N3", verdict="accepted"))
    return reviewed(case, decisions=everything, **review)


def category(case: Case) -> Report:
    return screened(case, remeasured(case.report.findings[0], texture="solid"))


def whole(case: Case) -> Report:
    return case.report


DAILY = (  # one of each kind, for whoever takes long over each
    *("none", "axes and core", "a mass", "no size", "prior, growing", "review, attested"),
    *("added without a size", "multi-frame, review", "without PatientID"),
)
RECIPES: dict[str, Recipe] = {
    "none": Recipe(report=only()),
    "one": Recipe(report=only(0)),
    "one without a segment": Recipe(report=only(0), segments=False),
    "a mass": Recipe(report=only(1)),
    "no size": Recipe(report=only(2)),
    "three": Recipe(report=whole),
    "forty": Recipe(report=forty),
    "axes and core": Recipe(report=with_axes),
    "abstained": Recipe(report=abstained),
    "category": Recipe(report=category),
    "lungs": Recipe(report=whole, options=DicomOptions(lungs=True)),
    "prior, growing": Recipe(report=changed("growing, VDT up to 400 days")),
    "prior, stable": Recipe(report=changed("stable")),
    "prior, decreasing": Recipe(report=changed("decreasing")),
    "prior, not judged": Recipe(report=changed(None)),
    "review": Recipe(report=reviewed),
    "review by nobody": Recipe(report=lambda case: reviewed(case, reader=None)),
    "review of everything": Recipe(report=complete),
    "review, attested": Recipe(report=lambda case: complete(case, attested_for="Hospital")),
    "added without a size": Recipe(report=added_unsized),
    **{f"lobe {lobe}": Recipe(report=in_lobe(lobe)) for lobe in ("RUL", "LLL")},
    "multi-frame": Recipe(report=with_axes, multi_frame=True),
    "multi-frame, review": Recipe(report=reviewed, multi_frame=True),
    "other scripts": Recipe(
        report=reviewed,
        attributes=(
            ("SpecificCharacterSet", "ISO_IR 192"),
            ("PatientName", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ),
    ),
    "lossy": Recipe(
        report=whole,
        attributes=(
            ("LossyImageCompression", "01"),
            ("LossyImageCompressionRatio", "9.0"),
            ("LossyImageCompressionMethod", "ISO_10918_1"),
        ),
    ),
    **{
        f"without {keyword}": Recipe(report=whole, attributes=((keyword, None),))
        for keyword in WITHOUT
    },
}


def make_series(folder: Path, recipe: Recipe) -> Case:
    """Write a recipe's series and return its case."""
    single = folder / "ct"
    single.mkdir(parents=True)
    write_series(single, dict(recipe.attributes), root=ROOT)
    case = read_case(single)
    if not recipe.multi_frame:
        return case
    converted = hd.legacy.LegacyConvertedEnhancedCTImage(
        [pydicom.dcmread(path) for path in single.iterdir()],
        series_instance_uid=f"{ROOT}.8", series_number=4, sop_instance_uid=f"{ROOT}.9",
        instance_number=1,
    )  # fmt: skip
    (folder / "multi").mkdir()
    converted.save_as(folder / "multi" / "multi.dcm")
    return replace(case, source=inventory(folder / "multi").choose())


def make_study(folder: Path, recipe: Recipe, case: Case | None = None) -> tuple[Path, ...]:
    """Write what is reported of a recipe's study; return its DICOM files."""
    made = case or make_series(folder, recipe)
    report = recipe.report(made)
    masks = {each.nodule.id: made.masks.get(each.nodule.id) for each in report.active}
    grid = made.study.volume.geometry
    if len(masks) == 40:
        masks = {
            f"N{n}": box_mask(grid, (n % 13, 5 + n % 20, 6 + n % 25), (1, 2, 2))
            for n in range(1, 41)
        }
    return write_dicom(
        report,
        masks={id_: mask for id_, mask in masks.items() if mask is not None and recipe.segments},
        lungs=made.lungs,
        source=made.source,
        folder=folder / "results",
        options=recipe.options,
    )
