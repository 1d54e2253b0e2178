"""Results stored into a real archive and fetched back."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from dicom_case import Case
from orthanc_archive import Archive, running_orthanc
from pydicom.uid import Comprehensive3DSRStorage, ExplicitVRLittleEndian, SegmentationStorage

from nodule.dicom._instance import save
from nodule.dicom._segmentation import build_segmentation
from nodule.dicom._structured_report import write_dicom_sr


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as archive:
        yield archive


def store(archive: Archive, paths: list[Path]) -> list[int]:
    """Send files by C-STORE; return the status of each."""
    from pynetdicom import AE

    entity = AE(ae_title="NODULE")
    for storage in (SegmentationStorage, Comprehensive3DSRStorage):
        entity.add_requested_context(storage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", archive.dicom_port, ae_title="ARCHIVE")
    assert association.is_established
    statuses = [association.send_c_store(str(path)).Status for path in paths]
    association.release()
    return statuses


def fetch(archive: Archive, dataset: pydicom.Dataset) -> pydicom.Dataset:
    """Return an instance by WADO-RS."""
    kind, body = archive.get(
        f"/dicom-web/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
        f"/instances/{dataset.SOPInstanceUID}",
        accept='multipart/related; type="application/dicom"; transfer-syntax=*',
    )
    boundary = kind.split("boundary=")[1].split(";")[0].strip('"').encode()
    part = body.split(b"--" + boundary)[1]
    content = part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
    return pydicom.dcmread(BytesIO(content))


def test_an_archive_files_both_and_gives_them_back_equal(
    archive: Archive, case: Case, tmp_path: Path
) -> None:
    segmentation = build_segmentation(
        case.report, masks=case.masks, lungs=case.lungs, source=case.source
    )
    paths = [
        save(segmentation, tmp_path / "seg.dcm"),
        write_dicom_sr(case.report, source=case.source, segmentation=segmentation, folder=tmp_path),
    ]
    assert store(archive, paths) == [0x0000, 0x0000]
    for path in paths:
        sent = pydicom.dcmread(path)
        assert fetch(archive, sent) == sent
    _, body = archive.get(
        f"/dicom-web/studies/{case.report.study.series.study_instance_uid}/series",
        accept="application/dicom+json",
    )
    modalities = {series["00080060"]["Value"][0] for series in json.loads(body)}
    assert modalities == {"SEG", "SR"}
    _, body = archive.get("/dicom-web/studies?PatientID=P-17", accept="application/dicom+json")
    assert len(json.loads(body)) == 1
