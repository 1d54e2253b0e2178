"""The transfer syntaxes that this package reads, and by which decoder."""

from __future__ import annotations

BIG_ENDIAN = "1.2.840.10008.1.2.2"  # retired, still found in old archives
NATIVE = frozenset(
    {
        "1.2.840.10008.1.2",  # implicit VR little endian
        "1.2.840.10008.1.2.1",  # explicit VR little endian
        "1.2.840.10008.1.2.1.99",  # deflated
        BIG_ENDIAN,
    }
)
# pydicom has no decoder for the retired progressive processes and refuses 12 bits, GDCM does all
JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 57, 70))
JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))
RLE = frozenset({"1.2.840.10008.1.2.5"})

COMPRESSED = JPEG | JPEG_LS | JPEG_2000 | RLE
READABLE = NATIVE | COMPRESSED
LOSSY = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 81, 91, 203))


def codec_of(transfer_syntax: str) -> str:
    """Name the codec of a compressed syntax, as the decoder process knows it."""
    codecs = {"jpeg": JPEG, "jpeg-ls": JPEG_LS, "jpeg-2000": JPEG_2000, "rle": RLE}
    return next(name for name, syntaxes in codecs.items() if transfer_syntax in syntaxes)
