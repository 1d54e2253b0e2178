import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from dicom_case import Case
from test_reviewed_document import reviewed

from nodule.dicom import DicomExtra, DicomOptions, write_dicom, write_pdf_object

PDF = b"%PDF-1.4\n% an odd number\n"


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
    options = DicomOptions(lungs=True)
    (sr,) = write_dicom(
        case.report, masks={}, lungs=none, source=case.source, folder=tmp_path, options=options
    )
    assert sr.name == "sr.dcm"


@pytest.mark.parametrize("asked", [False, True])
def test_lungs_are_segments_where_they_are_asked_for(
    case: Case, tmp_path: Path, asked: bool
) -> None:
    write(case, tmp_path, DicomOptions(lungs=asked))
    segments = pydicom.dcmread(tmp_path / "seg.dcm").SegmentSequence
    nodules = ["Nodule N1", "Nodule N2"]
    expected = [*nodules, "Right lung", "Left lung"] if asked else nodules
    assert [segment.SegmentLabel for segment in segments] == expected


def write(case: Case, folder: Path, options: DicomOptions) -> tuple[Path, ...]:
    return write_dicom(
        case.report,
        masks=case.masks,
        lungs=case.lungs,
        source=case.source,
        folder=folder,
        options=options,
    )


def test_every_segment_has_a_color_of_its_own(case: Case, tmp_path: Path) -> None:
    write(case, tmp_path, DicomOptions(lungs=True))
    segments = pydicom.dcmread(tmp_path / "seg.dcm").SegmentSequence
    colors = [tuple(segment.RecommendedDisplayCIELabValue) for segment in segments]
    assert len(set(colors[:2])) == 2
    assert colors[2] == colors[3]  # one for both lungs
    assert all(len(color) == 3 for color in colors)


def test_a_deflated_segmentation_is_smaller_and_holds_the_same(
    case: Case, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    write(case, tmp_path / "plain", DicomOptions(lungs=True))
    write(case, tmp_path / "deflated", DicomOptions(lungs=True, deflated=True))
    plain, deflated = (tmp_path / each / "seg.dcm" for each in ("plain", "deflated"))
    assert pydicom.dcmread(deflated).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1.99"
    assert deflated.stat().st_size < 0.25 * plain.stat().st_size
    arrays = [hd.seg.segread(path).pixel_array for path in (plain, deflated)]
    np.testing.assert_array_equal(*arrays)
    program = shutil.which("dcmconv")
    if program is None:
        pytest.skip("dcmconv (dcmtk) is not installed")
    inflated = tmp_path / "inflated.dcm"
    subprocess.run([program, "+te", deflated, inflated], check=True)
    assert dciodvfy(inflated) == []  # which itself cannot inflate


def test_key_objects_are_the_images_of_the_findings(
    case: Case, tmp_path: Path, dciodvfy: Callable[[Path], list[str]]
) -> None:
    *_, key = write(case, tmp_path, DicomOptions(key_objects=True))
    assert key.name == "key.dcm"
    selection = pydicom.dcmread(key)
    assert selection.Modality == "KO"
    assert selection.SeriesNumber == 9704
    referred = {
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in selection.ContentSequence
        if item.ValueType == "IMAGE"
    }
    expected = {each.nodule.image.sop_instance_uid for each in case.report.active}
    assert referred == expected
    assert dciodvfy(key) == []
    without = case.report.model_copy(update={"findings": ()})
    (sr,) = write_dicom(
        without,
        masks={},
        lungs=case.lungs,
        source=case.source,
        folder=tmp_path / "none",
        options=DicomOptions(key_objects=True),
    )
    assert sr.name == "sr.dcm"


@pytest.mark.parametrize("state", ["first", "reviewed"])
def test_a_printed_page_is_wrapped_whole(
    case: Case, tmp_path: Path, state: str, dciodvfy: Callable[[Path], list[str]]
) -> None:
    assert len(PDF) % 2 == 1
    page = tmp_path / "report.pdf"
    page.write_bytes(PDF)
    report = case.report if state == "first" else reviewed(case)
    path = write_pdf_object(report, page, source=case.source)
    wrapped = pydicom.dcmread(path)
    assert path.name == "pdf.dcm"
    assert wrapped.EncapsulatedDocument[: wrapped.EncapsulatedDocumentLength] == PDF
    assert wrapped.PatientID == "P-17"
    assert wrapped.SeriesNumber == (9703 if state == "first" else 9713)
    assert wrapped.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert dciodvfy(path) == []


def test_every_option_has_a_word(case: Case) -> None:
    asked = DicomOptions(**{each.name: True for each in DicomExtra})
    assert asked == DicomOptions(lungs=True, deflated=True, key_objects=True)
