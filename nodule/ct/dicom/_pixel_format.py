"""How stored values are laid out, and whether a file can hold what it declares."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from nodule.ct._containers import Member
from nodule.ct.dicom import _syntaxes, attributes
from nodule.ct.dicom._dicom_file import PixelSpan
from nodule.errors import DicomSeriesError

MAX_FRAME_BYTES = 128 << 20  # 8192 x 8192 pixels of 16 bits; CT frames have 512 KiB to 8 MiB


# OverlayBitPosition of the sixteen overlay groups, PS3.5 8.1.2
OVERLAY_BIT_TAGS = tuple((0x6000 + 2 * plane) << 16 | 0x0102 for plane in range(16))


@dataclass(frozen=True, kw_only=True)
class PixelFormat:
    """How a frame's stored values are laid out; DICOM attributes of the same names.

    Parameters
    ----------
    has_overlays : whether bits above those stored are declared to hold overlays (retired).
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    is_signed: bool
    has_overlays: bool = False

    @property
    def frame_bytes(self) -> int:
        """Size of one decoded frame."""
        return self.rows * self.columns * self.samples * ((self.bits_allocated + 7) // 8)


def read_pixel_format(dataset: Dataset) -> PixelFormat:
    """Read a frame's layout.

    Raises
    ------
    DicomSeriesError : ``BAD_VALUE``.
    """
    found = {k: attributes.integer(dataset, k) for k in ("Rows", "Columns", "BitsAllocated")}
    for keyword, value in found.items():
        if value is None or value < 1:
            raise attributes.bad_value(keyword, "nothing" if value is None else "less than one")
    allocated = found["BitsAllocated"] or 0
    if allocated not in (8, 16, 32):
        raise attributes.bad_value("BitsAllocated", f"{allocated} in place of 8, 16 or 32")
    stored = attributes.integer(dataset, "BitsStored")
    if stored is not None and not 1 <= stored <= allocated:
        raise attributes.bad_value("BitsStored", f"{stored} of {allocated} bits")
    high_bit = attributes.integer(dataset, "HighBit")
    if high_bit is not None and high_bit != (stored or allocated) - 1:
        raise attributes.bad_value("HighBit", f"{high_bit} for {stored or allocated} bits stored")
    samples, sign = (
        attributes.integer(dataset, k) for k in ("SamplesPerPixel", "PixelRepresentation")
    )
    if samples is not None and samples < 1:
        raise attributes.bad_value("SamplesPerPixel", "less than one")
    if sign not in (None, 0, 1):
        raise attributes.bad_value("PixelRepresentation", f"{sign} in place of 0 or 1")
    return PixelFormat(
        rows=found["Rows"] or 0,
        columns=found["Columns"] or 0,
        samples=samples or 1,
        photometric=attributes.text(dataset, "PhotometricInterpretation") or "MONOCHROME2",
        bits_allocated=allocated,
        bits_stored=stored or allocated,
        is_signed=sign == 1,
        has_overlays=any(tag in dataset for tag in OVERLAY_BIT_TAGS),
    )


def refuse_oversized(member: Member, pixel_format: PixelFormat) -> None:
    """Refuse a frame beyond any CT, before memory is taken for it.

    Raises
    ------
    DicomSeriesError : ``TOO_LARGE``.
    """
    if not 0 < pixel_format.frame_bytes <= MAX_FRAME_BYTES:
        raise DicomSeriesError(
            f"{member.name} declares an image larger than any CT image",
            code="TOO_LARGE",
            expected=f"at most {MAX_FRAME_BYTES} bytes in a frame",
            got=f"{pixel_format.rows} x {pixel_format.columns} pixels",
        )


def refuse_misfit(
    member: Member,
    span: PixelSpan,
    pixel_format: PixelFormat,
    *,
    transfer_syntax: str,
    frames: int,
) -> None:
    """Refuse pixel data that are shorter than stated, or of another size than the image needs.

    Raises
    ------
    DicomSeriesError : ``TRUNCATED``, ``SURPLUS_DATA``.
    """
    needed = span.length or 0
    needed_by_image = pixel_format.frame_bytes * frames
    if transfer_syntax in _syntaxes.NATIVE:
        needed = max(needed, needed_by_image)
    have = span.available if span.length is None else min(span.available, span.length)
    if have < max(needed, 1):
        raise DicomSeriesError(
            f"{member.name} ends before its pixel data do",
            code="TRUNCATED",
            expected=f"{needed} bytes",
            got=f"{have} bytes",
            hint="Copy or download the file again.",
        )
    # an odd length is filled up with one byte
    if transfer_syntax in _syntaxes.NATIVE and have > needed_by_image + needed_by_image % 2:
        raise DicomSeriesError(
            f"{member.name} holds more pixel data than its image needs",
            code="SURPLUS_DATA",
            expected=f"{needed_by_image} bytes",
            got=f"{have} bytes",
            hint="Rows, Columns or BitsAllocated may be those of another image.",
        )


def read_padding(dataset: Dataset) -> tuple[int, int] | None:
    """Return the padded range as values of the image's own signedness.

    Writers state negative padding of signed images as an unsigned number (63536 for -2000).
    """
    ends = [attributes.integer(dataset, k) for k in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if ends[0] is None:
        return None
    pixel_format = read_pixel_format(dataset)
    half, whole = 1 << (pixel_format.bits_allocated - 1), 1 << pixel_format.bits_allocated
    wrapped = [
        e - whole if pixel_format.is_signed and e >= half else e for e in ends if e is not None
    ]
    return min(wrapped), max(wrapped)
