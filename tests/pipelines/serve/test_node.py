import json
import socket
import threading
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from node_harness import QUIET_S, done, image, listening, quick, running, sent, until
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE

from nodule.errors import InputError
from pipelines.serve import Node, ServeSettings
from pipelines.serve._settings import (
    DiskSettings,
    ListenSettings,
    SendSettings,
    SourceSettings,
    StudySettings,
)

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def test_a_study_is_processed_once_it_is_quiet_and_sent_on(tmp_path: Path) -> None:
    with (
        listening() as archive,
        running(tmp_path, ServeSettings(send=SendSettings(to=(archive.address,)))) as node,
    ):
        assert sent(node, *(image(number=n) for n in (1, 2, 3))) == [0, 0, 0]
        node.tick()
        assert done(node) == 0  # not quiet yet
        until(node, lambda: len(archive.taken) == 2)
        until(node, lambda: node.figures()["sendings_done"] == 1)
        assert sent(node, image(number=2)) == [0]  # one that is known changes nothing
        for _ in range(20):
            node.tick()
        threading.Event().wait(2 * QUIET_S)
        node.tick()
        assert done(node) == 1
        assert len(archive.taken) == 2


def test_a_late_slice_opens_a_study_again(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        sent(node, image(number=1), image(number=2))
        until(node, lambda: done(node) == 1)
        sent(node, image(number=3))
        until(node, lambda: done(node) == 2)
    counts = {path.name: path.parent.name for path in (tmp_path / "results").glob("*/sr.dcm")}
    assert len(counts) == 1
    assert len(list((tmp_path / "results").iterdir())) == 2  # of two images, and of three


def test_an_image_that_contradicts_an_earlier_one_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        assert sent(node, image(value=1), image(value=1), image(value=2)) == [0, 0, 0x0111]
        other = image(study="1.2.7")
        del other.StudyInstanceUID
        assert sent(node, other) == [0xC000]


def test_images_beyond_the_quota_are_refused_and_nothing_of_them_stays(tmp_path: Path) -> None:
    quota = DiskSettings(quota_gib=1e6 / (1 << 30))
    with running(tmp_path, ServeSettings(disk=quota)) as node:
        large = [image(number=n) for n in (1, 2)]
        for each in large:
            each.add_new("PixelData", "OW", bytes(600_000))
        assert sent(node, *large, image(number=3)) == [0, 0xA700, 0]
        assert len(list((tmp_path / "inbox").rglob("*"))) == 3  # a folder and two images


def test_who_may_not_call_is_refused_and_told_apart(tmp_path: Path) -> None:
    told = ServeSettings(listen=ListenSettings(callers=("CT1",), max_associations=2))
    with running(tmp_path, told) as node:
        assert sent(node, image(), own="CT1", called="OTHER") == []
        assert sent(node, image(), own="CT2") == []
        assert sent(node, image(), own="CT1") == [0]
        node.tick()
        assert node.figures()["associations_refused"] == 2
        entity = AE(ae_title="CT1")
        entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        held = [entity.associate("127.0.0.1", node.port, ae_title="NODULE") for _ in range(3)]
        assert [each.is_established for each in held] == [True, True, False]
        for each in held[:2]:
            each.release()


def test_echo_answers_and_other_objects_are_not_negotiated(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        entity = AE()
        entity.add_requested_context("1.2.840.10008.1.1")
        entity.add_requested_context(MRImageStorage)
        association = entity.associate("127.0.0.1", node.port, ae_title="NODULE")
        assert association.send_c_echo().Status == 0
        assert [str(each.abstract_syntax) for each in association.accepted_contexts] == [
            "1.2.840.10008.1.1"
        ]
        association.release()


def test_a_peer_that_stalls_is_dropped(tmp_path: Path) -> None:
    told = ServeSettings(listen=ListenSettings(stall_s=0.5))
    with running(tmp_path, told) as node:
        entity = AE()
        entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", node.port, ae_title="NODULE")
        assert association.is_established
        until(node, lambda: not association.is_established)


def test_results_wait_for_an_archive_that_is_away(tmp_path: Path) -> None:
    port = free_port()
    told = SendSettings(to=(f"dicom://ARCHIVE@127.0.0.1:{port}",), retry_s=0.2)
    with running(tmp_path, ServeSettings(send=told)) as node:
        sent(node, image())
        until(node, lambda: done(node) == 1)
        until(node, lambda: '"not sent"' in (tmp_path / "audit.jsonl").read_text())
        with listening(port) as archive:
            archive.answers = [0xA700]  # full at first
            until(node, lambda: node.figures()["sendings_done"] == 1)
            assert len(set(archive.taken)) == 2


def test_a_study_that_kills_its_process_is_set_aside_and_others_are_done(tmp_path: Path) -> None:
    with running(tmp_path, ServeSettings(study=StudySettings(attempts=2))) as node:
        sent(node, image("1.2.1", patient="DIES"))
        sent(node, image("1.2.2"))
        sent(node, image("1.2.3", patient="BAD"))
        until(node, lambda: node.figures()["studies_failed"] == 2)
        assert done(node) == 1
    lines = [json.loads(each) for each in (tmp_path / "audit.jsonl").read_text().splitlines()]
    aside = {each["code"] for each in lines if each["event"] == "set aside"}
    assert aside == {"WORKER_LOST", "GANTRY_TILT"}
    again = [each["code"] for each in lines if each["event"] == "tried again"]
    assert again == ["WORKER_LOST"]


def test_a_study_that_takes_too_long_is_set_aside(tmp_path: Path) -> None:
    told = StudySettings(attempts=1, limit_s=1.0)
    with running(tmp_path, ServeSettings(study=told)) as node:
        sent(node, image(patient="HANGS"))
        until(node, lambda: node.figures()["studies_failed"] == 1)


def test_a_node_that_is_started_again_goes_on(tmp_path: Path) -> None:
    with listening() as archive:
        told = ServeSettings(send=SendSettings(to=(archive.address,)))
        with running(tmp_path, told) as node:
            sent(node, image("1.2.1"), image("1.2.2"))  # and closed before anything is done
        with running(tmp_path, told) as node:
            node.tick()
        with running(tmp_path, told) as node:
            until(node, lambda: node.figures().get("sendings_done", 0) == 2)
        assert len(set(archive.taken)) == 4


def test_studies_that_appear_in_a_folder_are_taken_as_if_sent(tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    (watched / "a").mkdir(parents=True)
    (watched / ".part").mkdir()
    image().save_as(watched / "a" / "1.dcm", enforce_file_format=True)
    told = ServeSettings(source=SourceSettings(folder=str(watched), every_s=0.1))
    with running(tmp_path / "node", told) as node:
        until(node, lambda: done(node) == 1)
        for _ in range(20):
            node.tick()
        assert done(node) == 1


def test_health_and_metrics_say_how_it_is(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        sent(node, image())
        node.tick()
        root = f"http://127.0.0.1:{node.monitor_port}"
        health = json.loads(urllib.request.urlopen(f"{root}/health", timeout=5).read())
        assert health["well"] is True
        assert health["images_kept"] == 1
        metrics = urllib.request.urlopen(f"{root}/metrics", timeout=5).read().decode()
        assert "nodule_images_kept 1.0" in metrics
        assert "nodule_disk_bytes" in metrics
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{root}/patients", timeout=5)


def test_nobody_is_named_but_in_images_and_results(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        sent(node, image(patient="CANARY-ID"))
        sent(node, image("1.2.2", patient="BAD"))
        until(node, lambda: done(node) + node.figures()["studies_failed"] == 2)
    for path in tmp_path.rglob("*"):
        name = str(path.relative_to(tmp_path))
        assert "CANARY" not in name
        if path.is_file() and path.suffix != ".dcm":
            assert b"CANARY" not in path.read_bytes()


def test_what_has_been_sent_goes_after_its_time(tmp_path: Path) -> None:
    with running(tmp_path, ServeSettings(disk=DiskSettings(keep_h=0.0))) as node:
        sent(node, image())
        until(node, lambda: done(node) == 1)
        node._due.clear()  # housekeeping is due
        node.tick()
        assert list((tmp_path / "inbox").iterdir()) == []
        assert list((tmp_path / "results").iterdir()) == []
        node.tick()
        assert node.figures()["disk_bytes"] < 1e6


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = quick()
        told = replace(told, listen=replace(told.listen, port=taken.getsockname()[1]))
        with pytest.raises(InputError, match="CANNOT_LISTEN"):
            Node(tmp_path, told)
