"""Gzip by ISA-L, ten times as fast as zlib, piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

_LEVEL = 1  # labels become as small as by zlib's default, images 5 % larger
_AS_GZIP = zlib.MAX_WBITS | 16


def gzipped(pieces: Iterable[bytes]) -> bytes:
    """Return one gzip member, without name and time, that holds the pieces one after the other.

    Equal pieces give equal bytes by one version of the library.
    """
    from isal import isal_zlib

    packer = isal_zlib.compressobj(_LEVEL, wbits=_AS_GZIP)
    packed = [packer.compress(piece) for piece in pieces]
    return b"".join([*packed, packer.flush()])
