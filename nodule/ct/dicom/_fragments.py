"""Whether fragments of compressed pixel data hold the frames that a file describes."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from itertools import pairwise

from pydicom.encaps import generate_fragments, parse_basic_offsets, parse_fragments

from nodule.ct._containers import Member
from nodule.ct.dicom import _codestream, _syntaxes
from nodule.errors import DicomSeriesError


def refuse_other_frames(
    member: Member, content: bytes, *, transfer_syntax: str, frames: int, extended_table: bytes
) -> None:
    """Refuse fragments that break off, hold more frames, or lie otherwise than a table says.

    Parameters
    ----------
    content : the encapsulated pixel data (PS3.5 A.4).
    extended_table : ExtendedOffsetTable (PS3.3 C.7.6.3.1.8), empty where there is none.

    Raises
    ------
    DicomSeriesError : ``TRUNCATED``, ``SURPLUS_DATA``, or ``UNREADABLE`` for a table that would
        exchange or split frames.
    """
    try:
        stream = io.BytesIO(content)
        stated = parse_basic_offsets(stream)
        _, starts = parse_fragments(stream)
        fragments = list(generate_fragments(stream))
        extended = [n for (n,) in struct.iter_unpack("<Q", extended_table)]
    except Exception as error:  # whatever pydicom raises on malformed fragments
        raise _broken(member, "TRUNCATED", type(error).__name__) from None
    found = len(fragments)
    if transfer_syntax not in _syntaxes.RLE:  # where a fragment is a frame
        found = sum(map(_codestream.starts, fragments))
    if found > frames:
        raise _broken(member, "SURPLUS_DATA", f"{found} frames in place of {frames}")
    # offsets count from the first fragment's tag, eight bytes before its data
    places = [start - starts[0] for start in starts]
    if frames > 1 and not all(_fits(table, places, frames) for table in (stated, extended)):
        raise _broken(member, "UNREADABLE", "an offset table of other frames")


def _fits(table: Sequence[int], places: Sequence[int], frames: int) -> bool:
    if not table:
        return True
    is_ascending = table[0] == 0 and all(a < b for a, b in pairwise(table))
    return is_ascending and len(table) == frames and set(places).issuperset(table)


def _broken(member: Member, code: str, got: str) -> DicomSeriesError:
    return DicomSeriesError(
        f"the compressed pixel data of {member.name} do not hold together",
        code=code,
        expected="whole fragments, and the frames in their order",
        got=got,
        hint="Copy or export the file again.",
    )
