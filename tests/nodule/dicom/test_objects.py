from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
from dicom_case import Case

from nodule.dicom.objects import write_dicom


def test_writes_a_document_that_refers_to_its_segmentation(case: Case, tmp_path: Path) -> None:
    seg, sr = write_dicom(
        case.report,
        masks=case.masks,
        lungs=case.lungs,
        source=case.source,
        folder=tmp_path / "new",
    )
    assert (seg.name, sr.name) == ("seg.dcm", "sr.dcm")
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "new", seg, sr]
    named = [i.value for i in pydicom.dcmread(sr).iterall() if i.VR == "UI"]
    assert pydicom.dcmread(seg).SOPInstanceUID in named


def test_writes_a_document_alone_where_nothing_has_a_mask(case: Case, tmp_path: Path) -> None:
    none = replace(case.lungs, labels_zyx=np.zeros_like(case.lungs.labels_zyx))
    (sr,) = write_dicom(case.report, masks={}, lungs=none, source=case.source, folder=tmp_path)
    assert sr.name == "sr.dcm"
