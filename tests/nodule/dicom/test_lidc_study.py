"""LIDC-IDRI-0001, a real series without patient's name or times, written out."""

from collections.abc import Callable
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest

from nodule.ct import inventory, read_source
from nodule.dicom._instance import save
from nodule.dicom._segmentation import build_segmentation
from nodule.dicom._structured_report import write_dicom_sr
from nodule.findings import Candidate, Malignancy, ScoredCandidate
from nodule.measure.segment import segment_nodule
from nodule.measure.stage import Measure
from nodule.report import Provenance, build_report
from nodule.volume import LungMask

LUNA16_CENTER_LPS_MM = (56.20840547, 86.34341278, -115.8675792)
LUNA16_DIAMETER_MM = 23.35064438


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "ct" / "LIDC-IDRI-0001"


def test_the_nodule_of_luna16_is_written_where_it_lies(
    folder: Path, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    source = inventory(folder).choose()
    study = read_source(source)
    volume = study.volume
    labels = np.zeros(volume.geometry.shape_zyx, np.uint8)
    labels[:, :, :256], labels[:, :, 256:] = LungMask.RIGHT, LungMask.LEFT
    labels[volume.array_zyx > -500] = 0
    lungs = LungMask(labels_zyx=labels, geometry=volume.geometry)
    stage = Measure()
    found = ScoredCandidate(
        candidate=Candidate(
            center_lps_mm=LUNA16_CENTER_LPS_MM, score=0.9, diameter_mm=LUNA16_DIAMETER_MM
        ),
        probability=0.9,
        malignancy=Malignancy(distribution=(0.0, 0.1, 0.1, 0.3, 0.5)),
    )
    findings = stage.run(study=study, lungs=lungs, scored=(found,))
    mask = segment_nodule(
        volume,
        center_lps_mm=LUNA16_CENTER_LPS_MM,
        diameter_mm=LUNA16_DIAMETER_MM,
        rules=stage,
    )
    assert mask is not None
    report = build_report(
        study=study,
        lungs=lungs,
        findings=findings,
        patient=source.patient,
        provenance=Provenance(input_sha256=source.digest, weights={}, config={}, versions={}),
    )
    segmentation = build_segmentation(report, masks={"N1": mask}, lungs=lungs, source=source)
    seg = save(segmentation, tmp_path / "seg.dcm")
    sr = write_dicom_sr(report, source=source, segmentation=segmentation, folder=tmp_path)
    assert dciodvfy(seg) == []
    assert dciodvfy(sr) == []

    back = hd.seg.segread(seg).get_volume(segment_numbers=[1], combine_segments=False)
    points = back.map_indices_to_reference(np.argwhere(back.array[..., 0]))
    expected = mask.geometry.index_to_lps(np.argwhere(mask.array_zyx))
    assert len(points) == len(expected)
    for axis in range(3):
        assert np.abs(np.sort(points[:, axis]) - np.sort(expected[:, axis])).max() < 1e-3
    assert np.linalg.norm(points.mean(axis=0) - LUNA16_CENTER_LPS_MM) < LUNA16_DIAMETER_MM / 2
    (group,) = hd.sr.srread(sr).content.get_volumetric_roi_measurement_groups()
    (volume_mm3,) = [m.value for m in group.get_measurements() if m.name.value == "118565006"]
    assert volume_mm3 == pytest.approx(len(points) * 0.703125**2 * 2.5, rel=1e-4)

    there = {
        pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID for p in folder.glob("*.dcm")
    }
    there.add(segmentation.SOPInstanceUID)
    for path in (seg, sr):
        items = pydicom.dcmread(path).iterall()
        assert {i.value for i in items if i.keyword == "ReferencedSOPInstanceUID"} <= there
