"""What a compressed frame states of itself, before any decoder sees it."""

from __future__ import annotations

import struct

from nodule.ct.dicom import _syntaxes

_JPEG_START = b"\xff\xd8"
_J2K_START = b"\xff\x4f\xff\x51"  # ISO 15444-1, A.4.1 and A.5.1: SOC, then always SIZ
# ISO 10918-1, table B.1: start of frame, without DHT, JPG and DAC; ISO 14495-1: SOF55
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_JP2_START = b"\0\0\0\x0cjP  \r\n\x87\n"  # ISO 15444-1, I.5.1: the signature box
_END = b"\xff\xd9"  # EOI, or EOC of JPEG 2000; neither occurs inside coded data


def starts(fragment: bytes) -> bool:
    """Whether a fragment begins a JPEG, JPEG-LS or JPEG 2000 code stream."""
    return fragment.startswith((_JPEG_START + b"\xff", _J2K_START, _JP2_START))


def is_whole(frame: bytes, transfer_syntax: str) -> bool:
    """Whether a code stream has its end; decoders may wait for it without end."""
    has_end = _syntaxes.JPEG | _syntaxes.JPEG_LS | _syntaxes.JPEG_2000
    return transfer_syntax not in has_end or frame.rfind(_END) >= 0


def stated_size(frame: bytes, transfer_syntax: str) -> tuple[int, int] | None:
    """Return the rows and columns in the header of a JPEG, JPEG-LS or JPEG 2000 code stream.

    Returns
    -------
    (rows, columns); None where the stream has no such header, which is for its decoder to judge.
    """
    if transfer_syntax in _syntaxes.JPEG_2000:
        return _of_jpeg_2000(frame)
    if transfer_syntax in _syntaxes.JPEG | _syntaxes.JPEG_LS:
        return _of_jpeg(frame)
    return None


def _of_jpeg_2000(frame: bytes) -> tuple[int, int] | None:
    start = frame.find(_J2K_START)  # some writers put boxes of the file format before it
    if start < 0 or len(frame) < start + 24:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
    return bottom - top, right - left


def stated_bits(frame: bytes, transfer_syntax: str) -> tuple[int, bool] | None:
    """Return the bits of a value in a JPEG-LS or JPEG 2000 code stream, and whether one is a sign.

    None where the stream does not say, and for other codecs.
    """
    if transfer_syntax in _syntaxes.JPEG_2000:
        start = frame.find(_J2K_START)
        if start < 0 or len(frame) < start + 43:
            return None
        depth = frame[start + 42]  # ISO 15444-1, A.5.1: Ssiz of the first component
        return (depth & 0x7F) + 1, bool(depth & 0x80)
    if transfer_syntax in _syntaxes.JPEG_LS:
        header = _frame_header(frame)
        return None if header is None else (frame[header + 4], False)
    return None


def _of_jpeg(frame: bytes) -> tuple[int, int] | None:
    header = _frame_header(frame)
    if header is None:
        return None
    rows, columns = struct.unpack_from(">HH", frame, header + 5)
    return rows, columns


def _frame_header(frame: bytes) -> int | None:
    """Return where the frame header of a JPEG or JPEG-LS code stream begins."""
    if not frame.startswith(_JPEG_START):
        return None
    position = len(_JPEG_START)
    while position + 9 <= len(frame) and frame[position] == 0xFF:
        marker, length = struct.unpack_from(">xBH", frame, position)
        if marker in _FRAME_HEADERS:
            return position
        position += 1 if marker == 0xFF else 2 + length  # fill bytes may precede a marker
    return None
