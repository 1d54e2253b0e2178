"""A real archive for tests: Orthanc with its DICOMweb plugin."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

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


@dataclass
class OrthancProcess:
    """An Orthanc with DICOMweb, on ports of this machine alone.

    It knows the title ``NODULE``, at a port of this machine, and refuses every other.
    """

    words: tuple[str, ...]
    log: Path
    archive: Archive
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def in_folder(cls, folder: Path, *, node_port: int = 1) -> OrthancProcess:
        folder.mkdir(parents=True, exist_ok=True)
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
            "DicomModalities": {"nodule": ["NODULE", "127.0.0.1", node_port]},
            "Plugins": [str(PLUGIN)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        archive = Archive(http_port=http_port, dicom_port=dicom_port)
        return cls(("Orthanc", str(path)), folder / "log", archive)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.words, stdout=log, stderr=log)
        wait_for(self.archive, self.process)

    def kill(self) -> None:
        """Kill it, and start it again."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.start()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(timeout=20)


@contextlib.contextmanager
def running_orthanc(folder: Path, *, node_port: int = 1) -> Iterator[Archive]:
    """Yield an Orthanc as `OrthancProcess` describes it; the test skips where there is none."""
    if shutil.which("Orthanc") is None or not PLUGIN.exists():
        pytest.skip("Orthanc (orthanc, orthanc-dicomweb) is not installed")
    pytest.importorskip("pynetdicom", reason="pynetdicom is not installed")
    orthanc = OrthancProcess.in_folder(folder, node_port=node_port)
    orthanc.start()
    try:
        yield orthanc.archive
    finally:
        orthanc.stop()


def free_ports() -> tuple[int, int]:
    with socket.socket() as a, socket.socket() as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        return a.getsockname()[1], b.getsockname()[1]


def wait_for(archive: Archive, process: subprocess.Popen[bytes]) -> None:
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
