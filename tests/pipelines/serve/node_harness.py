"""A node with toy work, and peers that send to it and receive from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt
from toy_work import ToyWork

from pipelines.serve import Node, ServeSettings

QUIET_S = 0.4
WAIT_S = 60.0


def quick(settings: ServeSettings | None = None, *, port: int = 0) -> ServeSettings:
    """Return settings of a port, any free one by default, and a short quiet time."""
    told = settings or ServeSettings()
    return replace(
        told,
        listen=replace(told.listen, port=port),
        monitor=replace(told.monitor, port=0),
        study=replace(told.study, quiet_s=QUIET_S),
    )


@contextmanager
def running(root: Path, settings: ServeSettings | None = None, *, port: int = 0) -> Iterator[Node]:
    node = Node(root, quick(settings, port=port), work=ToyWork(root / "results"))
    try:
        yield node
    finally:
        node.close()


def done(node: Node) -> float:
    """Return how many studies a node has done."""
    return node.figures()["studies_done"]


def until(node: Node, true: Callable[[], bool]) -> None:
    """Let a node work until something holds."""
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, node.figures()
        node.tick()
        time.sleep(0.02)


def image(study: str = "1.2.1", number: int = 1, *, patient: str = "P", value: int = 0) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = CTImageStorage
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = f"{study}.{number}"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.StudyInstanceUID = study
    data.SeriesInstanceUID = f"{study}.9"
    data.Modality = "CT"
    data.PatientID = patient
    data.PatientName = "CANARY^NAME"
    data.InstanceNumber = number
    data.ImageComments = str(value)
    return data


def sent(node: Node, *images: Dataset, own: str = "SENDER", called: str = "NODULE") -> list[int]:
    """Send images in one association and return the status of each; none where it is refused."""
    entity = AE(ae_title=own)
    entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", node.port, ae_title=called)
    if not association.is_established:
        return []
    statuses = [int(association.send_c_store(each).Status) for each in images]
    association.release()
    return statuses


@dataclass
class Archive:
    """A node that takes results; ``answers`` are its next statuses, success when they are used up.

    Parameters
    ----------
    port : where it listens.
    taken : SOP Instance UID of each object that it took, in order.
    """

    port: int
    taken: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"dicom://ARCHIVE@127.0.0.1:{self.port}"


@contextmanager
def listening(port: int = 0) -> Iterator[Archive]:
    archive = Archive(port=port)

    def store(event: evt.Event) -> int:
        status = archive.answers.pop(0) if archive.answers else 0
        if status == 0:
            archive.taken.append(str(event.dataset.SOPInstanceUID))
        return status

    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(CTImageStorage)
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    assert server is not None
    archive.port = server.server_address[1]
    try:
        yield archive
    finally:
        server.shutdown()
