"""The node between real archives: studies found and earlier ones fetched, results committed."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from node_harness import done, image, running, until
from orthanc_archive import Archive, free_ports, running_orthanc

from pipelines.pacs import DicomNode, DicomWeb, send
from pipelines.serve import ServeSettings
from pipelines.serve._priors import fetch_prior
from pipelines.serve._settings import SendSettings, SourceSettings
from pipelines.serve._sources import new_in_service

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def node_port() -> int:
    return free_ports()[0]


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory, node_port: int) -> Iterator[Archive]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc"), node_port=node_port) as archive:
        yield archive


def web(archive: Archive) -> DicomWeb:
    return DicomWeb(root=f"http://127.0.0.1:{archive.http_port}/dicom-web")


def stored(archive: Archive, folder: Path, *, study: str, day: str, patient: str) -> Path:
    """Put a study of one image into the archive, and return its folder."""
    folder.mkdir()
    one = image(study, patient=patient)
    one.StudyDate = day
    one.save_as(folder / "1.dcm", enforce_file_format=True)
    node = DicomNode(ae_title="ARCHIVE", host="127.0.0.1", port=archive.dicom_port)
    assert send([folder / "1.dcm"], node)[0].refused is None
    return folder


def test_the_latest_earlier_study_of_the_same_patient_is_fetched(
    orthanc: Archive, tmp_path: Path
) -> None:
    for study, day, patient in (
        ("1.9.1", "20200101", "P1"),
        ("1.9.2", "20210601", "P1"),
        ("1.9.3", "20230101", "P1"),  # later than the current one
        ("1.9.4", "20220101", "P10"),  # another patient, whose number begins alike
    ):
        stored(orthanc, tmp_path / study, study=study, day=day, patient=patient)
    current = stored(orthanc, tmp_path / "now", study="1.9.9", day="20220301", patient="P1")
    prior = fetch_prior(current, web(orthanc), tmp_path / "prior")
    assert prior is not None
    (file,) = prior.iterdir()
    assert b"1.9.2.1" in file.read_bytes()
    nobody = stored(orthanc, tmp_path / "alone", study="1.9.8", day="20220301", patient="P99")
    assert fetch_prior(nobody, web(orthanc), tmp_path / "none") is None


def test_new_studies_of_the_day_are_found_and_processed(orthanc: Archive, tmp_path: Path) -> None:
    day = date(2024, 5, 17)
    stored(orthanc, tmp_path / "a", study="1.8.1", day=f"{day:%Y%m%d}", patient="P")
    ((state, place),) = new_in_service(web(orthanc), day=day)
    assert place.location == f"{web(orthanc).root}/studies/1.8.1"
    assert state.endswith("\n1")  # of one image
    today = f"{date.today():%Y%m%d}"
    stored(orthanc, tmp_path / "b", study="1.8.2", day=today, patient="P")
    told = ServeSettings(source=SourceSettings(service=web(orthanc).root, every_s=0.2))
    with running(tmp_path / "node", told) as node:
        until(node, lambda: done(node) == 1)


def test_an_archive_commits_to_keep_what_it_took(
    orthanc: Archive, node_port: int, tmp_path: Path
) -> None:
    watched = tmp_path / "in" / "study"
    watched.mkdir(parents=True)
    image("1.7.1").save_as(watched / "1.dcm", enforce_file_format=True)
    told = ServeSettings(
        send=SendSettings(to=(f"dicom://ARCHIVE@127.0.0.1:{orthanc.dicom_port}",), commit=True),
        source=SourceSettings(folder=str(tmp_path / "in"), every_s=0.2),
    )
    with running(tmp_path / "node", told, port=node_port) as node:
        until(node, lambda: node.figures()["commitments"] == 1)
    events = [
        json.loads(line)["event"]
        for line in (tmp_path / "node" / "audit.jsonl").read_text().splitlines()
    ]
    assert "committed" in events
