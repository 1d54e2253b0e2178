"""Names that tell two things apart and lead back to neither, without the key they were made with.

A pseudonym is an HMAC-SHA-256 of what it stands for. Whoever has the key can compute it again,
and so keep studies of one person together; whoever has not can neither undo it nor try out a list
of patients or UIDs.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from nodule.errors import InputError
from nodule.input_files import read_given_file
from nodule.whole_files import write_whole
from nodule.whole_folders import locked

_KEY_BYTES = 32
_LEAST_KEY_BYTES = 16
_MOST_KEY_BYTES = 1 << 20
_SHOWN_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Pseudonyms:
    """What names are replaced by; equal names and keys give equal pseudonyms.

    Parameters
    ----------
    key : known to none but those who may link a pseudonym to what it stands for.

    Raises
    ------
    InputError : ``BAD_KEY`` for one that is too short to keep a secret.

    Examples
    --------
    >>> Pseudonyms(key=b"an example, known to all").person("P-17")
    'person-c2fd3f9b1bb846f9'
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < _LEAST_KEY_BYTES:
            raise InputError(
                "the key of pseudonyms is too short",
                code="BAD_KEY",
                expected=f"at least {_LEAST_KEY_BYTES} random bytes",
                got=f"{len(self.key)} bytes",
                hint=f"Make one: head -c {_KEY_BYTES} /dev/urandom > FILE",
            )

    def uid(self, original: str) -> str:
        """Return a DICOM UID in place of another (PS3.5 B.2: ``2.25.`` and a UUID)."""
        number = uuid.UUID(bytes=self._code("uid", original)[:16], version=5)
        return f"2.25.{number.int}"

    def digest(self, original: str) -> str:
        """Return what stands for a digest: it cannot be compared with that of other content."""
        return self._code("digest", original).hex()

    def person(self, original: str) -> str:
        """Return what a person is called."""
        return f"person-{self._code('person', original).hex()[:_SHOWN_DIGITS]}"

    def folder(self, original: str) -> str:
        """Return what a study's folder is called."""
        return f"study-{self._code('folder', original).hex()[:_SHOWN_DIGITS]}"

    def _code(self, kind: str, original: str) -> bytes:
        return hmac.digest(self.key, f"{kind}\0{original}".encode(), hashlib.sha256)


def read_key(path: Path) -> Pseudonyms:
    """Return the pseudonyms of the key in a file, which may hold any bytes.

    Raises
    ------
    InputError : ``BAD_KEY``, or as :func:`nodule.input_files.read_given_file`.
    OSError : when it is missing or cannot be read.
    """
    return Pseudonyms(key=read_given_file(path, max_bytes=_MOST_KEY_BYTES))


def read_or_make_key(path: Path) -> Pseudonyms:
    """Return the pseudonyms of the key in a file, which is drawn at random where there is none.

    Raises
    ------
    InputError, OSError : as :func:`read_key`, or when it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(path.parent):
        if not path.exists():
            write_whole(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
    return read_key(path)
