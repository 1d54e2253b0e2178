"""Images that have come: whole on disk before the sender is told so, by study, below a quota."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from nodule.whole_files import write_whole

_NAME_DIGITS = 32


class Arrival(Enum):
    """What becomes of an image that comes."""

    KEPT = "kept"
    KNOWN = "known"
    CONTRADICTS = "contradicts"
    NO_ROOM = "no room"


@dataclass(frozen=True, kw_only=True)
class ArrivedStudy:
    """The images of one study that have come so far.

    Parameters
    ----------
    name : of its folder, a digest of its StudyInstanceUID.
    files : its images, by name.
    quiet_s : since when no image has come.
    """

    name: str
    files: tuple[Path, ...]
    quiet_s: float

    @property
    def digest(self) -> str:
        """Tells these images from any others: an image is never replaced under its name."""
        names = "\n".join(each.name for each in self.files)
        return hashlib.sha256(f"{self.name}\n{names}".encode()).hexdigest()


class Inbox:
    """A folder with one folder a study and one file an image.

    Parameters
    ----------
    folder : made where there is none.
    quota_bytes : of all that lies in ``root``.
    root : the node's folder, this one within it.
    """

    def __init__(self, folder: Path, *, root: Path, quota_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._root = root
        self._quota_bytes = quota_bytes
        self._lock = threading.Lock()
        self._used_bytes = 0
        # whoever was sending when the node ended gets the time to go on
        self._changed_s = {each.name: time.time() for each in self.studies()}
        self.measure()

    @property
    def used_bytes(self) -> int:
        """What lies in the node's folder, as last measured, with what has come since."""
        return self._used_bytes

    def measure(self) -> None:
        """Find out what lies in the node's folder now."""
        used = folder_bytes(self._root)
        with self._lock:
            self._used_bytes = used

    def put(self, study_uid: str, instance_uid: str, content: bytes) -> Arrival:
        """Keep an image; it is on disk when this returns.

        Parameters
        ----------
        study_uid, instance_uid : of the image; names are digests of them.
        content : of the file, at least what its object says.

        Raises
        ------
        OSError : when the disk refuses.
        """
        place = self._folder / named(study_uid) / f"{named(instance_uid)}.dcm"
        with self._lock:
            if place.exists():
                same = place.read_bytes() == content
                return Arrival.KNOWN if same else Arrival.CONTRADICTS
            if self._used_bytes + len(content) > self._quota_bytes:
                return Arrival.NO_ROOM
            self._used_bytes += len(content)
        try:
            place.parent.mkdir(exist_ok=True)
            write_whole(place, content)
        except BaseException:
            with self._lock:
                self._used_bytes -= len(content)
            raise
        with self._lock:
            self._changed_s[place.parent.name] = time.time()
        return Arrival.KEPT

    def complete(self, *, quiet_s: float) -> Iterator[ArrivedStudy]:
        """Yield, once, each study of which nothing has come for so long."""
        now = time.time()
        with self._lock:
            quiet = sorted(name for name, at in self._changed_s.items() if now - at >= quiet_s)
            for name in quiet:
                del self._changed_s[name]
        for name in quiet:
            study = self.study(name)
            if study is not None:
                yield study

    def study(self, name: str) -> ArrivedStudy | None:
        """Return a study by the name of its folder, None where nothing of it is here."""
        files = tuple(sorted((self._folder / name).glob("*.dcm")))
        if not files:
            return None
        newest_s = max(each.stat().st_mtime for each in files)
        return ArrivedStudy(name=name, files=files, quiet_s=time.time() - newest_s)

    def studies(self) -> Iterator[ArrivedStudy]:
        """Yield every study with what has come of it."""
        for folder in sorted(self._folder.iterdir()):
            study = self.study(folder.name)
            if study is not None:
                yield study

    def link(self, study: ArrivedStudy, place: Path) -> None:
        """Make a folder that holds just these images, whatever comes of the study meanwhile."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for each in study.files:
            (place / each.name).hardlink_to(each)

    def remove(self, study: ArrivedStudy) -> None:
        """Remove images; those of the study that have come since stay."""
        for each in study.files:
            each.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty
            (self._folder / study.name).rmdir()


def named(uid: str) -> str:
    """Return a file name for a UID: it cannot leave its folder, and tells nothing."""
    return hashlib.sha256(uid.encode()).hexdigest()[:_NAME_DIGITS]


def folder_bytes(folder: Path) -> int:
    """Return what the files below a folder take, each counted once however often it is linked."""
    seen: dict[tuple[int, int], int] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                found = (Path(place) / name).lstat()
                seen[found.st_dev, found.st_ino] = found.st_size
    return sum(seen.values())
