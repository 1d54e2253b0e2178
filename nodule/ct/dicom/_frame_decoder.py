"""Compressed frames to stored values, in a child process with limits."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.ct.dicom import _syntaxes
from nodule.ct.dicom._codestream import is_whole, stated_bits, stated_size
from nodule.ct.dicom._headers import ImageHeader
from nodule.errors import DicomSeriesError

FRAME_SECONDS = 10.0
CPU_SECONDS = 6  # of the processor for a frame, with the first one's imports; 0.2 is a large frame
_OUT_OF_TIME = getattr(signal, "SIGXCPU", None)  # unknown to Windows
START_SECONDS = 30.0
_MAX_ANSWER_LINE = 1 << 12
_PROGRAM = Path(__file__).with_name("_decoder_process.py")


class FrameDecoder:
    """A child process that decodes one frame after the other.

    Not for use by several threads at once. After an error it must be closed: the child's state is
    then unknown.

    Parameters
    ----------
    start_seconds : how long the first frame may take, the start of the process included.
    """

    def __init__(self, *, start_seconds: float = START_SECONDS) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._seconds = start_seconds
        self._frames = 0
        self._process = subprocess.Popen(
            # -P keeps the current folder, which may be the input's, off the import path
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )

    def close(self) -> None:
        """End the child process."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):  # what a dead child has not taken stays unwritten
                stream.close()
        self._process.wait()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def frames(self) -> int:
        """How many frames it has decoded."""
        return self._frames

    @property
    def is_alive(self) -> bool:
        """Whether the child process still runs."""
        return self._process.poll() is None

    def decode(self, frame: bytes, image: ImageHeader) -> NDArray[np.integer[Any]]:
        """Return a frame's stored values, shape (rows, columns).

        Raises
        ------
        DicomSeriesError : ``DECODE_FAILED`` when the codec refuses or the frame states another
            size than its header, ``TRUNCATED`` when it lacks its end, ``DECODER_DIED`` when
            the codec crashes or runs out of memory, ``DECODE_TIMEOUT`` when it does not end.
        """
        pixel_format = image.pixel_format
        shape = pixel_format.rows, pixel_format.columns
        stated = stated_size(frame, image.transfer_syntax)
        if stated not in (None, shape):
            raise _failed(image, "DECODE_FAILED", f"a code stream of {stated} pixels")
        if not is_whole(frame, image.transfer_syntax):
            raise _failed(image, "TRUNCATED", "a code stream without its end")
        request = {
            "length": len(frame),
            "codec": _syntaxes.codec_of(image.transfer_syntax),
            "transfer_syntax": image.transfer_syntax,
            "rows": pixel_format.rows,
            "columns": pixel_format.columns,
            "bits_allocated": pixel_format.bits_allocated,
            "bits_stored": pixel_format.bits_stored,
            "is_signed": pixel_format.is_signed,
            "cpu_seconds": CPU_SECONDS,
        }
        dtype, body = self._ask(json.dumps(request).encode() + b"\n" + frame, image)
        pixels = np.frombuffer(body, dtype)
        if pixels.size != pixel_format.rows * pixel_format.columns:
            raise _failed(image, "DECODE_FAILED", f"{pixels.size} pixels")
        self._frames += 1
        return _in_sign_of(image, pixels.reshape(shape), frame)

    def _ask(self, request: bytes, image: ImageHeader) -> tuple[np.dtype[np.integer[Any]], bytes]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        expired = threading.Event()
        watchdog = threading.Timer(self._seconds, self._expire, [expired])
        watchdog.start()
        try:
            stdin.write(request)
            stdin.flush()
            line = stdout.readline(_MAX_ANSWER_LINE)
            answer = json.loads(line) if line.endswith(b"\n") else None
            body = stdout.read(int(answer["length"])) if answer and "length" in answer else b""
        except (OSError, ValueError):  # a broken pipe, which Windows calls an invalid argument
            answer, body = None, b""
        finally:
            watchdog.cancel()
        if expired.is_set():
            raise _failed(image, "DECODE_TIMEOUT", f"no answer in {self._seconds:.0f} s")
        if answer is None:
            status = self._process.wait()
            if _OUT_OF_TIME is not None and status == -_OUT_OF_TIME:
                raise _failed(image, "DECODE_TIMEOUT", f"more than {CPU_SECONDS} s of work")
            raise _failed(image, "DECODER_DIED", f"exit status {status}")
        if "error" in answer or len(body) != int(answer["length"]):
            raise _failed(image, "DECODE_FAILED", str(answer.get("error", "short answer"))[:64])
        self._seconds = FRAME_SECONDS
        return np.dtype(answer["dtype"]), body

    def _expire(self, expired: threading.Event) -> None:
        expired.set()
        self._process.kill()


def _in_sign_of(
    image: ImageHeader, values: NDArray[np.integer[Any]], frame: bytes
) -> NDArray[np.integer[Any]]:
    """Read a code stream's values in the sign of its header, where the stream says otherwise.

    JPEG-LS knows no sign, and some writers state the wrong one in JPEG 2000 (PS3.5, 8.2.4).
    """
    stated = stated_bits(frame, image.transfer_syntax)
    if stated is None:
        return values
    bits, has_sign = stated
    signed = values.view(f"{'i' if image.pixel_format.is_signed else 'u'}{values.itemsize}")
    unused = signed.dtype.type(max(8 * values.itemsize - bits, 0))
    if has_sign == image.pixel_format.is_signed or not unused:
        return signed
    return np.asarray(np.right_shift(np.left_shift(signed, unused), unused))


def _failed(image: ImageHeader, code: str, got: str) -> DicomSeriesError:
    return DicomSeriesError(
        f"the pixel data of {image.where} cannot be decoded",
        code=code,
        expected=f"{image.pixel_format.rows} x {image.pixel_format.columns} pixels"
        f" in transfer syntax {image.transfer_syntax}",
        got=got,
        hint="Copy or export the file again, uncompressed if possible.",
    )
