import json
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_findings import made_finding, seen_in
from pydantic import ValidationError

from nodule.advice._measured_nodule import measured_nodule
from nodule.errors import InputError
from nodule.findings import Finding
from nodule.geometry import Geometry
from nodule.report import Provenance, Report, build_report
from nodule.report.reported_nodule import nearest_rating
from nodule.review.review_file import read_report
from nodule.study import PatientHeader, SeriesHeader, Study
from nodule.volume import LungMask, Volume


def test_names_the_image_with_the_calipers(report: Report) -> None:
    # z = -42 is index 14 of slices 2 mm apart from -70; image numbers fall from 30
    assert asdict(report.findings[0].nodule.image) == {
        "number": 15,
        "count": 30,
        "instance_number": 16,
        "sop_instance_uid": "1.2.3.4.14",
    }


def test_names_the_image_through_the_centre_where_there_are_no_calipers(report: Report) -> None:
    assert report.findings[2].nodule.image.number == 6


def test_counts_slices_where_the_format_has_no_image_numbers(
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
) -> None:
    bare = replace(study, slices=())
    report = build_report(
        study=bare,
        lungs=lungs,
        findings=seen_in(bare, findings),
        patient=patient,
        provenance=provenance,
    )
    assert report.findings[0].nodule.image.number == 15
    assert report.findings[0].nodule.image.instance_number is None


def test_holds_what_the_finding_says(report: Report) -> None:
    first = report.findings[0]
    nodule, measured = first.nodule, first.nodule.measurement
    assert measured is not None
    assert (measured.long_axis_mm, measured.short_axis_mm) == (12.6, 11.94)
    assert (measured.effective_diameter_mm, measured.volume_mm3) == (12.0, 904.8)
    # 0.05 + 0.2 + 0.45 + 1.2 + 2.0
    assert first.rating is not None
    assert (first.rating.score, first.rating.nearest) == (3.9, 4)
    assert first.rating.word == "moderately suspicious"
    assert (nodule.lung, nodule.lung_zone, nodule.pleura_distance_mm) == ("left", "upper", 7.3)
    assert (measured.texture, measured.mean_hu, measured.sphericity) == ("solid", -31, 0.876)


def test_the_rules_read_the_axes_of_what_has_no_volume(report: Report) -> None:
    """The second finding was measured, but nobody can say how well."""
    nodule = measured_nodule(report.findings[1].nodule)
    assert nodule.size is not None
    assert nodule.size.axes_mm == (34.2, 28.0)
    assert nodule.size.volume_mm3 is None


def test_a_lesion_over_30_mm_is_a_mass_and_stays(report: Report) -> None:
    assert [finding.scope for finding in report.findings] == ["nodule", "mass", "nodule"]


@pytest.mark.parametrize(
    ("long_axis_mm", "scope"), [(29.99, "nodule"), (30.0, "nodule"), (30.01, "mass")]
)
def test_a_nodule_measures_up_to_30_mm(
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
    long_axis_mm: float,
    scope: str,
) -> None:
    """Fleischner Society glossary 2024: beyond 3 cm it is a mass."""
    mass = findings[1]
    assert mass.nodule.measurement is not None
    measured = replace(mass.nodule.measurement, long_axis_mm=long_axis_mm)
    resized = replace(mass, nodule=replace(mass.nodule, id="N1", measurement=measured))
    report = build_report(
        study=study, lungs=lungs, findings=(resized,), patient=patient, provenance=provenance
    )
    assert report.findings[0].scope == scope
    assert ("MASS" in [w.code for w in report.warnings]) == (scope == "mass")


@pytest.mark.parametrize(
    ("score", "rating"), [(1.0, 1), (1.49, 1), (1.5, 2), (3.49, 3), (3.5, 4), (5.0, 5)]
)
def test_a_mean_of_ratings_has_the_word_of_the_nearest(score: float, rating: int) -> None:
    assert nearest_rating(score) == rating


def test_warns_of_what_the_reader_must_know(report: Report) -> None:
    assert [w.code for w in report.warnings] == [
        "RESCALED",
        "SMALL_LUNGS",
        "MASS",
        "NOT_MEASURED",
    ]


def test_warns_of_a_missing_lung(
    study: Study, lungs: LungMask, patient: PatientHeader, provenance: Provenance
) -> None:
    one = replace(lungs, labels_zyx=lungs.labels_zyx * (lungs.labels_zyx == LungMask.LEFT))
    report = build_report(
        study=study, lungs=one, findings=(), patient=patient, provenance=provenance
    )
    assert "LUNG_NOT_FOUND" in [w.code for w in report.warnings]


@pytest.mark.parametrize(
    ("slices", "first", "warned"),
    [
        (24, 1, True),  # 960 ml
        (25, 1, False),  # 1000 ml
        (26, 1, False),
        (24, 0, False),  # and the scan ends within them
    ],
)
def test_small_lungs_that_the_scan_holds_whole_are_warned_of(
    slices: int, first: int, warned: bool, patient: PatientHeader, provenance: Provenance
) -> None:
    geometry = Geometry(shape_zyx=(30, 20, 40), spacing_zyx_mm=(10.0, 10.0, 5.0))
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    chest = labels[first : first + slices, :, :]
    chest[:, :4, 5:15] = LungMask.RIGHT  # 40 ml a slice, both together
    chest[:, :4, 20:30] = LungMask.LEFT
    volume = Volume(array_zyx=np.zeros(geometry.shape_zyx, np.float32), geometry=geometry)
    report = build_report(
        study=Study(volume=volume, series=SeriesHeader(source_format="nifti")),
        lungs=LungMask(labels_zyx=labels, geometry=geometry),
        findings=(),
        patient=patient,
        provenance=provenance,
    )
    assert ("SMALL_LUNGS" in [w.code for w in report.warnings]) == warned


def test_json_comes_back_as_it_went(report: Report) -> None:
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_refuses_a_field_that_it_does_not_know(report: Report) -> None:
    content = report.model_dump(mode="json")
    content["findings"][0]["lobe"] = "upper"
    with pytest.raises(ValidationError, match="lobe"):
        Report.model_validate(content)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("findings.0.nodule", {"shoe_size": 44}),
        ("findings.0.nodule.measurement", {"long_axis_mm": -1.0}),
        ("findings.0.nodule.measurement", {"mean_hu": float("nan")}),
        ("findings.0.assessment", {"probability": 1.5}),
        ("findings.0.assessment.malignancy", {"distribution": [0.5, 0.5, 0.5, 0.0, 0.0]}),
        ("findings.0", {"assessment": None}),
        ("findings.0.nodule", {"id": "R1"}),
        ("findings.0.nodule", {"id": "X1"}),
        ("study.grid", {"slice_direction": None}),
        ("warnings.0", {"code": None}),
    ],
)
def test_refuses_what_no_report_says(
    report: Report, place: str, change: dict[str, Any], tmp_path: Path
) -> None:
    content = report.model_dump(mode="json")
    part = content
    for name in place.split("."):
        part = part[int(name)] if name.isdigit() else part[name]
    part.update(change)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="BAD_REPORT"):
        read_report(path)


def test_a_finding_that_the_images_do_not_show_is_refused(
    study: Study, lungs: LungMask, patient: PatientHeader, provenance: Provenance
) -> None:
    far = made_finding("N1", (0.0, 0.0, 999.0), study=study)
    with pytest.raises(InputError, match="OUTSIDE_VOLUME"):
        build_report(
            study=study, lungs=lungs, findings=(far,), patient=patient, provenance=provenance
        )


def test_the_shipped_schema_is_that_of_the_model() -> None:
    shipped = files("nodule.report").joinpath("report.schema.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == Report.model_json_schema()
