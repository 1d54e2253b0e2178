"""Decoder processes are kept while they behave, and replaced when they do not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.encaps import get_frame
from pydicom.uid import RLELossless

from nodule.ct import inventory, read_ct
from nodule.ct.dicom import _decoder_pool
from nodule.ct.dicom._decoder_pool import DECODERS, DecoderPool
from nodule.ct.dicom._dicom_file import read_pixels
from nodule.ct.dicom._headers import ImageHeader
from nodule.errors import NoduleError


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    pool = DecoderPool()
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def compressed(synthetic: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.compress(RLELossless, generate_instance_uid=False)
    return Path(synthetic.save(slices, tmp_path_factory.mktemp("rle")))


@pytest.fixture(scope="module")
def image(compressed: Path) -> ImageHeader:
    return inventory(compressed).choose().images[0]


def frame_of(image: ImageHeader) -> bytes:
    return get_frame(read_pixels(image.member, image.pixels), 0, number_of_frames=1)


def test_the_next_loan_gets_the_same_process(pool: DecoderPool, image: ImageHeader) -> None:
    pids = []
    for _ in range(3):
        with pool.lend() as decoder:
            decoder.decode(frame_of(image), image)
            pids.append(decoder.pid)
    assert len(set(pids)) == 1
    assert pool.idle_pids == (pids[0],)


def test_two_loans_at_once_get_two_processes(pool: DecoderPool) -> None:
    with pool.lend() as first, pool.lend() as second:
        assert first.pid != second.pid
    assert len(pool.idle_pids) == 2


def test_a_decoder_that_refused_a_frame_is_not_lent_again(
    pool: DecoderPool, image: ImageHeader
) -> None:
    with pytest.raises(NoduleError, match="DECODE_FAILED"), pool.lend() as decoder:
        decoder.decode(b"x", image)
    assert pool.idle_pids == ()
    assert not decoder.is_alive


def test_an_interrupt_ends_the_process(pool: DecoderPool) -> None:
    with pytest.raises(KeyboardInterrupt), pool.lend() as decoder:
        raise KeyboardInterrupt
    assert not decoder.is_alive


def test_a_decoder_that_died_while_idle_is_replaced(pool: DecoderPool, image: ImageHeader) -> None:
    with pool.lend() as first:
        pass
    os.kill(first.pid, signal.SIGKILL)
    first._process.wait()
    with pool.lend() as second:
        values = second.decode(frame_of(image), image)
    assert second.pid != first.pid
    assert values.shape == (image.pixel_format.rows, image.pixel_format.columns)


def test_a_decoder_retires_after_its_share_of_frames(
    pool: DecoderPool, image: ImageHeader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_decoder_pool, "MAX_FRAMES", 2)
    with pool.lend() as decoder:
        decoder.decode(frame_of(image), image)
    assert pool.idle_pids == (decoder.pid,)
    with pool.lend() as decoder:
        decoder.decode(frame_of(image), image)
    assert pool.idle_pids == ()


def test_idle_decoders_end_after_a_while() -> None:
    pool = DecoderPool(idle_seconds=0.1)
    with pool.lend() as decoder:
        pass
    deadline = time.monotonic() + 10
    while decoder.is_alive and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not decoder.is_alive
    assert pool.idle_pids == ()


def test_reading_a_second_series_starts_no_process(compressed: Path, synthetic: Any) -> None:
    read_ct(compressed)
    before = DECODERS.idle_pids
    study = read_ct(compressed)
    assert DECODERS.idle_pids == before
    np.testing.assert_array_equal(study.volume.array_zyx, synthetic.hounsfield_zyx())


def test_a_damaged_series_does_not_spoil_the_next(
    compressed: Path, synthetic: Any, image: ImageHeader
) -> None:
    with pytest.raises(NoduleError, match="DECODE_FAILED"), DECODERS.lend() as decoder:
        decoder.decode(bytes(64), replace(image))
    study = read_ct(compressed)
    np.testing.assert_array_equal(study.volume.array_zyx, synthetic.hounsfield_zyx())


PROGRAM = """
import sys
from pathlib import Path
from nodule.ct import read_ct
from nodule.ct.dicom._decoder_pool import DECODERS
read_ct(Path(sys.argv[1]))
print(*DECODERS.idle_pids)
"""


def test_a_script_without_a_main_guard_reads_and_leaves_no_process_behind(
    compressed: Path, tmp_path: Path
) -> None:
    """What starts workers by importing the caller's script again would fail or loop here."""
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, script, compressed], capture_output=True, text=True, check=True, timeout=60
    )
    (pid,) = map(int, done.stdout.split())
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


FORKING = """
import os, sys
from pathlib import Path
from nodule.ct import read_ct
from nodule.ct.dicom._decoder_pool import DECODERS
read_ct(Path(sys.argv[1]))
parent = DECODERS.idle_pids
child = os.fork()
if child == 0:
    assert DECODERS.idle_pids == ()
    read_ct(Path(sys.argv[1]))
    assert set(DECODERS.idle_pids).isdisjoint(parent)
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert DECODERS.idle_pids == parent
read_ct(Path(sys.argv[1]))
assert DECODERS.idle_pids == parent
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_forked_process_does_not_share_decoders(compressed: Path, tmp_path: Path) -> None:
    script = tmp_path / "forking.py"
    script.write_text(FORKING)
    done = subprocess.run(
        [sys.executable, "-W", "error", script, compressed],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
