"""What a code stream states of itself, by the standards' own layouts and by real encoders."""

import struct
from typing import Any

import pydicom
import pytest
from pydicom.encaps import get_frame

from nodule.ct.dicom._codestream import is_whole, starts, stated_bits, stated_size

LOSSLESS_JPEG, JPEG_LS, JPEG_2000 = (
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
)
RLE = "1.2.840.10008.1.2.5"


def jpeg(marker: int, rows: int, columns: int, before: bytes = b"") -> bytes:
    header = struct.pack(">BBHBHHB", 0xFF, marker, 11, 12, rows, columns, 1)
    return b"\xff\xd8" + before + header + b"\x01\x11\x00"


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC3, 0xCF])
def test_a_jpeg_states_its_size_in_its_frame_header(marker: int) -> None:
    assert stated_size(jpeg(marker, 20, 30), LOSSLESS_JPEG) == (20, 30)


def test_segments_before_the_frame_header_are_skipped() -> None:
    table = struct.pack(">BBH", 0xFF, 0xC4, 6) + b"\xff\xc3\x00\x00"  # a table that looks like one
    comment = struct.pack(">BBH", 0xFF, 0xFE, 4) + b"hi"
    assert stated_size(jpeg(0xC3, 20, 30, table + comment + b"\xff"), LOSSLESS_JPEG) == (20, 30)


def test_jpeg_ls_has_a_frame_header_of_its_own() -> None:
    assert stated_size(jpeg(0xF7, 20, 30), JPEG_LS) == (20, 30)


def test_jpeg_2000_states_the_corners_of_its_image() -> None:
    corners = struct.pack(">4I", 35, 27, 5, 7)  # right, bottom, left, top
    stream = b"\xff\x4f\xff\x51" + struct.pack(">HH", 41, 0) + corners + bytes(30)
    assert stated_size(stream, JPEG_2000) == (20, 30)
    assert stated_size(b"boxes" + stream, JPEG_2000) == (20, 30)


@pytest.mark.parametrize("stream", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff", b"\0" * 40])
@pytest.mark.parametrize("syntax", [LOSSLESS_JPEG, JPEG_LS, JPEG_2000, RLE])
def test_what_has_no_header_states_nothing(stream: bytes, syntax: str) -> None:
    assert stated_size(stream, syntax) is None


def test_an_encoder_states_the_size_of_its_image(synthetic: Any) -> None:
    ds = synthetic.make_slices()[0]
    ds.compress(pydicom.uid.JPEGLSLossless, generate_instance_uid=False)
    frame = get_frame(ds.PixelData, 0, number_of_frames=1)
    assert stated_size(frame, JPEG_LS) == (ds.Rows, ds.Columns)
    assert starts(frame)
    assert is_whole(frame, JPEG_LS)
    assert not is_whole(frame[:-2], JPEG_LS)


def test_run_lengths_have_no_end_of_their_own() -> None:
    assert is_whole(b"", RLE)
    assert not starts(bytes(64))


def j2k(depth: int) -> bytes:
    """Return SOC and a SIZ of one component, ISO 15444-1, A.5.1."""
    sizes = struct.pack(">8I", 30, 20, 0, 0, 30, 20, 0, 0)
    return b"\xff\x4f\xff\x51\x00\x29\x00\x00" + sizes + struct.pack(">HBBB", 1, depth, 1, 1)


@pytest.mark.parametrize(
    ("frame", "syntax", "expected"),
    [
        (j2k(0x8B), JPEG_2000, (12, True)),
        (j2k(0x0C), JPEG_2000, (13, False)),
        (j2k(0x0C)[:42], JPEG_2000, None),
        (jpeg(0xF7, 20, 30), JPEG_LS, (12, False)),
        (b"\xff\xd8\xff\xda", JPEG_LS, None),
        (jpeg(0xC3, 20, 30), LOSSLESS_JPEG, None),
    ],
)
def test_a_code_stream_states_its_bits_and_its_sign(
    frame: bytes, syntax: str, expected: tuple[int, bool] | None
) -> None:
    assert stated_bits(frame, syntax) == expected
