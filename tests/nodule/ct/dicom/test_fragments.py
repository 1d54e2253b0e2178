"""Fragments of compressed pixel data, laid out by hand as PS3.5 A.4 says."""

import struct
from pathlib import Path

import pytest

from nodule.ct._containers import Member
from nodule.ct.dicom._fragments import refuse_other_frames
from nodule.errors import NoduleError

RLE, JPEG_LS = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80"
FRAME = b"\xff\xd8\xff\xf7" + bytes(6)
MORE = bytes(10)  # a frame may go on in a next fragment
OFFSETS = (0, 18, 36)  # of frames of ten bytes, behind item tag and length of eight


def item(content: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content


def encapsulated(fragments: list[bytes], table: tuple[int, ...] = ()) -> bytes:
    end = b"\xfe\xff\xdd\xe0" + bytes(4)
    return b"".join(map(item, [struct.pack(f"<{len(table)}I", *table), *fragments])) + end


def refusal(content: bytes, *, syntax: str, frames: int, extended: tuple[int, ...] = ()) -> str:
    try:
        refuse_other_frames(
            Member(name="a", path=Path("a")),
            content,
            transfer_syntax=syntax,
            frames=frames,
            extended_table=struct.pack(f"<{len(extended)}Q", *extended),
        )
    except NoduleError as error:
        return error.code
    return "OK"


@pytest.mark.parametrize(
    ("fragments", "syntax", "frames", "code"),
    [
        ([FRAME], JPEG_LS, 1, "OK"),
        ([FRAME, MORE], JPEG_LS, 1, "OK"),
        ([FRAME, FRAME], JPEG_LS, 1, "SURPLUS_DATA"),
        ([FRAME, FRAME, FRAME], JPEG_LS, 2, "SURPLUS_DATA"),
        ([MORE], RLE, 1, "OK"),
        ([MORE, MORE], RLE, 1, "SURPLUS_DATA"),
        ([MORE, MORE], RLE, 2, "OK"),
    ],
)
def test_more_frames_than_described_are_refused(
    fragments: list[bytes], syntax: str, frames: int, code: str
) -> None:
    """Which of them a decoder would take is a guess."""
    assert refusal(encapsulated(fragments), syntax=syntax, frames=frames) == code


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ((), "OK"),
        (OFFSETS, "OK"),
        ((0, 36, 18), "UNREADABLE"),
        ((18, 36, 54), "UNREADABLE"),
        ((0, 18), "UNREADABLE"),
        ((0, 20, 36), "UNREADABLE"),
    ],
)
def test_a_table_tells_frames_in_their_order(table: tuple[int, ...], code: str) -> None:
    content = encapsulated([FRAME] * 3, table)
    assert refusal(content, syntax=JPEG_LS, frames=3) == code
    plain = encapsulated([FRAME] * 3)
    assert refusal(plain, syntax=JPEG_LS, frames=3, extended=table) == code


def test_fragments_that_break_off_are_refused() -> None:
    content = encapsulated([FRAME] * 3)
    assert refusal(content[:-20], syntax=JPEG_LS, frames=3) == "TRUNCATED"
