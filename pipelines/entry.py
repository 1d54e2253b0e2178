"""What a cache entry says of itself, sealed by a digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.codec import from_json
from pipelines.fingerprint import Recipe, canonical_json, text_sha256

FORMAT = "nodule-cache-v3"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the cache knows of one stored output.

    Parameters
    ----------
    format : the layout of the entry.
    recipe : all that the output depends on.
    payload : sha256 by file name.
    size : bytes of the payload.
    packages : versions that were installed when it was made.
    seconds : what the stage took.
    """

    format: str
    recipe: Recipe
    payload: Mapping[str, str]
    size: int
    packages: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class _Sealed:
    entry: Entry
    sha256: str


def seal(entry: Entry) -> bytes:
    """Write an entry with the digest of what it says."""
    sealed = _Sealed(entry=entry, sha256=text_sha256(canonical_json(asdict(entry))))
    return json.dumps(asdict(sealed), indent=1, sort_keys=True).encode()


def unseal(text: bytes) -> Entry:
    """Read what :func:`seal` wrote, and nothing else.

    Raises
    ------
    ValueError : when it is altered, cut off or of another format.
    """
    sealed: _Sealed = from_json(_Sealed, text)
    entry = sealed.entry
    if seal(entry) != text or entry.format != FORMAT:
        raise ValueError("the entry is not as it was written")
    if any(Path(name).name != name for name in entry.payload):
        raise ValueError("an entry names files elsewhere")
    return entry
