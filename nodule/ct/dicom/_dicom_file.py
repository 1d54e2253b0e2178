"""DICOM files as pydicom data sets, read without trusting them.

pydicom raises many kinds of exceptions on malformed files, and its warnings may quote values.
Everything here turns the first into coded errors that quote nothing, and mutes the second.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from nodule.ct._containers import Member
from nodule.errors import DicomSeriesError
from nodule.file_signatures import known_stranger, starts_as_dicom

MAX_INFLATED_BYTES = 256 << 20  # a deflated data set; the largest single CT image has 8 MiB
_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_PIXEL_DATA = 0x7FE00010
_UNDEFINED_LENGTH = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True)
class PixelSpan:
    """Where the pixel data lie in the (inflated) file.

    Parameters
    ----------
    length : None if not stated.
    extended_table : ExtendedOffsetTable, which stands before them; empty where there is none.
    """

    offset: int
    length: int | None
    available: int
    extended_table: bytes = b""


@dataclass(frozen=True, kw_only=True)
class ParsedFile:
    """A file's data set up to its pixel data.

    Parameters
    ----------
    dataset : the elements asked for.
    transfer_syntax : its UID.
    pixels : None when the file ends, or breaks, before any pixel data.
    is_directory : whether the file calls itself a DICOMDIR.
    """

    dataset: Dataset
    transfer_syntax: str
    pixels: PixelSpan | None
    is_directory: bool


@dataclass(frozen=True, kw_only=True)
class _Meta:
    transfer_syntax: str
    sop_class: str


@contextlib.contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Drop pydicom's warnings and log records: they quote values, names among them."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def looks_like_dicom(member: Member) -> bool:
    """Whether a file has the 128-byte preamble and the prefix that DICOM part 10 demands."""
    with member.open() as stream:
        return starts_as_dicom(stream)


def parse_file(member: Member, keywords: Sequence[str | int]) -> ParsedFile:
    """Read the elements of these keywords or tags, and find a file's pixel data.

    Raises
    ------
    DicomSeriesError : ``NOT_DICOM``, ``NO_TRANSFER_SYNTAX``, ``UNREADABLE`` or ``TOO_LARGE``.
    """
    with _dataset_stream(member) as (stream, meta):
        syntax = meta.transfer_syntax
        spans: list[PixelSpan] = []

        def at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
            if tag in _PIXEL_TAGS:
                spans.append(_span(stream, length))
            return tag >= _PIXEL_DATA or tag in _PIXEL_TAGS

        try:
            dataset = read_dataset(
                stream,
                is_implicit_VR=syntax == ImplicitVRLittleEndian,
                is_little_endian=syntax != ExplicitVRBigEndian,
                stop_when=at_pixels,
                specific_tags=[Tag(k) for k in keywords],
            )
        except Exception as error:  # whatever pydicom raises on malformed input
            raise _unreadable(member, error) from None
    return ParsedFile(
        dataset=dataset,
        transfer_syntax=syntax,
        pixels=spans[0] if spans else None,
        is_directory=meta.sop_class == MediaStorageDirectoryStorage,
    )


def _span(stream: BinaryIO, length: int) -> PixelSpan:
    offset = stream.tell()
    available = stream.seek(0, os.SEEK_END) - offset
    stream.seek(offset)
    stated = None if length == _UNDEFINED_LENGTH else length
    return PixelSpan(offset=offset, length=stated, available=available)


def read_pixels(member: Member, span: PixelSpan) -> bytes:
    """Return the bytes of a pixel data element, all that remain if its length is not stated."""
    with _dataset_stream(member) as (stream, _):
        stream.seek(span.offset)
        return stream.read(-1 if span.length is None else span.length)


@contextlib.contextmanager
def _dataset_stream(member: Member) -> Iterator[tuple[BinaryIO, _Meta]]:
    """Open a file behind its meta information, inflated where it is deflated."""
    with member.open() as stream, quiet_pydicom():
        if not starts_as_dicom(stream):
            raise _not_dicom(member)
        meta = _read_meta(member, stream)
        if meta.transfer_syntax == DeflatedExplicitVRLittleEndian:
            yield _inflated(member, stream), meta
        else:
            yield stream, meta


def _not_dicom(member: Member) -> DicomSeriesError:
    with member.open() as stream:
        stranger = known_stranger(stream)
    got, hint = stranger or (None, _REWRITE_HINT)
    return DicomSeriesError(
        f"{member.name} is not a DICOM file",
        code="NOT_DICOM",
        expected="DICM and file meta information behind a preamble of 128 bytes",
        got=got,
        hint=hint,
    )


_REWRITE_HINT = "A file without them can be rewritten by dcmtk's dcmconv or dcm4che's dcm2dcm."


def _read_meta(member: Member, stream: BinaryIO) -> _Meta:
    try:
        meta = read_dataset(
            stream,
            is_implicit_VR=False,
            is_little_endian=True,
            stop_when=lambda tag, vr, length: tag.group != 2,
        )
        syntax = str(meta.get("TransferSyntaxUID") or "")
        sop_class = str(meta.get("MediaStorageSOPClassUID") or "")
    except Exception as error:  # whatever pydicom raises on malformed input
        raise _unreadable(member, error) from None
    if len(meta) == 0:
        raise _not_dicom(member)
    if not syntax:
        raise DicomSeriesError(
            f"{member.name} does not state its encoding",
            code="NO_TRANSFER_SYNTAX",
            expected="TransferSyntaxUID in the file meta information",
            hint="Export the study again.",
        )
    return _Meta(transfer_syntax=syntax, sop_class=sop_class)


def _inflated(member: Member, stream: BinaryIO) -> BinaryIO:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(stream.read(), MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise _unreadable(member, error) from None
    if inflater.unconsumed_tail:
        raise DicomSeriesError(
            f"{member.name} would unpack to more than any CT image",
            code="TOO_LARGE",
            expected=f"at most {MAX_INFLATED_BYTES} bytes",
        )
    if not inflater.eof:
        raise _unreadable(member, EOFError())
    return io.BytesIO(content)


def _unreadable(member: Member, error: Exception) -> DicomSeriesError:
    # pydicom's messages may quote values, so only their type is passed on
    return DicomSeriesError(
        f"{member.name} is malformed DICOM",
        code="UNREADABLE",
        got=type(error).__name__,
        hint="Export the study again.",
    )
