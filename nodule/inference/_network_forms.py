"""Networks on disk in OpenVINO's form, so that a run need not build them with torch again.

Every form is one file that appears whole, in a folder that only its owner may change, since what
is in it runs: a line that names the layout, the digest of all that follows, the length of the
first part, and both parts, the graph as XML and its constants. A damaged file counts as none.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from nodule.whole_files import write_whole

_log = logging.getLogger(__name__)
_LAYOUT = b"nodule-network-v1\n"
_DIGEST_BYTES = 32
_LENGTH_BYTES = 8
_ENDING = ".network"
_OTHERS_MAY_WRITE = 0o022
_OWNER_ONLY = 0o700
_ROOT = 0
_UNUSED_AFTER_S = 60 * 86400.0


@dataclass(frozen=True, kw_only=True)
class NetworkForm:
    """A network in OpenVINO's form.

    Parameters
    ----------
    graph : as XML.
    constants : what it refers to, the weights among them.
    """

    graph: bytes
    constants: bytes

    def packed(self) -> bytes:
        """Return the content of its file."""
        rest = len(self.graph).to_bytes(_LENGTH_BYTES, "big") + self.graph + self.constants
        return _LAYOUT + hashlib.sha256(rest).digest() + rest

    @classmethod
    def unpacked(cls, content: bytes) -> NetworkForm:
        """Read a file's content.

        Raises
        ------
        ValueError : where it is not whole.
        """
        layout, rest = content[: len(_LAYOUT)], content[len(_LAYOUT) + _DIGEST_BYTES :]
        if layout != _LAYOUT:
            raise ValueError("another layout")
        if hashlib.sha256(rest).digest() != content[len(_LAYOUT) :][:_DIGEST_BYTES]:
            raise ValueError("it does not match its digest")
        end = _LENGTH_BYTES + int.from_bytes(rest[:_LENGTH_BYTES], "big")
        return cls(graph=rest[_LENGTH_BYTES:end], constants=rest[end:])


def forms_folder() -> Path:
    """Return where forms lie: below NODULE_CACHE, or the user's cache folder."""
    from platformdirs import user_cache_path

    given = os.environ.get("NODULE_CACHE")
    return (Path(given) if given else user_cache_path("nodule")) / "networks"


def read_form(name: str, key: str, *, folder: Path) -> NetworkForm | None:
    """Return a form that was kept, None where there is none that can be trusted.

    Parameters
    ----------
    name, key : what :func:`keep_form` was told.
    """
    path = _path(folder, name, key)
    if not path.is_file() or not _is_private(folder):
        return None
    try:
        form = NetworkForm.unpacked(path.read_bytes())
        os.utime(path)
    except ValueError as error:
        _log.warning("the kept network %s is damaged and made again: %s", path.name, error)
        return None
    except OSError as error:
        _log.info("the kept network %s: %s", path.name, error.strerror)
        return None
    return form


def keep_form(form: NetworkForm, name: str, key: str, *, folder: Path) -> None:
    """Keep a form for later runs; where the disk refuses, they make it again.

    Forms that nobody used for two months are removed.

    Parameters
    ----------
    name : of the network's stage.
    key : hexadecimal digest of all that the form depends on.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
        if not _is_private(folder):
            _log.warning("networks are not kept: others may write to %s", folder)
            return
        write_whole(_path(folder, name, key), form.packed())
        for path in folder.glob(f"*{_ENDING}"):
            if time.time() - path.stat().st_mtime > _UNUSED_AFTER_S:
                path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("a network is not kept for later runs: %s", error.strerror)


def _path(folder: Path, name: str, key: str) -> Path:
    return folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{key}{_ENDING}"


def _is_private(folder: Path) -> bool:
    """Whether nobody but this user, or the system's owner, may change what is in a folder."""
    if not hasattr(os, "geteuid"):
        return True  # Windows keeps a user's folders by access lists
    about = folder.stat()
    return about.st_uid in (os.geteuid(), _ROOT) and not about.st_mode & _OTHERS_MAY_WRITE
