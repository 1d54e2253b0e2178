"""What a cache entry says of itself, sealed by a digest."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.codecs import from_json
from pipelines.fingerprint import Recipe, canonical_json, text_sha256

FORMAT = "nodule-cache-v1"


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


@functools.cache
def installed_packages() -> Mapping[str, str]:
    """Return the installed version of this distribution and of all it requires, by name."""
    required = importlib.metadata.requires("nodule") or []
    names = {re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in required if "extra" not in each}
    return {name: _version(name) for name in sorted({"nodule", *names})}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def seal(entry: Entry) -> bytes:
    """Write an entry with the digest of what it says."""
    body = asdict(entry)
    document = {"entry": body, "sha256": text_sha256(canonical_json(body))}
    return json.dumps(document, indent=1, sort_keys=True).encode()


def unseal(text: bytes) -> Entry:
    """Read what :func:`seal` wrote.

    Raises
    ------
    ValueError : when it is altered, cut off or of another format.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or set(document) != {"entry", "sha256"}:
        raise ValueError("it is no cache entry")
    body = canonical_json(document["entry"])
    if text_sha256(body) != document["sha256"]:
        raise ValueError("it does not match its digest")
    entry: Entry = from_json(Entry, body.encode())
    if entry.format != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    if any(Path(name).name != name for name in entry.payload):
        raise ValueError("it names files elsewhere")
    return entry
