"""Results sent to archives that run, and studies fetched from them."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from orthanc_archive import Archive, running_orthanc
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt

from nodule.ct import inventory
from nodule.errors import InputError
from nodule.phantom import make_phantom, random_spec, write_study
from pipelines.pacs import (
    DicomNode,
    DicomWeb,
    StudyAddress,
    fetch_study,
    send,
)
from pipelines.places import StudyPlace, fetched


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The CT images of a small phantom."""
    folder = tmp_path_factory.mktemp("study") / "ct"
    write_study(make_phantom(random_spec(3, size="small")), folder)
    return sorted(folder.glob("*.dcm"))


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as archive:
        yield archive


def peer(*statuses: int) -> Iterator[tuple[DicomNode, list[str]]]:
    """Yield a node that answers with these statuses in turn, and the objects that reached it."""
    reached: list[str] = []
    answers = iter(statuses)

    def store(event: evt.Event) -> int:
        reached.append(str(event.dataset.SOPInstanceUID))
        return next(answers)

    entity = AE(ae_title="PEER")
    entity.require_called_aet = True
    entity.add_supported_context(CTImageStorage)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    assert server is not None
    try:
        yield DicomNode(ae_title="PEER", host="127.0.0.1", port=server.server_address[1]), reached
    finally:
        server.shutdown()


@pytest.fixture
def taking_two_of_three() -> Iterator[tuple[DicomNode, list[str]]]:
    yield from peer(0x0000, 0xA700, 0xB007)  # taken; out of resources; taken with a warning


def test_each_file_is_told_to_be_stored_or_why_not(
    taking_two_of_three: tuple[DicomNode, list[str]], slices: list[Path]
) -> None:
    node, reached = taking_two_of_three
    sent = send(slices[:3], node)
    assert [each.refused is None for each in sent] == [True, False, True]
    assert "0xA700" in str(sent[1].refused)
    assert reached == [each.sop_instance_uid for each in sent]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its socket
def test_a_node_of_another_title_and_a_closed_port_do_not_answer(
    taking_two_of_three: tuple[DicomNode, list[str]], slices: list[Path]
) -> None:
    node, reached = taking_two_of_three
    other = DicomNode(ae_title="OTHER", host=node.host, port=node.port)
    with pytest.raises(InputError, match=r"NO_ANSWER.*refuses the association"):
        send(slices[:1], other)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for address in (
        DicomNode(ae_title="PEER", host="127.0.0.1", port=port),
        DicomWeb(root=f"http://127.0.0.1:{port}/dicom-web"),
    ):
        with pytest.raises(InputError, match="NO_ANSWER"):
            send(slices[:1], address)
    assert reached == []


def test_what_is_no_dicom_file_is_refused_before_anything_is_sent(
    taking_two_of_three: tuple[DicomNode, list[str]], slices: list[Path], tmp_path: Path
) -> None:
    node, reached = taking_two_of_three
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(b"no")
    with pytest.raises(InputError, match="NOT_DICOM"):
        send([slices[0], bad], node)
    assert reached == []


def test_a_study_comes_back_from_an_archive_as_it_went_in(
    orthanc: Archive, slices: list[Path], tmp_path: Path
) -> None:
    web = DicomWeb(root=f"http://127.0.0.1:{orthanc.http_port}/dicom-web")
    node = DicomNode(ae_title="ARCHIVE", host="127.0.0.1", port=orthanc.dicom_port)
    half = len(slices) // 2
    assert all(each.refused is None for each in send(slices[: half + 3], node))
    assert all(each.refused is None for each in send(slices[half:], web))  # three of them twice
    uid = str(pydicom.dcmread(slices[0]).StudyInstanceUID)

    address = StudyAddress(service=web, study_uid=uid)
    assert fetch_study(address, tmp_path / "back") == len(slices)
    before, after = (inventory(path).choose() for path in (slices[0].parent, tmp_path / "back"))
    assert [image.sop_instance_uid for image in after.images] == [
        image.sop_instance_uid for image in before.images
    ]
    pixels = [
        {str(each.SOPInstanceUID): each.PixelData for each in map(pydicom.dcmread, files)}
        for files in (slices, sorted((tmp_path / "back").glob("*.dcm")))
    ]
    assert pixels[0] == pixels[1]

    with fetched(StudyPlace(location=f"{web.root}/studies/{uid}")) as path:
        assert path.name == uid
        assert len(list(path.iterdir())) == len(slices)
    assert not path.exists()


def test_a_study_that_the_archive_has_not_is_refused(orthanc: Archive, tmp_path: Path) -> None:
    web = DicomWeb(root=f"http://127.0.0.1:{orthanc.http_port}/dicom-web")
    with pytest.raises(InputError, match=r"NO_SERIES|NO_ANSWER"):
        fetch_study(StudyAddress(service=web, study_uid="1.2.3"), tmp_path / "none")
