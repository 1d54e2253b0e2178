"""Results stored into a real archive and fetched back."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from dicom_case import Case
from pydicom.uid import Comprehensive3DSRStorage, ExplicitVRLittleEndian, SegmentationStorage

from nodule.dicom._instance import save
from nodule.dicom._segmentation import build_segmentation
from nodule.dicom._structured_report import write_dicom_sr

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
START_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Archive:
    http_port: int
    dicom_port: int

    def get(self, path: str, *, accept: str = "*/*") -> tuple[str, bytes]:
        """Return content type and body."""
        url = f"http://127.0.0.1:{self.http_port}{path}"
        request = urllib.request.Request(url, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.headers["Content-Type"], response.read()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    program = shutil.which("Orthanc")
    if program is None or not PLUGIN.exists():
        pytest.skip("Orthanc (orthanc, orthanc-dicomweb) is not installed")
    pytest.importorskip("pynetdicom", reason="pynetdicom is not installed")
    folder = tmp_path_factory.mktemp("orthanc")
    http_port, dicom_port = free_ports()
    config = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "DicomPort": dicom_port,
        "DicomAet": "ARCHIVE",
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowStore": False,
        "DicomCheckModalityHost": True,
        "DicomModalities": {"nodule": ["NODULE", "127.0.0.1", 1]},
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, path], stdout=log, stderr=log)
        try:
            archive = Archive(http_port=http_port, dicom_port=dicom_port)
            wait_for(archive, process)
            yield archive
        finally:
            process.terminate()
            process.wait(timeout=20)


def free_ports() -> tuple[int, int]:
    with socket.socket() as a, socket.socket() as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        return a.getsockname()[1], b.getsockname()[1]


def wait_for(archive: Archive, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert process.poll() is None, "Orthanc ended"
        try:
            archive.get("/system")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"Orthanc did not answer within {START_S} s")


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
