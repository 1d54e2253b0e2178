import logging
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from dicom_case import Case, numbers, ratings
from pydicom.sr.coding import Code

from nodule.ct import inventory
from nodule.dicom._segmentation import build_segmentation
from nodule.dicom._structured_report import build_sr, write_dicom_sr
from nodule.errors import InputError

MakeCase = Callable[..., Case]
CANARY_FIELDS = {
    "PatientName": "CANARY00",
    "PatientID": "CANARY01",
    "AccessionNumber": "CANARY02",
    "StudyDescription": "CANARY03",
    "ReferringPhysicianName": "CANARY04",
    "PatientComments": "CANARY05",
    "PatientAddress": "CANARY06",
    "OtherPatientIDs": "CANARY07",
    "PatientMotherBirthName": "CANARY08",
    "InstitutionName": "CANARY09",
    "InstitutionAddress": "CANARY10",
    "OperatorsName": "CANARY11",
}
IDENTITY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
NEEDED = 5  # canaries, the first, name patient and study, as every object of a study must


@pytest.fixture(scope="module")
def segmentation(case: Case) -> hd.seg.Segmentation:
    return segment(case)


@pytest.fixture(scope="module")
def written(
    case: Case, segmentation: hd.seg.Segmentation, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("sr")
    return write_dicom_sr(case.report, source=case.source, segmentation=segmentation, folder=folder)


@pytest.fixture(scope="module")
def groups(written: Path) -> list[Any]:
    content = hd.sr.srread(written).content
    return list(content.get_volumetric_roi_measurement_groups())


@pytest.fixture
def negative(case: Case, tmp_path: Path) -> Path:
    report = case.report.model_copy(update={"findings": ()})
    return write_dicom_sr(report, source=case.source, segmentation=None, folder=tmp_path)


def segment(case: Case) -> hd.seg.Segmentation:
    return build_segmentation(case.report, masks=case.masks, lungs=case.lungs, source=case.source)


def test_states_what_was_measured_in_standard_codes(groups: list[Any]) -> None:
    assert numbers(groups[0]) == {
        ("103339001", "SCT"): (12.6, "mm"),
        ("103340004", "SCT"): (9.4, "mm"),
        ("81827009", "SCT"): (11.0, "mm"),  # (12.6 + 9.4) / 2
        ("1", "99NODULE"): (10.5, "mm"),
        ("118565006", "SCT"): (606.1, "mm3"),
        ("112031", "DCM"): (-42.0, "[hnsf'U]"),
        ("QCFX", "IBSI"): (0.81, "1"),
        ("111012", "DCM"): (93.0, "%"),
        ("RID36042", "RADLEX"): (3.9, "1"),
    }


def test_states_no_volume_without_limits(groups: list[Any]) -> None:
    assert numbers(groups[1]).keys() == {
        *(("103339001", "SCT"), ("103340004", "SCT"), ("81827009", "SCT")),
        *(("111012", "DCM"), ("RID36042", "RADLEX")),
    }


def test_rates_malignancy_and_texture_as_lidc_does(groups: list[Any]) -> None:
    assert [ratings(group) for group in groups] == [
        {"RID36042": "904", "C41144": "RID50152"},
        {"RID36042": "902"},
        {"RID36042": "902"},
    ]


def test_what_the_networks_abstain_from_is_not_rated(case: Case, tmp_path: Path) -> None:
    first = case.report.findings[0]
    assert first.assessment is not None
    unsure = replace(first.assessment.malignancy, indeterminate=True)
    assessment = replace(first.assessment, malignancy=unsure)
    report = case.report.model_copy(update={"findings": (replace(first, assessment=assessment),)})
    path = write_dicom_sr(report, source=case.source, segmentation=None, folder=tmp_path)
    (group,) = hd.sr.srread(path).content.get_volumetric_roi_measurement_groups()
    assert ("RID36042", "RADLEX") not in numbers(group)
    assert ratings(group) == {"C41144": "RID50152"}
    assert numbers(group)[("111012", "DCM")] == (93.0, "%")


def test_has_a_volumetric_group_for_each_finding(groups: list[Any], written: Path) -> None:
    assert [g.tracking_identifier for g in groups] == ["N1", "N2", "N3"]
    assert [g.finding_type.value for g in groups] == ["27925004", "4147007", "27925004"]
    sites = [g.finding_sites[0] for g in groups]
    assert {s.value.value for s in sites} == {"39607008"}
    assert [s.laterality.value for s in sites] == ["7771000", "24028007", "24028007"]
    root = pydicom.dcmread(written)
    assert root.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    (container,) = [
        item
        for item in root.ContentSequence
        if item.ConceptNameCodeSequence[0].CodeValue == "126010"
    ]
    templates = {g.ContentTemplateSequence[0].TemplateIdentifier for g in container.ContentSequence}
    assert templates == {"1411"}


def test_shares_segments_and_tracking_with_the_segmentation(
    case: Case, groups: list[Any], segmentation: hd.seg.Segmentation
) -> None:
    for group, segment in zip(groups[:2], segmentation.SegmentSequence, strict=False):
        reference = group.referenced_segment
        (item,) = reference[0].ReferencedSOPSequence
        assert item.ReferencedSOPInstanceUID == segmentation.SOPInstanceUID
        assert item.ReferencedSegmentNumber == segment.SegmentNumber
        assert group.tracking_uid == segment.TrackingUID
        assert reference.source_series_for_segmentation.value == case.source.series_uid


def test_points_to_a_finding_without_a_segment(case: Case, groups: list[Any]) -> None:
    (point,) = groups[2].roi.graphic_data
    row_spacing_mm, column_spacing_mm = 2.5, 2.0
    image = case.images[10]
    row, column = np.reshape(np.asarray(image.ImageOrientationPatient, float), (2, 3))
    expected = np.asarray(image.ImagePositionPatient, float)
    expected = expected + row * column_spacing_mm * 7 + column * row_spacing_mm * 20
    assert np.abs(point - expected).max() < 1e-3
    assert groups[2].roi.frame_of_reference_uid == case.images[0].FrameOfReferenceUID
    assert numbers(groups[2]).keys() == {("111012", "DCM"), ("RID36042", "RADLEX")}


def test_says_that_nodules_are_absent(negative: Path) -> None:
    content = hd.sr.srread(negative).content
    assert content.get_volumetric_roi_measurement_groups() == []
    (group,) = content.get_image_measurement_groups()
    assert group.finding_type == Code("27925004", "SCT", "Nodule")
    assert ratings(group) == {"705057003": "272519000"}


def test_is_an_unverified_draft_by_a_device(written: Path) -> None:
    document = hd.sr.srread(written)
    assert document.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.34"
    assert document.CompletionFlag == "PARTIAL"
    assert document.VerificationFlag == "UNVERIFIED"
    assert document.PreliminaryFlag == "PRELIMINARY"
    assert document.CompletionFlagDescription == "AI draft, not verified"
    assert "AI draft" in document.SeriesDescription
    (observer,) = document.content.get_observer_contexts()
    assert observer.observer_type.value == "121007"
    assert observer.observer_identifying_attributes.name == "nodule 0.1.0"


def test_refers_to_instances_that_exist(
    case: Case, written: Path, segmentation: hd.seg.Segmentation
) -> None:
    there = {i.SOPInstanceUID for i in case.images} | {segmentation.SOPInstanceUID}
    evidence = hd.sr.srread(written).get_evidence()
    assert {instance for _, _, instance, _ in evidence} == there
    referred = set()
    for item in pydicom.dcmread(written).iterall():
        if item.keyword == "ReferencedSOPInstanceUID":
            referred.add(item.value)
    assert referred == there


def test_keeps_patient_and_study_of_the_series(written: Path, case: Case) -> None:
    document, image = pydicom.dcmread(written), case.images[0]
    for keyword in IDENTITY:
        assert document[keyword].value == image[keyword].value, keyword


def test_keeps_names_in_other_scripts(make_case: MakeCase) -> None:
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    case = make_case(SpecificCharacterSet="ISO_IR 192", PatientName=name)
    document = build_sr(case.report, source=case.source, segmentation=None)
    assert document.SpecificCharacterSet == "ISO_IR 192"
    assert document.PatientName == name


@pytest.mark.filterwarnings("ignore:Invalid value for VR:UserWarning")  # it is meant to be
def test_leaves_empty_what_the_standard_forbids(
    make_case: MakeCase, caplog: pytest.LogCaptureFixture
) -> None:
    case = make_case(PatientSex="X", PatientBirthDate="2.3.60", StudyTime="noon")
    caplog.clear()
    document = build_sr(case.report, source=case.source, segmentation=None)
    for keyword in ("PatientSex", "PatientBirthDate", "StudyTime"):
        assert not document[keyword].value
        assert f"{keyword} of the series breaks the standard" in caplog.text
    assert "2.3.60" not in caplog.text


def test_dciodvfy_finds_no_error(
    written: Path, negative: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    assert dciodvfy(written) == []
    assert dciodvfy(negative) == []


def test_dsrdump_reads_it(written: Path, negative: Path) -> None:
    program = shutil.which("dsrdump")
    if program is None:
        pytest.skip("dsrdump (dcmtk) is not installed")
    for path in (written, negative):
        done = subprocess.run([program, path], capture_output=True, text=True, check=True)
        assert "Comprehensive 3D SR Document" in done.stdout
        assert done.stderr == ""


def test_equal_input_gives_equal_bytes(case: Case, written: Path, tmp_path: Path) -> None:
    time.sleep(1.1)  # clocks in DICOM count seconds
    again = replace(case, source=inventory(case.folder).choose())
    path = write_dicom_sr(
        again.report, source=again.source, segmentation=segment(again), folder=tmp_path
    )
    assert path.read_bytes() == written.read_bytes()


def test_other_content_has_another_name(written: Path, negative: Path) -> None:
    first, second = pydicom.dcmread(written), pydicom.dcmread(negative)
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.SeriesInstanceUID != second.SeriesInstanceUID
    assert first.SOPInstanceUID == first.file_meta.MediaStorageSOPInstanceUID


def test_names_the_patient_only_where_dicom_wants_it(
    make_case: MakeCase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    case = make_case(**CANARY_FIELDS)
    with caplog.at_level(logging.DEBUG):
        path = write_dicom_sr(
            case.report, source=case.source, segmentation=segment(case), folder=tmp_path
        )
    assert "CANARY" not in caplog.text
    document = pydicom.dcmread(path)
    found = {
        item.keyword: str(item.value)
        for item in document.iterall()
        if item.VR != "SQ" and "CANARY" in str(item.value)
    }
    assert found == dict(list(CANARY_FIELDS.items())[:NEEDED])


def test_refuses_a_source_that_is_no_dicom(case: Case) -> None:
    with pytest.raises(InputError) as refused:
        build_sr(case.report, source=replace(case.source, images=()), segmentation=None)
    assert refused.value.code == "NO_DICOM_SOURCE"
