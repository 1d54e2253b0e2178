import logging
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from dicom_case import SHAPE_ZYX, Case, groups_of, items_of, numbers, ratings
from made_findings import remeasured
from numpy.typing import NDArray

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
    return groups_of(written)


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
    (group,) = groups_of(path)
    assert ("RID36042", "RADLEX") not in numbers(group)
    assert ratings(group) == {"C41144": "RID50152"}
    assert numbers(group)[("111012", "DCM")] == (93.0, "%")


def test_has_a_group_for_each_finding_and_a_volumetric_one_for_each_segment(
    groups: list[Any], written: Path
) -> None:
    assert [g.tracking_identifier for g in groups] == ["N1", "N2", "N3"]
    assert [g.finding_type.value for g in groups] == ["27925004", "4147007", "27925004"]
    sites = [g.finding_sites[0] for g in groups]
    assert {s.value.value for s in sites} == {"39607008"}
    assert [s.laterality.value for s in sites] == ["7771000", "24028007", "24028007"]
    root = pydicom.dcmread(written)
    assert root.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    templates = [
        g.ContentTemplateSequence[0].TemplateIdentifier for g in items_of(written, "126010")
    ]
    assert templates == ["1411", "1411", "1501"]


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
    unsized = groups[2]
    assert numbers(unsized).keys() == {("RID36042", "RADLEX"), ("111012", "DCM")}
    malignancy, certainty = unsized.get_measurements()
    (pixel,) = malignancy.referenced_coordinates
    assert pixel.value[0] == pytest.approx(
        [7.5, 20.5], abs=1e-3
    )  # centres lie half a pixel from the corner
    (image,) = pixel.ContentSequence
    assert image.referenced_sop_instance_uid == case.images[10].SOPInstanceUID
    (point,) = certainty.referenced_coordinates
    expected = case.points_lps_mm(at(10, 20, 7))
    assert np.abs(point.value - expected).max() < 1e-3
    assert point.frame_of_reference_uid == case.images[0].FrameOfReferenceUID


def at(z: int, y: int, x: int) -> NDArray[np.bool_]:
    """Return one voxel of the whole grid."""
    mask = np.zeros(SHAPE_ZYX, np.bool_)
    mask[z, y, x] = True
    return mask


def test_draws_both_axes_on_the_key_image(case: Case, tmp_path: Path) -> None:
    first = remeasured(
        case.report.findings[0],
        long_axis_ends_lps_mm=tuple(map(tuple, case.points_lps_mm(at(5, 9, 21) | at(5, 12, 25)))),
        short_axis_ends_lps_mm=tuple(map(tuple, case.points_lps_mm(at(5, 8, 24) | at(5, 11, 22)))),
    )
    report = case.report.model_copy(update={"findings": (first,)})
    path = write_dicom_sr(report, source=case.source, segmentation=segment(case), folder=tmp_path)
    (group,) = groups_of(path)
    drawn = {}
    for measured in group.get_measurements():
        (place,) = measured.referenced_coordinates
        if place.graphic_type.value == "POLYLINE":
            (image,) = place.ContentSequence
            assert image.referenced_sop_instance_uid == case.images[5].SOPInstanceUID
            drawn[measured.name.meaning] = np.sort(place.value, axis=0).tolist()
    assert drawn == {
        "Long axis": [[21.5, 9.5], [25.5, 12.5]],
        "Short axis": [[22.5, 8.5], [24.5, 11.5]],
    }


def test_says_that_nodules_are_absent(negative: Path) -> None:
    assert groups_of(negative) == []
    absent, *limits = items_of(negative, "C0034375")
    # what stands beside it is said in words
    assert {each.ValueType for each in limits} <= {"TEXT"}
    assert absent.ConceptNameCodeSequence[0].CodeValue == "27925004"
    assert absent.ConceptCodeSequence[0].CodeValue == "272519000"


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
