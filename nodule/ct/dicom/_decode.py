"""Pixels to Hounsfield units."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import get_frame

from nodule.ct._containers import Member
from nodule.ct._hounsfield import put_air_below_scale
from nodule.ct.dicom import _syntaxes, attributes
from nodule.ct.dicom._decoder_pool import DECODERS, MAX_KEPT
from nodule.ct.dicom._dicom_file import PixelSpan, quiet_pydicom, read_pixels
from nodule.ct.dicom._fragments import refuse_other_frames
from nodule.ct.dicom._frame_decoder import FrameDecoder
from nodule.ct.dicom._headers import ImageHeader
from nodule.errors import DicomSeriesError
from nodule.hu import AIR_HU, HuArray
from nodule.progress import Progress, silent
from nodule.volume import compact

Stored = NDArray[np.integer[Any]]

MAX_PADDING_HU = -900.0  # declared padding above this would blank tissue and is not believed
_FRAMES_PER_WORKER = 16


def decode_images(images: Sequence[ImageHeader], *, progress: Progress = silent) -> HuArray:
    """Decode checked images of one size to Hounsfield units, padding mapped to air.

    Returns
    -------
    HU, shape (len(images), rows, columns), in the order of the images: int16 where all are whole
    and fit, else float32.

    Raises
    ------
    DicomSeriesError : ``TRUNCATED``, ``DECODE_FAILED``, ``DECODER_DIED``, ``DECODE_TIMEOUT``.
        One image that cannot be read refuses all.
    """
    first = images[0].pixel_format
    slices = _Slices((len(images), first.rows, first.columns))
    compressed = any(i.transfer_syntax in _syntaxes.COMPRESSED for i in images)
    workers = _workers(len(images)) if compressed else 1
    tally = _Tally(total=len(images), progress=progress)

    def decode_share(decoder: FrameDecoder | None) -> None:
        fetch = lru_cache(maxsize=1)(_pixels_of)  # frames of one file come in a row
        with tally:
            while (z := tally.next_index()) is not None:
                image = images[z]
                content = fetch(image.member, image.pixels, image.transfer_syntax, image.frames)
                slices.put(z, to_hounsfield(_stored(image, content, decoder), image))
                tally.count()

    with quiet_pydicom(), ExitStack() as stack:
        decoders = [
            stack.enter_context(DECODERS.lend()) if compressed else None for _ in range(workers)
        ]
        threads = stack.enter_context(ThreadPoolExecutor(workers))
        shares = [threads.submit(decode_share, decoder) for decoder in decoders]
        with tally:  # an interrupt of this thread ends the others
            for share in shares:
                share.result()
    return slices.array_zyx


class _Slices:
    """Slices of HU from several threads: int16 until one comes that needs floats."""

    def __init__(self, shape_zyx: tuple[int, int, int]) -> None:
        self.array_zyx: HuArray = np.empty(shape_zyx, np.int16)
        self._lock = threading.Lock()

    def put(self, z: int, slice_yx: HuArray) -> None:
        """Copy a slice to its place."""
        with self._lock:
            if slice_yx.dtype != np.int16 and self.array_zyx.dtype == np.int16:
                self.array_zyx = self.array_zyx.astype(np.float32)
            self.array_zyx[z] = slice_yx


class _Tally:
    """Deals images to several threads; a context that one's failure ends for all."""

    def __init__(self, *, total: int, progress: Progress) -> None:
        self._lock, self._total, self._progress = threading.Lock(), total, progress
        self._dealt, self._done, self._failed = 0, 0, False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._failed = self._failed or kind is not None

    def next_index(self) -> int | None:
        """Return the next image's index, None when there is none or another thread failed."""
        with self._lock:
            if self._failed or self._dealt == self._total:
                return None
            self._dealt += 1
            return self._dealt - 1

    def count(self) -> None:
        """Count one image as done."""
        with self._lock:
            self._done += 1
            self._progress(self._done / self._total)


def _workers(count: int) -> int:
    wanted = -(-count // _FRAMES_PER_WORKER)
    return max(1, min(wanted, MAX_KEPT, os.cpu_count() or 1))


def _pixels_of(member: Member, span: PixelSpan, transfer_syntax: str, frames: int) -> bytes:
    """Return a file's pixel data; raises as `refuse_other_frames` where they are compressed."""
    content = read_pixels(member, span)
    if transfer_syntax in _syntaxes.COMPRESSED:
        refuse_other_frames(
            member,
            content,
            transfer_syntax=transfer_syntax,
            frames=frames,
            extended_table=span.extended_table,
        )
    return content


def _stored(image: ImageHeader, content: bytes, decoder: FrameDecoder | None) -> Stored:
    if decoder is None or image.transfer_syntax in _syntaxes.NATIVE:
        return _native(image, content)
    try:
        frame = get_frame(content, image.frame, number_of_frames=image.frames)
    except Exception as error:  # whatever pydicom raises on malformed fragments
        raise _cut_short(image, type(error).__name__) from None
    values = decoder.decode(frame, image)
    if image.transfer_syntax in _syntaxes.RLE:  # which holds whole words, as native data do
        return _sign_extended(values.view(f"u{values.itemsize}"), image)
    return values


def _native(image: ImageHeader, content: bytes) -> Stored:
    pixel_format = image.pixel_format
    order = ">" if image.transfer_syntax == _syntaxes.BIG_ENDIAN else "<"
    dtype = np.dtype(f"{order}u{pixel_format.bits_allocated // 8}")
    start = image.frame * pixel_format.frame_bytes
    frame = content[start : start + pixel_format.frame_bytes]
    if len(frame) < pixel_format.frame_bytes:
        raise _cut_short(image, f"{len(frame)} bytes")
    values = np.frombuffer(frame, dtype).reshape(pixel_format.rows, pixel_format.columns)
    return _sign_extended(values.astype(dtype.newbyteorder("=")), image)


def _sign_extended(values: Stored, image: ImageHeader) -> Stored:
    """Extend the sign into the bits above those stored, where nothing but overlays may lie.

    Raises
    ------
    DicomSeriesError : ``BAD_VALUE`` for bits that no overlay explains.
    """
    pixel_format = image.pixel_format
    unused = pixel_format.bits_allocated - pixel_format.bits_stored
    kind = "i" if pixel_format.is_signed else "u"
    shifted = np.left_shift(values, values.dtype.type(unused)).view(f"{kind}{values.itemsize}")
    extended = np.asarray(np.right_shift(shifted, shifted.dtype.type(unused)))
    if unused and not pixel_format.has_overlays:
        plain = np.left_shift(values, values.dtype.type(unused)) >> values.dtype.type(unused)
        if not ((values == plain) | (values == extended.view(values.dtype))).all():
            raise attributes.bad_value("BitsStored", f"larger values in {image.where}")
    return extended


def to_hounsfield(stored: Stored, image: ImageHeader) -> HuArray:
    """Apply one image's own rescale and turn its padding into air.

    Parameters
    ----------
    stored : stored values, shape (rows, columns).

    Returns
    -------
    HU of that shape, int16 where all are whole and fit, else float32: ``AIR_HU`` where the file
    declares padding, and below what CT stores.
    """
    hu = _rescaled(stored, image.slope or 0.0, image.intercept or 0.0)
    put_air_below_scale(hu)
    if image.padding is not None and believes_padding(image):
        low, high = image.padding
        hu[(stored >= low) & (stored <= high)] = AIR_HU
    return compact(hu)


def _rescaled(stored: Stored, slope: float, intercept: float) -> HuArray:
    """Apply a rescale, in whole numbers of 16 bits where the result is exactly the same."""
    limits = np.iinfo(np.int16)
    if slope == 1.0 and float(intercept).is_integer():
        lowest, highest = (int(v) + int(intercept) for v in (stored.min(), stored.max()))
        if limits.min <= lowest <= highest <= limits.max:
            return (stored.astype(np.int32) + int(intercept)).astype(np.int16)
    return (stored.astype(np.float64) * slope + intercept).astype(np.float32)


def believes_padding(image: ImageHeader) -> bool:
    """Whether the declared padding lies below tissue: some writers declare 0 where 0 is water."""
    if image.padding is None or image.slope is None or image.intercept is None:
        return False
    return max(image.padding) * image.slope + image.intercept <= MAX_PADDING_HU


def _cut_short(image: ImageHeader, got: str) -> DicomSeriesError:
    return DicomSeriesError(
        f"the pixel data of {image.where} are incomplete",
        code="TRUNCATED",
        expected=f"{image.pixel_format.frame_bytes} bytes per frame",
        got=got,
        hint="Copy or download the file again.",
    )
