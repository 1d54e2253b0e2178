"""Compressed frames to stored values, in child processes with limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nodule.ct.dicom.headers import ImageHeader
from nodule.errors import DicomSeriesError

FRAME_SECONDS = 10.0
START_SECONDS = 30.0
_MAX_ANSWER_LINE = 1 << 12


class Codec:
    """A child process that decodes one frame after the other.

    A context manager. Not for use by several threads at once: make one for each.
    """

    def __enter__(self) -> Self:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._seconds = START_SECONDS
        self._process = subprocess.Popen(
            # -P keeps the current folder, which may be the input's, off the import path
            [sys.executable, "-P", "-m", "nodule.ct.dicom.decompress_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def decode(self, frame: bytes, image: ImageHeader) -> NDArray[np.integer[Any]]:
        """Return a frame's stored values, shape (rows, columns).

        Raises
        ------
        DicomSeriesError : ``DECODE_FAILED`` when the codec refuses, ``DECODER_DIED`` when it
            crashes or runs out of memory, ``DECODE_TIMEOUT`` when it does not come to an end.
        """
        pixel_format = image.pixel_format
        request = {
            "length": len(frame),
            "transfer_syntax": image.transfer_syntax,
            "rows": pixel_format.rows,
            "columns": pixel_format.columns,
            "photometric": pixel_format.photometric,
            "bits_allocated": pixel_format.bits_allocated,
            "bits_stored": pixel_format.bits_stored,
            "is_signed": pixel_format.is_signed,
        }
        dtype, body = self._ask(json.dumps(request).encode() + b"\n" + frame, image)
        pixels = np.frombuffer(body, dtype)
        if pixels.size != pixel_format.rows * pixel_format.columns:
            raise _failed(image, "DECODE_FAILED", f"{pixels.size} pixels")
        return pixels.reshape(pixel_format.rows, pixel_format.columns)

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
        except (BrokenPipeError, ValueError):
            answer, body = None, b""
        finally:
            watchdog.cancel()
        if expired.is_set():
            raise _failed(image, "DECODE_TIMEOUT", f"no answer in {self._seconds:.0f} s")
        if answer is None:
            raise _failed(image, "DECODER_DIED", f"exit status {self._process.wait()}")
        if "error" in answer or len(body) != int(answer["length"]):
            raise _failed(image, "DECODE_FAILED", str(answer.get("error", "short answer"))[:64])
        self._seconds = FRAME_SECONDS
        return np.dtype(answer["dtype"]), body

    def _expire(self, expired: threading.Event) -> None:
        expired.set()
        self._process.kill()


def _failed(image: ImageHeader, code: str, got: str) -> DicomSeriesError:
    return DicomSeriesError(
        f"the pixel data of {image.where} cannot be decoded",
        code=code,
        expected=f"{image.pixel_format.rows} x {image.pixel_format.columns} pixels"
        f" in transfer syntax {image.transfer_syntax}",
        got=got,
        hint="Copy or export the file again, uncompressed if possible.",
    )
