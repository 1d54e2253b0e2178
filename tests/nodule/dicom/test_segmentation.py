import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import nibabel
import numpy as np
import pydicom
import pytest
from dicom_case import SHAPE_ZYX, SPACING_ZYX_MM, Case
from numpy.typing import NDArray

from nodule.ct import inventory
from nodule.dicom._instance import save
from nodule.dicom._segmentation import build_segmentation
from nodule.dicom._structured_report import write_dicom_sr
from nodule.errors import DicomSeriesError, InputError
from nodule.nodules import Seed
from nodule.report.reported_nodule import ReaderMark
from nodule.volume import LungMask

MakeCase = Callable[..., Case]


@pytest.fixture(scope="module")
def written(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(case, tmp_path_factory.mktemp("seg"))


def write(case: Case, folder: Path) -> Path:
    segmentation = build_segmentation(
        case.report, masks=case.masks, lungs=case.lungs, source=case.source
    )
    return save(segmentation, folder / "seg.dcm")


def points_of(segmentation: hd.seg.Segmentation, number: int) -> NDArray[np.float64]:
    """Return the LPS positions of a segment's voxels, as highdicom reads them."""
    volume = segmentation.get_volume(segment_numbers=[number], combine_segments=False)
    index = np.argwhere(volume.array[..., 0])
    return np.asarray(volume.map_indices_to_reference(index))


def whole(case: Case, name: str) -> NDArray[np.bool_]:
    """Return a nodule's mask on the whole grid."""
    grid, mask = np.zeros(SHAPE_ZYX, np.bool_), case.masks[name]
    z, y, x = mask.start_zyx
    d, h, w = mask.array_zyx.shape
    grid[z : z + d, y : y + h, x : x + w] = mask.array_zyx
    return grid


def nearest_mm(points: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return how far the loneliest of some points is from all others."""
    return float(np.linalg.norm(points[:, None] - others[None], axis=-1).min(axis=1).max())


@pytest.mark.parametrize(("number", "name"), [(1, "N1"), (2, "N2")])
def test_a_nodules_voxels_come_back_where_they_were(
    case: Case, written: Path, number: int, name: str
) -> None:
    points = points_of(hd.seg.segread(written), number)
    expected = case.points_lps_mm(whole(case, name))
    assert len(points) == len(expected) == case.masks[name].array_zyx.sum()
    assert nearest_mm(points, expected) < 1e-3
    assert nearest_mm(expected, points) < 1e-3


def test_lungs_are_brought_onto_the_series_grid(case: Case, written: Path) -> None:
    segmentation = hd.seg.segread(written)
    everything = case.points_lps_mm(np.ones(SHAPE_ZYX, np.bool_))
    right, left = points_of(segmentation, 3), points_of(segmentation, 4)
    # the nearest millimetre voxel may lie on the other side of the edge
    assert right[:, 0].max() < 0.5
    assert left[:, 0].min() > 4.5
    assert (everything[:, 0] < -0.5).sum() <= len(right) <= (everything[:, 0] < 0.5).sum()
    assert (everything[:, 0] > 5.5).sum() <= len(left) <= (everything[:, 0] > 4.5).sum()


def test_names_its_segments_in_standard_codes(written: Path) -> None:
    segments = pydicom.dcmread(written).SegmentSequence
    said = [
        (
            s.SegmentLabel,
            s.SegmentedPropertyCategoryCodeSequence[0].CodeValue,
            s.SegmentedPropertyTypeCodeSequence[0].CodeValue,
            s.SegmentAlgorithmType,
        )
        for s in segments
    ]
    assert said == [
        ("Nodule N1", "49755003", "27925004", "AUTOMATIC"),
        ("Nodule N2", "49755003", "4147007", "AUTOMATIC"),  # 34 mm: a mass
        ("Right lung", "91723000", "39607008", "AUTOMATIC"),
        ("Left lung", "91723000", "39607008", "AUTOMATIC"),
    ]
    families = {
        s.SegmentationAlgorithmIdentificationSequence[0].AlgorithmFamilyCodeSequence[0].CodeValue
        for s in segments
    }
    assert families == {"123110"}  # artificial intelligence
    (side,) = segments[0].AnatomicRegionSequence[0].AnatomicRegionModifierSequence
    assert side.CodeValue == "7771000"  # left


def test_what_a_reader_pointed_at_is_told_from_what_the_software_found(
    case: Case, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    kept, other, _ = case.report.findings
    seed = Seed(center_lps_mm=other.nodule.center_lps_mm, diameter_mm=8.0, by_reader=True)
    added = replace(
        other,
        nodule=replace(other.nodule, id="R1", lung=None, seed=seed),
        assessment=None,
        rating=None,
        reader=ReaderMark(long_axis_mm=None, comment=None),
    )
    reviewed = replace(
        case,
        report=case.report.model_copy(update={"findings": (kept,), "added": (added,)}),
        masks={"N1": case.masks["N1"], "R1": case.masks["N2"]},
    )
    path = write(reviewed, tmp_path)
    segmentation = hd.seg.segread(path)
    nodules = [(s.SegmentLabel, s.SegmentAlgorithmType) for s in segmentation.SegmentSequence[:2]]
    assert nodules == [("Nodule N1", "AUTOMATIC"), ("Nodule R1", "SEMIAUTOMATIC")]
    # outside both lungs it lies on no side
    (region,) = segmentation.SegmentSequence[1].AnatomicRegionSequence
    assert "AnatomicRegionModifierSequence" not in region
    assert nearest_mm(points_of(segmentation, 2), case.points_lps_mm(whole(case, "N2"))) < 1e-3
    document = write_dicom_sr(
        reviewed.report, source=case.source, segmentation=segmentation, folder=tmp_path
    )
    groups = hd.sr.srread(document).content.get_volumetric_roi_measurement_groups()
    referred = {group.tracking_identifier: group.referenced_segment for group in groups}
    assert referred["R1"].referenced_segment_numbers == [2]
    assert referred["R1"].referenced_sop_instance_uid == segmentation.SOPInstanceUID
    assert dciodvfy(path) == dciodvfy(document) == []


def test_each_frame_refers_to_the_image_at_its_place(case: Case, written: Path) -> None:
    positions = {i.SOPInstanceUID: i.ImagePositionPatient for i in case.images}
    segmentation = pydicom.dcmread(written)
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        (reference,) = frame.DerivationImageSequence[0].SourceImageSequence
        place = np.asarray(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        expected = np.asarray(positions[reference.ReferencedSOPInstanceUID], float)
        assert np.abs(place - expected).max() < 1e-3
    (series,) = segmentation.ReferencedSeriesSequence
    named = {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
    assert named == set(positions)
    assert series.SeriesInstanceUID == case.source.series_uid


def test_dciodvfy_finds_no_error(written: Path, dciodvfy: Callable[[Path], list[str]]) -> None:
    assert dciodvfy(written) == []


def test_equal_input_gives_equal_bytes(case: Case, written: Path, tmp_path: Path) -> None:
    again = replace(case, source=inventory(case.folder).choose())
    assert write(again, tmp_path).read_bytes() == written.read_bytes()


def test_other_content_has_another_name(case: Case, written: Path) -> None:
    mask = case.masks["N1"]
    flipped = replace(mask, array_zyx=mask.array_zyx[::-1])
    other = build_segmentation(
        case.report,
        masks={**case.masks, "N1": flipped},
        lungs=case.lungs,
        source=case.source,
    )
    assert other.SOPInstanceUID != pydicom.dcmread(written).SOPInstanceUID


def test_says_that_it_is_a_draft(written: Path) -> None:
    segmentation = pydicom.dcmread(written, stop_before_pixels=True)
    assert segmentation.ContentLabel == "AI_DRAFT"
    assert "AI draft" in segmentation.SeriesDescription
    assert (segmentation.ContentDate, segmentation.ContentTime) == ("20260304", "050607")


def test_leaves_out_what_has_no_voxel(case: Case) -> None:
    right = np.minimum(case.lungs.labels_zyx, LungMask.RIGHT)
    right[case.lungs.labels_zyx == LungMask.LEFT] = 0
    segmentation = build_segmentation(
        case.report, masks={}, lungs=replace(case.lungs, labels_zyx=right), source=case.source
    )
    assert [s.SegmentLabel for s in segmentation.SegmentSequence] == ["Right lung"]


def test_frames_of_a_multi_frame_source_are_told_apart(case: Case, tmp_path: Path) -> None:
    legacy = [pydicom.dcmread(path) for path in case.folder.iterdir()]
    uid = "1.2.826.0.1.3680043.10.1.9"
    source = tmp_path / "source"
    source.mkdir()
    converted = hd.legacy.LegacyConvertedEnhancedCTImage(
        legacy, series_instance_uid=f"{uid}.1", series_number=4, sop_instance_uid=uid,
        instance_number=1,
    )  # fmt: skip
    frames = list(converted.PerFrameFunctionalGroupsSequence)  # all show the same
    frames.sort(key=lambda f: -float(f.PlanePositionSequence[0].ImagePositionPatient[2]))
    converted.PerFrameFunctionalGroupsSequence = frames
    converted.save_as(source / "multi.dcm")
    multi = replace(case, source=inventory(source).choose())
    segmentation = hd.seg.segread(write(multi, tmp_path))
    expected = case.points_lps_mm(whole(case, "N1"))
    assert nearest_mm(points_of(segmentation, 1), expected) < 1e-3
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        (reference,) = frame.DerivationImageSequence[0].SourceImageSequence
        assert reference.ReferencedSOPInstanceUID == uid
        there = converted.PerFrameFunctionalGroupsSequence[reference.ReferencedFrameNumber - 1]
        assert np.allclose(
            np.asarray(there.PlanePositionSequence[0].ImagePositionPatient, float),
            np.asarray(frame.PlanePositionSequence[0].ImagePositionPatient, float),
            atol=1e-3,
        )


def test_refuses_a_source_that_is_no_dicom(case: Case, tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.full((40, 40, 40), -900, np.int16), np.eye(4) * 4)
    nibabel.save(image, tmp_path / "scan.nii.gz")
    source = inventory(tmp_path / "scan.nii.gz").choose()
    with pytest.raises(InputError) as refused:
        write(replace(case, source=source), tmp_path / "out")
    assert refused.value.code == "NO_DICOM_SOURCE"
    assert not (tmp_path / "out").exists()


def test_refuses_a_series_that_nothing_can_refer_to(make_case: MakeCase) -> None:
    case = make_case(FrameOfReferenceUID=None)
    with pytest.raises(DicomSeriesError) as refused:
        build_segmentation(case.report, masks={}, lungs=case.lungs, source=case.source)
    assert refused.value.code == "INCOMPLETE_DICOM_SOURCE"
    assert refused.value.got == "no FrameOfReferenceUID"


def test_refuses_a_mask_of_another_grid(case: Case) -> None:
    moved = replace(case.masks["N1"], start_zyx=(5, 8, 20))
    outside = replace(case.masks["N1"], start_zyx=(13, 8, 20))
    for wrong in (moved, outside):
        with pytest.raises(InputError) as refused:
            build_segmentation(
                case.report, masks={"N1": wrong}, lungs=case.lungs, source=case.source
            )
        assert refused.value.code == "MASK_OUTSIDE_GRID"


def test_refuses_a_mask_of_no_finding(case: Case) -> None:
    with pytest.raises(InputError) as refused:
        build_segmentation(
            case.report, masks={"N9": case.masks["N1"]}, lungs=case.lungs, source=case.source
        )
    assert refused.value.code == "UNKNOWN_FINDING"


def test_refuses_to_segment_nothing(case: Case) -> None:
    empty = replace(case.lungs, labels_zyx=np.zeros_like(case.lungs.labels_zyx))
    with pytest.raises(InputError) as refused:
        build_segmentation(case.report, masks={}, lungs=empty, source=case.source)
    assert refused.value.code == "NOTHING_SEGMENTED"


def test_takes_the_grids_own_spacing_for_an_unstated_thickness(make_case: MakeCase) -> None:
    case = make_case(SliceThickness=None)
    segmentation = build_segmentation(
        case.report, masks=case.masks, lungs=case.lungs, source=case.source
    )
    (measures,) = segmentation.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert float(measures.SliceThickness) == pytest.approx(SPACING_ZYX_MM[0], abs=1e-6)


def test_logs_no_patient(
    make_case: MakeCase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    case = make_case(PatientName="CANARY NAME WITHOUT CARET", PatientID="CANARY-ID")
    with caplog.at_level(logging.DEBUG):
        path = write(case, tmp_path)
    assert "CANARY" not in caplog.text
    assert "CANARY" not in str(path)
    assert pydicom.dcmread(path).PatientName == "CANARY NAME WITHOUT CARET"
