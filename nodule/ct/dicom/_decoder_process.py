"""The program that runs compression libraries apart from everything else.

It answers requests on its standard input until that ends. A request is one line of JSON and the
compressed frame; the answer is one line of JSON and the decoded frame, little endian. A codec that
crashes, hangs or swallows memory takes only this process down.

It is run by its path and imports nothing of this package, whose imports would take longer than
many frames.
"""

from __future__ import annotations

import json
import math
import os
import sys
import warnings
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEMORY_BYTES = 1 << 30


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the requests end."""
    while line := requests.readline():
        request = json.loads(line)
        frame = requests.read(request["length"])
        allow_processor_time(resource, seconds=request["cpu_seconds"])
        try:
            pixels = decode_frame(frame, request)
        except Exception as error:  # whatever a codec raises on malformed input
            answer, body = {"error": type(error).__name__}, b""
        else:
            body = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
            answer = {"dtype": pixels.dtype.newbyteorder("<").str, "length": str(len(body))}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.write(body)
        answers.flush()


def decode_frame(frame: bytes, request: dict[str, Any]) -> NDArray[np.integer[Any]]:
    """Return one frame's values as its codec gives them, in any shape.

    JPEG 2000 comes in the sign that the stream states, JPEG-LS and run lengths without sign.
    """
    if request["codec"] == "jpeg":
        return _by_gdcm(frame, request)
    if request["codec"] == "rle":
        import rle.rle

        pixels = request["rows"] * request["columns"]
        words = rle.rle.decode_frame(frame, pixels, request["bits_allocated"], "<")
        return np.frombuffer(words, f"<u{request['bits_allocated'] // 8}")
    import imagecodecs

    decode = {"jpeg-ls": imagecodecs.jpegls_decode, "jpeg-2000": imagecodecs.jpeg2k_decode}
    values: NDArray[np.integer[Any]] = decode[request["codec"]](frame)
    return values


def _by_gdcm(frame: bytes, request: dict[str, Any]) -> NDArray[np.integer[Any]]:
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    stored, allocated = request["bits_stored"], request["bits_allocated"]
    signed = int(request["is_signed"])

    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((request["columns"], request["rows"], 1))
    image.SetPhotometricInterpretation(
        gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2)
    )
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, stored, stored - 1, signed))
    image.SetTransferSyntax(
        gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(request["transfer_syntax"]))
    )
    image.SetDataElement(element)
    # the binding hands the bytes over as text with surrogates
    content = image.GetBuffer().encode("utf-8", "surrogateescape")
    kind = "i" if signed else "u"
    pixels = np.frombuffer(content, f"<{kind}{allocated // 8}")
    return pixels.reshape(request["rows"], request["columns"])


def allow_processor_time(system: Any, *, seconds: int) -> None:
    """Let the system end this process where the next frame keeps the processor busy for too long.

    Unlike the parent's clock, this counts no time in which other processes had the processor.

    Parameters
    ----------
    system : the module ``resource``, None where there is none.
    """
    if system is None:
        return
    used = system.getrusage(system.RUSAGE_SELF)
    hard = system.getrlimit(system.RLIMIT_CPU)[1]
    wanted = math.ceil(used.ru_utime + used.ru_stime) + seconds
    limit = wanted if hard == system.RLIM_INFINITY else min(wanted, hard)
    system.setrlimit(system.RLIMIT_CPU, (limit, hard))


def limit_this_process(system: Any) -> None:
    """Take the limits on memory, core dumps and written files that a system offers.

    Where it offers none, what remains are the sizes in frame headers, which are compared with the
    image's before a frame comes here, and the clock of the parent process.

    Parameters
    ----------
    system : the module ``resource``, None where there is none.

    Raises
    ------
    ValueError, OSError : when a system that offers a limit refuses it.
    """
    if system is None:
        return
    limits = {system.RLIMIT_CORE: 0, system.RLIMIT_FSIZE: 0}
    if sys.platform != "darwin":  # macOS knows the name and refuses every value
        limits[system.RLIMIT_AS] = MEMORY_BYTES
    for kind, wanted in limits.items():
        hard = system.getrlimit(kind)[1]  # it may be lower already, and cannot be raised
        limit = wanted if hard == system.RLIM_INFINITY else min(wanted, hard)
        system.setrlimit(kind, (limit, limit))


def main() -> None:
    """Serve on the standard streams; whatever codecs print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    warnings.simplefilter("ignore")
    limit_this_process(resource)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
