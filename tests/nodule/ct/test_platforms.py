"""What other systems lack is shadowed, in a fresh process and in all that it starts."""

import json
import os
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from nodule.ct.dicom._decoder_process import limit_this_process

# run by every Python process that finds it on its path, before anything else
WINDOWS = """
import os, sys
for name in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("geteuid", "getuid", "fork", "register_at_fork", "O_DIRECTORY", "O_NONBLOCK",
             "mkfifo", "sched_getaffinity", "getpgid", "killpg"):
    delattr(os, name)
real_open = os.open
def open_no_folder(path, flags, *more, **named):
    if isinstance(path, (str, bytes, os.PathLike)) and os.path.isdir(path):
        raise PermissionError(13, "Permission denied")
    return real_open(path, flags, *more, **named)
os.open = open_no_folder
"""

PROGRAM = """
import hashlib, json, sys
from pathlib import Path
from nodule.ct import inventory, read_ct
from nodule.ct.dicom._decoder_pool import DECODERS
from nodule.errors import NoduleError
assert sys.modules["resource"] is None
told = []
for path in map(Path, sys.argv[1:]):
    try:
        told.append(hashlib.sha256(read_ct(path).volume.array_zyx.tobytes()).hexdigest())
    except NoduleError as refused:
        told.append(refused.code)
print(json.dumps(told))
"""


@pytest.fixture
def windows(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "windows"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WINDOWS)
    return os.environ | {"PYTHONPATH": str(folder)}


# a process starts with the peak of the one that started it, so that a small one must measure
MEASURE = """
import json, os, subprocess, sys
env = json.loads(sys.stdin.read())
process = subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], stdout=subprocess.PIPE, env=env)
told = process.stdout.read().decode()
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([process.returncode, told, usage.ru_maxrss * 1024]))
"""


def run(program: str, *paths: Path, env: dict[str, str]) -> tuple[list[str], float]:
    """Return what the program tells, and the largest memory in bytes of any of its processes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, program, *map(str, paths)],
        input=json.dumps(env), capture_output=True, text=True, check=True,
    )  # fmt: skip
    returncode, told, memory_bytes = json.loads(done.stdout)
    assert returncode == 0
    return json.loads(told), memory_bytes


def compressed(synthetic: Any, folder: Path, uid: str) -> Path:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.compress(uid, generate_instance_uid=False)
    return Path(synthetic.save(slices, folder))


def with_frame(synthetic: Any, folder: Path, uid: str, frame: bytes) -> Path:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.file_meta.TransferSyntaxUID = uid
        ds.PixelData = encapsulate([frame])
        ds["PixelData"].VR = "OB"
    return Path(synthetic.save(slices, folder))


def test_compressed_dicom_is_read_where_there_is_no_posix(
    synthetic: Any, clean_series: Path, tmp_path: Path, windows: dict[str, str]
) -> None:
    told, _ = run(
        PROGRAM,
        clean_series,
        compressed(synthetic, tmp_path / "rle", RLELossless),
        compressed(synthetic, tmp_path / "ls", JPEGLSLossless),
        env=windows,
    )
    assert len(told[0]) == 64
    assert told == [told[0]] * 3


def test_bombs_are_refused_without_a_limit_on_memory(
    synthetic: Any, tmp_path: Path, windows: dict[str, str]
) -> None:
    siz = struct.pack(
        ">4sHH8IH", b"\xff\x4f\xff\x51", 41, 0, *[65535] * 2, 0, 0, *[65535] * 2, 0, 0, 1
    )
    sof = struct.pack(">4sHBHHB", b"\xff\xd8\xff\xf7", 11, 16, 65535, 65535, 1) + b"\x01\x11\x00"
    told, memory_bytes = run(
        PROGRAM,
        with_frame(synthetic, tmp_path / "j2k", JPEG2000Lossless, siz + bytes(64)),
        with_frame(synthetic, tmp_path / "ls", JPEGLSLossless, sof + bytes(64)),
        with_frame(
            synthetic,
            tmp_path / "rle",
            RLELossless,
            struct.pack("<16L", 2, 64, 64 + (1 << 20), *[0] * 13) + b"\x81\x00" * (1 << 20),
        ),
        env=windows,
    )
    assert told[:2] == ["DECODE_FAILED", "DECODE_FAILED"]  # by the size in their headers
    assert told[2] in {"DECODE_FAILED", "DECODER_DIED"}
    assert memory_bytes < 1 << 30


@dataclass
class SystemLimits:
    """The part of ``resource`` that is used, which notes what was set."""

    RLIMIT_AS, RLIMIT_CORE, RLIMIT_FSIZE, RLIM_INFINITY = 9, 4, 1, -1

    hard: int = RLIM_INFINITY
    taken: dict[int, tuple[int, int]] = field(default_factory=dict)

    def getrlimit(self, kind: int) -> tuple[int, int]:
        return self.hard, self.hard

    def setrlimit(self, kind: int, limits: tuple[int, int]) -> None:
        if self.hard != self.RLIM_INFINITY and limits[1] > self.hard:
            raise ValueError("not allowed to raise maximum limit")
        self.taken[kind] = limits


@pytest.mark.parametrize(
    ("system", "hard", "taken"),
    [
        ("linux", -1, {9: (1 << 30, 1 << 30), 4: (0, 0), 1: (0, 0)}),
        ("linux", 1 << 29, {9: (1 << 29, 1 << 29), 4: (0, 0), 1: (0, 0)}),
        ("darwin", -1, {4: (0, 0), 1: (0, 0)}),
    ],
)
def test_the_limits_are_those_that_a_system_offers(
    monkeypatch: pytest.MonkeyPatch, system: str, hard: int, taken: dict[int, tuple[int, int]]
) -> None:
    limits = SystemLimits(hard=hard)
    monkeypatch.setattr(sys, "platform", system)
    limit_this_process(limits)
    assert limits.taken == taken
