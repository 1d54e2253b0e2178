"""Does each study end with one SR and one SEG, whatever is killed? Kills, and counts.

    python tests/exactly_once.py --studies 200 --kills 100      # ten minutes on two idle cores
    python tests/exactly_once.py --studies 6 --kills 4

A node (``nodule serve`` with quick stand-ins for the networks) stands between peers that send and
an Orthanc that archives. First everything is quiet. Then the same studies come again, to a new node
and a new Orthanc: from eight senders at once, out of order, with images twice and series that break
off and come again, beside a peer that stalls, one of a wrong title and a flood of associations,
while the node, its worker and Orthanc are killed (SIGKILL) at random and started again. In the end
both archives must hold the same objects, byte for byte: one SR and one SEG a study. The last line
says so as JSON; the status is 1 where it is not so.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.uid import CTImageStorage
from pynetdicom import AE

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS), str(TESTS / "pipelines")]

from orthanc_archive import Archive, OrthancProcess, free_ports  # noqa: E402

from nodule.phantom import PhantomSpec, make_phantom, write_study  # noqa: E402

LIGHT = TESTS / "pipelines" / "light_node.py"
QUIET_S = 8.0
SENDERS = 8
RESULTS = {"SR": 1, "SEG": 1}
WAIT_S = 900.0
CLOCK = "1700000000"  # objects state when they were written; both runs are at that time


@dataclass
class NodeProcess:
    """``nodule serve`` as a process that may be killed and is then started again."""

    folder: Path
    settings: Path
    config: Path
    port: int
    health_port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [sys.executable, str(LIGHT), "serve", str(self.folder)]
        with (self.folder.parent / "node.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*words, "--settings", str(self.settings), "--config", str(self.config)],
                stdout=log,
                stderr=log,
                env={**os.environ, "SOURCE_DATE_EPOCH": CLOCK},
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.start()

    def kill_worker(self) -> None:
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(int(child), signal.SIGKILL)

    def figures(self) -> dict[str, float]:
        url = f"http://127.0.0.1:{self.health_port}/health"
        with contextlib.suppress(OSError, ValueError):
            figures: dict[str, float] = json.loads(urllib.request.urlopen(url, timeout=5).read())
            return figures
        return {}


@dataclass
class Sender:
    """Sends studies until every image of each was taken."""

    port: int
    chance: random.Random
    rough: bool
    taken: set[str] = field(default_factory=set)

    def send(self, study: list[Path]) -> None:
        while True:
            images = [*study, *self.chance.sample(study, 3)] if self.rough else study
            if self.rough:
                self.chance.shuffle(images)
            breaks_off = self.rough and self.chance.random() < 0.3
            part = images[: len(images) // 2] if breaks_off else images
            if self._send(part) and not breaks_off:
                return
            time.sleep(self.chance.uniform(0.1, 1.0))

    def _send(self, images: list[Path]) -> bool:
        entity = AE(ae_title="SENDER")
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
        entity.add_requested_context(CTImageStorage)
        association = entity.associate("127.0.0.1", self.port, ae_title="NODULE")
        if not association.is_established:
            return False
        try:
            for each in images:
                status = association.send_c_store(str(each))
                if status.get("Status") != 0:
                    return False
                self.taken.add(each.stem)
        except (RuntimeError, ValueError, OSError):
            return False
        finally:
            if association.is_established:
                association.release()
        return True


def make_studies(folder: Path, count: int) -> list[list[Path]]:
    """Write small chests that differ in all their UIDs, a file called after its image's UID."""
    spec = PhantomSpec(seed=5, shape_zyx=(24, 48, 48), spacing_zyx_mm=(8.0, 8.0, 8.0), nodules=())
    write_study(make_phantom(spec), folder / "first")
    slices = [pydicom.dcmread(path) for path in sorted((folder / "first").glob("*.dcm"))]
    studies = []
    for number in range(count):
        place = folder / f"study-{number}"
        place.mkdir()
        for each in slices:
            for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
                setattr(each, name, _other(name, number))
            each.SOPInstanceUID = _other(f"slice {each.InstanceNumber}", number)
            each.file_meta.MediaStorageSOPInstanceUID = each.SOPInstanceUID
            each.PatientID = f"P{number}"
            each.save_as(place / f"{each.SOPInstanceUID}.dcm", enforce_file_format=True)
        studies.append(sorted(place.glob("*.dcm")))
    return studies


def _other(what: str, number: int) -> str:
    return f"2.25.{int(hashlib.sha256(f'{what} {number}'.encode()).hexdigest()[:24], 16)}"


@contextlib.contextmanager
def standing(folder: Path) -> Iterator[tuple[NodeProcess, OrthancProcess]]:
    """Yield a node that sends to an Orthanc, both in a folder."""
    import light_flow

    port, health_port = free_ports()
    folder.mkdir()
    config, settings = folder / "light.toml", folder / "serve.toml"
    config.write_text(light_flow.CONFIG)
    orthanc = OrthancProcess.in_folder(folder / "orthanc")
    orthanc.start()
    settings.write_text(
        f"[listen]\nport = {port}\nmax_associations = 12\nstall_s = 5.0\n"
        f"[study]\nquiet_s = {QUIET_S}\nattempts = 100\n"
        f"[send]\nto = ['dicom://ARCHIVE@127.0.0.1:{orthanc.archive.dicom_port}']\nretry_s = 1.0\n"
        f"[monitor]\nport = {health_port}\n[disk]\nquota_gib = 20.0\n"
    )
    node = NodeProcess(folder / "node", settings, config, port, health_port)
    node.start()
    try:
        yield node, orthanc
    finally:
        assert node.process is not None
        node.process.terminate()
        node.process.wait()
        orthanc.stop()


def objects(archive: Archive) -> dict[str, str]:
    """Return the digest of each object in the archive by modality and study."""
    found = {}
    for each in json.loads(archive.get("/instances")[1]):
        content = archive.get(f"/instances/{each}/file")[1]
        header = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
        name = f"{header.Modality} {header.StudyInstanceUID} {header.SOPInstanceUID}"
        found[name] = hashlib.sha256(content).hexdigest()
    return found


def wait_for_results(node: NodeProcess, archive: Archive, count: int) -> None:
    """Wait until the node has nothing left to do, and its archive two objects a study."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        figures = node.figures()
        if figures.get("studies_failed"):
            raise SystemExit(f"a study was set aside: {node.folder}/audit.jsonl")
        left = sum(
            figures.get(f"{what}_{state}", 1)
            for what in ("studies", "sendings")
            for state in ("waiting", "running")
        )
        with contextlib.suppress(OSError, ValueError):
            stored = len(json.loads(archive.get("/instances")[1]))
            if left == 0 and stored >= 2 * count:
                return
        time.sleep(1.0)
    raise SystemExit(f"not done after {WAIT_S} s: {node.figures()}")


def disturb(node: NodeProcess, stop: threading.Event) -> None:
    """Be a peer that stalls, one of a wrong title, and a flood, again and again."""
    while not stop.wait(1.0):
        with contextlib.suppress(OSError):
            stalled = socket.create_connection(("127.0.0.1", node.port), timeout=2)
            wrong = AE(ae_title="SENDER")
            wrong.acse_timeout = 5
            wrong.add_requested_context(CTImageStorage)
            assert not wrong.associate("127.0.0.1", node.port, ae_title="OTHER").is_established
            flood = [wrong.associate("127.0.0.1", node.port, ae_title="NODULE") for _ in range(6)]
            for each in flood:
                if each.is_established:
                    each.abort()
            stalled.close()


def run(folder: Path, studies: list[list[Path]], *, kills: int, seed: int) -> dict[str, object]:
    """Send all studies to a new node, and return what its archive holds and how it came to it."""
    chance = random.Random(seed)
    stop, killed = threading.Event(), Counter[str]()
    with standing(folder) as (node, orthanc):
        senders = [Sender(node.port, random.Random(seed + n), kills > 0) for n in range(SENDERS)]
        threads = [
            threading.Thread(target=lambda s=s, n=n: [s.send(x) for x in studies[n::SENDERS]])
            for n, s in enumerate(senders)
        ]
        if kills:
            threads.append(threading.Thread(target=disturb, args=(node, stop)))
        for each in threads:
            each.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.5, 3.0))
            what = chance.choice(("node", "worker", "archive"))
            {"node": node.kill, "worker": node.kill_worker, "archive": orthanc.kill}[what]()
            killed[what] += 1
        for each in threads[:SENDERS]:
            each.join()
        wait_for_results(node, orthanc.archive, len(studies))
        stop.set()
        for each in threads[SENDERS:]:
            each.join()
        figures = node.figures()
        found = objects(orthanc.archive)
    taken = set().union(*(each.taken for each in senders))
    return {"objects": found, "taken": len(taken), "figures": figures, "kills": dict(killed)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        studies = make_studies(folder, given.studies)
        quiet = run(folder / "quiet", studies, kills=0, seed=given.seed)
        rough = run(folder / "rough", studies, kills=given.kills, seed=given.seed)
    expected, found = quiet["objects"], rough["objects"]
    assert isinstance(expected, dict)
    assert isinstance(found, dict)
    kinds = Counter(each.split()[0] for each in found)
    result = {
        "studies": given.studies,
        "kills": rough["kills"],
        "objects": dict(kinds),
        "lost": len(expected.keys() - found.keys()),
        "doubled": len(found.keys() - expected.keys()),
        "changed": sum(found[each] != expected[each] for each in found.keys() & expected.keys()),
        "seconds": round(time.monotonic() - began),
    }
    right = kinds == {kind: count * given.studies for kind, count in RESULTS.items()}
    print(json.dumps({**result, "exactly_once": right and found == expected}))  # noqa: T201
    sys.exit(0 if right and found == expected else 1)


if __name__ == "__main__":
    main()
