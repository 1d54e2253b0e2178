"""The whole chain with the shipped weights, through the command, on real DICOM."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from nodule.ct import read_ct
from nodule.phantom import demo_spec, make_phantom
from nodule.report import Report

TOLERANCE_MM = 0.01  # one study in several formats
# LUNA16, annotations.csv, the only nodule of LIDC-IDRI-0001
NODULE_0001_LPS_MM = (56.208, 86.343, -115.868)
NODULE_0001_DIAMETER_MM = 23.35


def nodule_says(*argv: object) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-c", "from pipelines.cli.main import main; main()", *map(str, argv)],
        capture_output=True,
        text=True,
        check=False,
    )


def nodule(*argv: object) -> dict[str, Any]:
    """Run the command; return the JSON of its last line."""
    done = nodule_says(*argv)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


def report_of(folder: Path) -> Report:
    return Report.model_validate_json((folder / "report.json").read_text())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    nodule("demo", "-o", folder, "--cache", folder / "cache")
    return folder


@pytest.mark.slow
def test_the_demo_finds_its_large_solid_nodules(demo: Path) -> None:
    truth = make_phantom(demo_spec()).nodules
    found = [f.nodule.center_lps_mm for f in report_of(demo / "report" / "study").findings]
    large = [n for n in truth if n.texture == "solid" and n.diameter_mm >= 8]
    assert large
    for each in large:
        gaps = [np.linalg.norm(np.subtract(each.center_lps_mm, point)) for point in found]
        assert min(gaps) < each.diameter_mm / 2


@pytest.mark.slow
def test_the_demo_writes_every_file_and_nothing_twice(demo: Path) -> None:
    folder = demo / "report" / "study"
    report = report_of(folder)
    assert "report.html" in {path.name for path in folder.iterdir()}
    rows = list(csv.DictReader((folder / "findings.csv").read_text("utf-8-sig").splitlines()))
    assert [row["id"] for row in rows] == [finding.nodule.id for finding in report.findings]
    again = nodule("run", demo / "study", "-o", demo / "report", "--cache", demo / "cache")
    assert [study["ran"] for study in again["done"]] == [[]]


@pytest.mark.slow
def test_every_format_gives_the_same_findings(demo: Path, tmp_path: Path) -> None:
    volume = read_ct(demo / "study").volume
    image = sitk.GetImageFromArray(volume.array_zyx.astype(np.int16))
    geometry = volume.geometry
    image.SetSpacing(geometry.spacing_zyx_mm[::-1])
    image.SetOrigin(geometry.origin_lps_mm)
    image.SetDirection(np.asarray(geometry.direction)[:, ::-1].ravel().tolist())
    for suffix in ("nii.gz", "mhd", "nrrd"):
        sitk.WriteImage(image, tmp_path / f"{suffix[:3]}.{suffix}")
    shutil.make_archive(str(tmp_path / "zipped"), "zip", demo / "study")
    inputs = [*tmp_path.glob("*.nii.gz"), *tmp_path.glob("*.mhd"), *tmp_path.glob("*.nrrd")]
    inputs.append(tmp_path / "zipped.zip")
    assert len(inputs) == 4
    summary = nodule("run", *inputs, "-o", tmp_path / "out", "--cache", demo / "cache")
    reference = report_of(demo / "report" / "study").findings
    assert reference
    for study in summary["done"]:
        findings = report_of(Path(study["folder"])).findings
        assert len(findings) == len(reference)
        for one, other in zip(findings, reference, strict=True):
            np.testing.assert_allclose(
                one.nodule.center_lps_mm, other.nodule.center_lps_mm, atol=TOLERANCE_MM
            )
            sizes = [each.nodule.measurement for each in (one, other)]
            assert [s and s.volume_mm3 for s in sizes[:1]] == pytest.approx(
                [s and s.volume_mm3 for s in sizes[1:]]
            )
            assert one.assessment is not None
            assert other.assessment is not None
            assert one.assessment.probability == pytest.approx(
                other.assessment.probability, abs=1e-5
            )


@pytest.mark.slow
def test_finds_the_nodule_of_a_patient_never_seen(shared: Path, tmp_path: Path) -> None:
    study = shared / "data" / "ct" / "LIDC-IDRI-0001"
    nodule("run", study, "-o", tmp_path, "--cache", tmp_path / "cache")
    report = report_of(tmp_path / study.name)
    hits = [
        finding
        for finding in report.findings
        if np.linalg.norm(np.subtract(finding.nodule.center_lps_mm, NODULE_0001_LPS_MM))
        < NODULE_0001_DIAMETER_MM / 2
    ]
    assert hits
    assert hits[0].nodule.lung == "left"
    assert hits[0].rating is not None
    assert hits[0].rating.score > 3.5  # its readers said 5, 5, 5 and 4
    mask = sitk.ReadImage(tmp_path / study.name / "lungs.nii.gz")
    labels = sitk.GetArrayViewFromImage(mask)
    middle = labels.shape[2] // 2
    # the patient's right is at low x in LPS
    assert np.count_nonzero(labels[:, :, :middle] == 1) > 20 * np.count_nonzero(
        labels[:, :, :middle] == 2
    )


@pytest.mark.slow
def test_dicom_results_refer_to_the_study_they_were_made_of(demo: Path) -> None:
    nodule("run", demo / "study", "-o", demo / "dicom", "--cache", demo / "cache", "--dicom")
    folder = demo / "dicom" / "study"
    structured, segmentation = (pydicom.dcmread(folder / n) for n in ("sr.dcm", "seg.dcm"))
    sources = [pydicom.dcmread(p, stop_before_pixels=True) for p in (demo / "study").glob("*.dcm")]
    assert structured.StudyInstanceUID == sources[0].StudyInstanceUID
    (series,) = segmentation.ReferencedSeriesSequence
    referred = {i.ReferencedSOPInstanceUID for i in series.ReferencedInstanceSequence}
    assert referred <= {source.SOPInstanceUID for source in sources}
    findings = report_of(folder).findings
    measured = [finding for finding in findings if finding.nodule.seed is not None]
    labels = [segment.SegmentLabel for segment in segmentation.SegmentSequence]
    assert len(labels) == len(measured)


@pytest.mark.slow
def test_a_review_keeps_the_masks_of_what_it_keeps(
    demo: Path, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    objects = ("--dicom-with", "lungs")
    nodule("run", demo / "study", "-o", tmp_path, "--cache", demo / "cache", *objects)
    first = tmp_path / "study"
    report = report_of(first)
    rejected, *kept = [each for each in report.findings if each.nodule.seed is not None]
    assert kept
    review = {
        "format": "nodule-review-1",
        "report_sha256": report.sha256,
        "input_sha256": report.provenance.input_sha256,
        "series_instance_uid": report.study.series.series_instance_uid,
        "saved_at": "2026-03-04T05:06:07Z",
        "decisions": [{"id": rejected.nodule.id, "verdict": "rejected"}],
        "additions": [{"center_lps_mm": rejected.nodule.center_lps_mm}],
    }
    (tmp_path / "review.json").write_text(json.dumps(review))
    done = nodule_says(
        "review", "apply", first / "report.json", tmp_path / "review.json",
        "--study", demo / "study", "-o", tmp_path / "reviewed", *objects,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, after = (segments(folder / "seg.dcm") for folder in (first, tmp_path / "reviewed"))
    same = [*(f"Nodule {each.nodule.id}" for each in kept), "Right lung", "Left lung"]
    assert set(before) == {*same, f"Nodule {rejected.nodule.id}"}
    assert set(after) == {*same, "Nodule R1"}
    for name in same:
        np.testing.assert_array_equal(after[name], before[name])
    overlap = after["Nodule R1"] & before[f"Nodule {rejected.nodule.id}"]
    assert overlap.sum() > 0.5 * before[f"Nodule {rejected.nodule.id}"].sum()
    named = pydicom.dcmread(tmp_path / "reviewed" / "sr.dcm").iterall()
    segmentation = pydicom.dcmread(tmp_path / "reviewed" / "seg.dcm")
    assert segmentation.SOPInstanceUID in {i.value for i in named if i.VR == "UI"}
    for name in ("sr.dcm", "seg.dcm"):
        assert dciodvfy(tmp_path / "reviewed" / name) == []


def segments(path: Path) -> dict[str, NDArray[np.bool_]]:
    """Return every segment on the whole grid [z, y, x], by its label."""
    segmentation = hd.seg.segread(path)
    return {
        segment.SegmentLabel: segmentation.get_volume(
            segment_numbers=[segment.SegmentNumber], combine_segments=False,
            allow_missing_positions=True,
        ).array[..., 0] > 0
        for segment in segmentation.SegmentSequence
    }  # fmt: skip


def test_refuses_dicom_results_for_an_image_without_dicom(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.Image([64, 64, 40], sitk.sitkInt16) - 800, tmp_path / "ct.nii.gz")
    done = nodule_says("run", tmp_path / "ct.nii.gz", "-o", tmp_path / "out", "--dicom")
    assert done.returncode == 1
    assert "NO_DICOM_SOURCE" in done.stderr
    assert not (tmp_path / "out").exists()
