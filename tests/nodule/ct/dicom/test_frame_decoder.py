"""Decoder processes that crash, hang, or ask for too much."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.uid import RLELossless

from nodule.ct import inventory
from nodule.ct.dicom._frame_decoder import FrameDecoder
from nodule.ct.dicom._headers import ImageHeader
from nodule.errors import NoduleError


@pytest.fixture
def image(clean_series: Path) -> ImageHeader:
    return replace(inventory(clean_series).choose().images[0], transfer_syntax=RLELossless)


@pytest.fixture
def decoder() -> Iterator[FrameDecoder]:
    decoder = FrameDecoder()
    yield decoder
    decoder.close()


def refusal(decoder: FrameDecoder, image: ImageHeader) -> str:
    with pytest.raises(NoduleError) as caught:
        decoder.decode(b"x", image)
    return caught.value.code


def test_a_decoder_that_dies_is_an_error_of_its_file(
    decoder: FrameDecoder, image: ImageHeader
) -> None:
    os.kill(decoder.pid, signal.SIGSEGV)
    assert refusal(decoder, image) == "DECODER_DIED"


def test_a_decoder_that_hangs_is_stopped(image: ImageHeader) -> None:
    with closing(FrameDecoder(start_seconds=0.5)) as decoder:
        os.kill(decoder.pid, signal.SIGSTOP)
        assert refusal(decoder, image) == "DECODE_TIMEOUT"
        decoder._process.wait(timeout=10)


def test_a_decoder_out_of_processor_time_is_told_as_a_hang(
    decoder: FrameDecoder, image: ImageHeader
) -> None:
    os.kill(decoder.pid, signal.SIGXCPU)
    assert refusal(decoder, image) == "DECODE_TIMEOUT"


def test_a_frame_that_keeps_the_processor_busy_ends_the_decoder() -> None:
    """However long the clock runs, and each frame by itself."""
    script = (
        "import io, json, sys\n"
        "from nodule.ct.dicom import _decoder_process as it\n"
        "def busy(frame, request):\n"
        "    while frame == b'endless': pass\n"
        "    raise ValueError\n"
        "it.decode_frame = busy\n"
        "def asked(frame):\n"
        "    request = {'length': len(frame), 'cpu_seconds': 1}\n"
        "    return json.dumps(request).encode() + b'\\n' + frame\n"
        "it.serve(io.BytesIO(asked(b'short') + asked(b'endless')), sys.stdout.buffer)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == -signal.SIGXCPU
    assert done.stdout == b'{"error": "ValueError"}\n'


def test_a_decoder_cannot_take_more_than_a_gigabyte_or_write_files(
    decoder: FrameDecoder, image: ImageHeader
) -> None:
    assert refusal(decoder, image) == "DECODE_FAILED"
    assert resource.prlimit(decoder.pid, resource.RLIMIT_AS) == (1 << 30, 1 << 30)
    assert resource.prlimit(decoder.pid, resource.RLIMIT_FSIZE) == (0, 0)


def test_a_closed_decoder_leaves_no_process_behind(decoder: FrameDecoder) -> None:
    decoder.close()
    assert not decoder.is_alive
    with pytest.raises(ProcessLookupError):
        os.kill(decoder.pid, 0)


def test_a_decoder_ends_with_the_process_that_started_it(decoder: FrameDecoder) -> None:
    """Killed without a chance to tidy up, the parent still closes its end of the pipe."""
    assert decoder._process.stdin is not None
    decoder._process.stdin.close()
    assert decoder._process.wait(timeout=10) == 0
