"""What is written is what was measured: SEG and NIfTI hold the voxels of the findings' masks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest

from nodule.ct import inventory, read_source
from nodule.findings import Candidate, Malignancy, ScoredCandidate, masks_of
from nodule.measure.stage import Measure
from nodule.outputs import DicomResults, read_masks, write_report_files
from nodule.phantom import make_phantom, random_spec, write_study
from nodule.report import Provenance, build_report

EVEN = Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, 0.2))
OTHER_RULES = {
    "edge_fraction": 0.7,
    "opening_fraction": 0.2,
    "smoothing_mm": 1.2,
    "grid_mm": 1.1,
}


@pytest.mark.parametrize("rules", [{}, OTHER_RULES])
def test_seg_and_nifti_hold_the_measured_voxels_whatever_the_rules(
    rules: dict[str, Any], tmp_path: Path
) -> None:
    """The report's provenance names no rule, so that nothing could be segmented again from it."""
    phantom = make_phantom(random_spec(3, size="small"))
    write_study(phantom, tmp_path / "study")
    source = inventory(tmp_path / "study").choose()
    study = read_source(source)
    scored = tuple(
        ScoredCandidate(
            candidate=Candidate(
                center_lps_mm=each.center_lps_mm, score=0.9, diameter_mm=each.diameter_mm
            ),
            probability=0.9 - 0.01 * number,
            malignancy=EVEN,
        )
        for number, each in enumerate(phantom.nodules)
    )
    measure = replace(Measure(), **rules)
    findings = measure.run(study=study, lungs=phantom.lungs, scored=scored)
    masks = masks_of(findings)
    assert masks
    provenance = Provenance(input_sha256=source.digest, weights={}, config={}, versions={})
    report = build_report(
        study=study,
        lungs=phantom.lungs,
        findings=findings,
        patient=source.patient,
        provenance=provenance,
    )
    write_report_files(
        report,
        study=study,
        lungs=phantom.lungs,
        masks=masks,
        folder=tmp_path / "out",
        dicom=DicomResults(source=source),
        viewer=False,
    )
    without_cores = {id_: replace(mask, core_zyx=None) for id_, mask in masks.items()}
    read_back = read_masks(tmp_path / "out" / "nodules.nii.gz", report=report, study=study)
    assert read_back == without_cores
    segmentation = hd.seg.segread(tmp_path / "out" / "seg.dcm")
    numbers = {s.SegmentLabel: int(s.SegmentNumber) for s in segmentation.SegmentSequence}
    for id_, mask in masks.items():
        written = segmentation.get_volume(
            segment_numbers=[numbers[f"Nodule {id_}"]],
            combine_segments=False,
            allow_missing_positions=True,
        )
        index = np.argwhere(written.array[..., 0] > 0)
        points = written.map_indices_to_reference(index)
        here = np.rint(study.volume.geometry.lps_to_index(points)).astype(int)
        measured = np.argwhere(mask.array_zyx) + mask.start_zyx
        assert {tuple(each) for each in here.tolist()} == {tuple(e) for e in measured.tolist()}
