"""SR and SEG that are written from Python refer to the files that the study was read from."""

from dataclasses import replace
from pathlib import Path

import pydicom
from dicom_case import Case

import nodule
from nodule.detection import Detection


def test_dicom_results_refer_to_the_series_that_was_read(case: Case, tmp_path: Path) -> None:
    read = nodule.read_ct(case.folder)
    assert read.patient.patient_id == "P-17"
    found = Detection(
        study=replace(case.study, origin=read.origin),
        lungs=case.lungs,
        findings=case.findings,
        patient=read.patient,
    )
    report = nodule.write_report(found, tmp_path, dicom=True, viewer=False)
    assert report.provenance.input_sha256 == case.source.digest
    segmentation = pydicom.dcmread(tmp_path / "seg.dcm")
    structured = pydicom.dcmread(tmp_path / "sr.dcm")
    assert segmentation.PatientID == structured.PatientID == "P-17"
    (series,) = segmentation.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == case.source.series_uid
    named = {each.value for each in structured.iterall() if each.VR == "UI"}
    assert segmentation.SOPInstanceUID in named
