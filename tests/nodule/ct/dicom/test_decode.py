"""Stored values to Hounsfield units, and decoders that misbehave."""

import struct
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from nodule.ct import inventory, read_ct
from nodule.ct._containers import Member
from nodule.ct.dicom._decode import decode_images, to_hounsfield
from nodule.ct.dicom._headers import ImageHeader, read_dicom_file
from nodule.errors import NoduleError


@pytest.fixture
def images(clean_series: Path) -> tuple[ImageHeader, ...]:
    return inventory(clean_series).choose().images


def refusal(path: Path) -> str:
    with pytest.raises(NoduleError) as caught:
        read_ct(path)
    return caught.value.code


@pytest.mark.parametrize(
    ("declared", "signed", "expected"),
    [
        (-2000, True, (-2000, -2000)),
        (63536, True, (-2000, -2000)),  # as LIDC-IDRI writes it
        (0, False, (0, 0)),
    ],
)
def test_padding_is_read_in_the_images_own_sign(
    synthetic: Any, tmp_path: Path, declared: int, signed: bool, expected: tuple[int, int]
) -> None:
    ds = synthetic.make_slices()[0]
    ds.PixelRepresentation = int(signed)
    ds.add_new("PixelPaddingValue", "SS" if declared < 0 else "US", declared)
    path = next(synthetic.save([ds], tmp_path).iterdir())
    (image,) = read_dicom_file(Member(name="a", path=path)).images
    assert image.padding == expected


def test_padding_becomes_air_and_tissue_does_not(images: tuple[ImageHeader, ...]) -> None:
    stored = np.array([[-2000, -5, 0, 24, 1064]], np.int16)
    image = replace(images[0], slope=1.0, intercept=-1024.0, padding=(-5, 24))
    # -2000 lies below the CT scale; -5 to 24 are declared; 1064 is 40 HU
    np.testing.assert_array_equal(to_hounsfield(stored, image), [[-1000, -1000, -1000, -1000, 40]])


def test_padding_declared_within_tissue_is_not_believed(images: tuple[ImageHeader, ...]) -> None:
    stored = np.array([[0, -900]], np.int16)
    image = replace(images[0], slope=1.0, intercept=0.0, padding=(0, 0))
    np.testing.assert_array_equal(to_hounsfield(stored, image), [[0, -900]])


def test_bits_above_those_stored_are_ignored(synthetic: Any, tmp_path: Path) -> None:
    """Old scanners keep overlays in the four high bits."""
    ds = synthetic.make_slices()[0]
    ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 0, 12, 11
    values = np.arange(ds.Rows * ds.Columns, dtype="<u2") % 4096
    ds.add_new(0x60000102, "US", 13)  # OverlayBitPosition
    ds.PixelData = (values | 0xA000).tobytes()
    path = next(synthetic.save([ds], tmp_path).iterdir())
    (image,) = read_dicom_file(Member(name="a", path=path)).images
    plain = replace(image, slope=1.0, intercept=0.0, padding=None)
    np.testing.assert_array_equal(decode_images([plain]).ravel(), values)


def test_the_sign_lies_in_the_highest_stored_bit(synthetic: Any, tmp_path: Path) -> None:
    ds = synthetic.make_slices()[0]
    ds.BitsStored, ds.HighBit = 12, 11
    ds.PixelData = np.full(ds.Rows * ds.Columns, 0x0FFF, "<u2").tobytes()
    path = next(synthetic.save([ds], tmp_path).iterdir())
    (image,) = read_dicom_file(Member(name="a", path=path)).images
    plain = replace(image, slope=1.0, intercept=0.0, padding=None)
    assert set(decode_images([plain]).ravel().tolist()) == {-1}


def compress(slices: list[Any], uid: str) -> None:
    for ds in slices:
        ds.compress(uid, generate_instance_uid=False)


@pytest.mark.parametrize("uid", [RLELossless, pydicom.uid.JPEGLSLossless])
def test_lossless_compression_changes_nothing(synthetic: Any, tmp_path: Path, uid: str) -> None:
    slices = synthetic.make_slices()
    compress(slices, uid)
    study = read_ct(synthetic.save(slices, tmp_path))
    np.testing.assert_array_equal(study.volume.array_zyx, synthetic.hounsfield_zyx())
    assert not study.series.lossy


def test_one_broken_slice_refuses_the_series(synthetic: Any, tmp_path: Path) -> None:
    slices = synthetic.make_slices()
    compress(slices, RLELossless)
    slices[5].PixelData = encapsulate([bytes(64)])
    assert refusal(synthetic.save(slices, tmp_path)) == "DECODE_FAILED"


def j2k_claiming(rows: int, columns: int) -> bytes:
    """Return the head of a codestream that promises a huge image (ISO 15444-1, annex A.5)."""
    siz = struct.pack(">HHIIIIIIIIH", 41, 0, columns, rows, 0, 0, columns, rows, 0, 0, 1)
    siz += bytes([15, 1, 1])
    cod = struct.pack(">HHBBHBBBBBB", 0xFF52, 12, 0, 0, 1, 0, 5, 4, 4, 0, 1)
    qcd = struct.pack(">HHB", 0xFF5C, 3 + 16, 0x40) + bytes(16)
    sot = struct.pack(">HHHIBB", 0xFF90, 10, 0, 0, 0, 1) + b"\xff\x93"
    return b"\xff\x4f\xff\x51" + siz + cod + qcd + sot + bytes(64) + b"\xff\xd9"


def rle_endless(count: int) -> bytes:
    """Return RLE segments that expand 64-fold beyond the image."""
    return struct.pack("<16L", 2, 64, 64 + count, *[0] * 13) + b"\x81\x00" * count


BOMBS = {
    "a J2K codestream of 65535 x 65535": (JPEG2000Lossless, j2k_claiming(65535, 65535)),
    "a J2K codestream of 30000 x 30000": (JPEG2000Lossless, j2k_claiming(30000, 30000)),
    "endless RLE": (RLELossless, rle_endless(1 << 20)),
    "RLE segments outside the frame": (
        RLELossless,
        struct.pack("<16L", 2, 2**31, 2**31, *[0] * 13),
    ),
    "a JPEG-LS header of 65535 x 65535": (
        pydicom.uid.JPEGLSLossless,
        b"\xff\xd8\xff\xf7"
        + struct.pack(">HBHHBBBB", 11, 16, 65535, 65535, 1, 1, 0x11, 0)
        + bytes(64),
    ),
    "a lossless JPEG header of 65535 x 65535": (
        pydicom.uid.JPEGLosslessSV1,
        b"\xff\xd8\xff\xc3"
        + struct.pack(">HBHHBBBB", 11, 16, 65535, 65535, 1, 1, 0x11, 0)
        + bytes(64),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_decompression_bomb_is_refused(synthetic: Any, tmp_path: Path, name: str) -> None:
    uid, frame = BOMBS[name]
    slices = synthetic.make_slices()
    for ds in slices:
        ds.file_meta.TransferSyntaxUID = uid
        ds.PixelData = encapsulate([frame])
        ds["PixelData"].VR = "OB"
    start = time.monotonic()
    assert refusal(synthetic.save(slices, tmp_path)) in {"DECODE_FAILED", "DECODER_DIED"}
    assert time.monotonic() - start < 10


def test_a_deflated_bomb_is_refused(
    synthetic: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodule.ct.dicom._dicom_file.MAX_INFLATED_BYTES", 1 << 20)
    ds = synthetic.make_slices()[0]
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.PixelData = bytes(4 << 20)
    path = next(synthetic.save([ds], tmp_path).iterdir())
    assert path.stat().st_size < 1 << 16
    assert refusal(path) == "TOO_LARGE"


def test_damaged_deflate_is_refused(synthetic: Any, tmp_path: Path) -> None:
    ds = synthetic.make_slices()[0]
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = next(synthetic.save([ds], tmp_path).iterdir())
    content = bytearray(path.read_bytes())
    content[-200:] = zlib.compress(b"something else")[:1] * 200
    path.write_bytes(content)
    assert refusal(path) in {"UNREADABLE", "TRUNCATED", "NOT_AN_IMAGE", "BAD_VALUE"}


def test_frames_come_in_the_order_asked_for(images: tuple[ImageHeader, ...]) -> None:
    forwards, backwards = decode_images(images), decode_images(images[::-1])
    np.testing.assert_array_equal(forwards, backwards[::-1])
    assert forwards.dtype == np.int16


def test_a_code_stream_of_another_size_than_its_header_is_refused(
    synthetic: Any, tmp_path: Path
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.Rows, ds.Columns = ds.Columns, ds.Rows  # as many pixels, turned
    compress(slices, pydicom.uid.JPEGLSLossless)
    for ds in slices:
        ds.Rows, ds.Columns = ds.Columns, ds.Rows
    assert refusal(synthetic.save(slices, tmp_path)) == "DECODE_FAILED"


def test_all_threads_stop_when_one_image_fails(
    images: tuple[ImageHeader, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    broken = replace(images[4], transfer_syntax=RLELossless)
    with pytest.raises(NoduleError):
        decode_images([*images[:4], broken, *images[5:]], progress=seen.append)
    assert len(seen) == 4


@pytest.mark.parametrize(("stored", "hu"), [(1, -1023), (0, -1024), (-1, -1000)])
def test_what_lies_below_the_scale_of_ct_is_air(
    images: tuple[ImageHeader, ...], stored: int, hu: int
) -> None:
    image = replace(images[0], slope=1.0, intercept=-1024.0, padding=None)
    assert to_hounsfield(np.array([[stored]], np.int16), image) == hu


@pytest.mark.parametrize(("padding_hu", "believed"), [(-901, True), (-900, True), (-899, False)])
def test_padding_is_believed_up_to_minus_900(
    synthetic: Any, tmp_path: Path, padding_hu: int, believed: bool
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.add_new("PixelPaddingValue", "SS", padding_hu - int(ds.RescaleIntercept))
    study = read_ct(synthetic.save(slices, tmp_path))
    assert ("PADDING_IN_RANGE" in {w.code for w in study.warnings}) != believed
    expected = synthetic.hounsfield_zyx()
    if believed:
        expected[expected == padding_hu] = -1000
    np.testing.assert_array_equal(study.volume.array_zyx, expected)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_values_beyond_the_stored_bits_are_refused(
    synthetic: Any, tmp_path: Path, signed: bool, compressed: bool
) -> None:
    """Cut to the bits that are stated, they would be other values; no overlay explains them."""
    slices = synthetic.make_slices()
    if compressed:
        compress(slices, RLELossless)
    for ds in slices:
        ds.PixelRepresentation, ds.BitsStored, ds.HighBit = int(signed), 9, 8
    assert refusal(synthetic.save(slices, tmp_path)) == "BAD_VALUE"


def test_a_sign_may_reach_into_the_bits_above_those_stored(synthetic: Any, tmp_path: Path) -> None:
    ds = synthetic.make_slices()[0]
    ds.BitsStored, ds.HighBit = 12, 11
    ds.PixelData = np.arange(-240, 240, dtype="<i2").tobytes()
    path = next(synthetic.save([ds], tmp_path).iterdir())
    (image,) = read_dicom_file(Member(name="a", path=path)).images
    plain = replace(image, slope=1.0, intercept=0.0, padding=None)
    np.testing.assert_array_equal(decode_images([plain]).ravel(), np.arange(-240, 240))


def test_a_deflated_file_without_its_end_is_refused(synthetic: Any, tmp_path: Path) -> None:
    """All pixels are there; what follows them in the file is not."""
    ds = synthetic.make_slices()[0]
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.add_new(0xFFFCFFFC, "OB", np.random.default_rng(0).bytes(4096))
    path = next(synthetic.save([ds], tmp_path).iterdir())
    path.write_bytes(path.read_bytes()[:-2000])
    assert refusal(path) == "UNREADABLE"
