"""Stage outputs on disk, addressed by key: each whole and proven, or not there at all.

Layout below the cache's root::

    entries-v3/<key>/entry.json  recipe, payload digests, packages and seconds; its own digest
    entries-v3/<key>/<payload>   the files that a codec made
    partial/<random>/            an entry being written, or what a killed process left of one
    corrupt/<random>/            entries that did not match their digests

Entries of another layout, which another version left, lie in folders of other names, such as
``entries``; they are never read, and pruning removes them.

An entry is written to ``partial``, synchronised and renamed, so that a reader sees all of it or
nothing and processes may race: the first to rename wins, and the copies of the others, which
hold the same, are dropped.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from nodule.errors import CacheCorruptError
from pipelines.codec import Codec, Files, Payload
from pipelines.entry import FORMAT, Entry, seal, unseal
from pipelines.fingerprint import Recipe

_log = logging.getLogger(__name__)
_MANIFEST = "entry.json"
_ENTRIES = "entries-v3"  # after the format of an entry
_LEFTOVER_AFTER_S = 3600.0  # a live writer is done within seconds
T = TypeVar("T")


class NotCached(KeyError):
    """The cache holds no entry of this key."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What :meth:`Cache.prune` removed.

    Parameters
    ----------
    keys : of the entries.
    leftovers : number of folders left by killed writers, by corruption and by other versions.
    """

    keys: tuple[str, ...]
    leftovers: int


@dataclass(frozen=True)
class Cache:
    """A store of stage outputs in one folder, which need not exist yet.

    Parameters
    ----------
    root : the folder.
    packages : versions that are installed, for the record of new entries; no key depends on them.
    """

    root: Path
    packages: Mapping[str, str] = field(default_factory=dict)

    def has(self, key: str) -> bool:
        """Whether there is an entry, judged without reading its payload."""
        return self._folder(key).is_dir()

    def load(self, key: str, codec: Codec[T]) -> T:
        """Return a stored output, every byte of it checked.

        Raises
        ------
        NotCached : when there is no such entry.
        CacheCorruptError : ``CACHE_CORRUPT``; the entry has been set aside where possible.
        OSError : when the disk cannot be read.
        """
        files = self.check(key)
        try:
            value = codec.decode(files)
        except Exception as error:
            # whole bytes that do not decode are of no more use than broken ones
            raise self._set_aside(key, f"does not decode: {type(error).__name__}") from error
        # a read-only cache cannot note the use and is no worse for it
        with contextlib.suppress(OSError):
            os.utime(self._folder(key))
        return value

    def check(self, key: str) -> Mapping[str, bytes]:
        """Return an entry's payload after comparing it with its digests; errors as `load`."""
        entry = self._entry(key)
        files = {}
        for name, sha256 in entry.payload.items():
            files[name] = self._read(key, name)
            if hashlib.sha256(files[name]).hexdigest() != sha256:
                raise self._set_aside(key, f"{name} does not match its digest")
        return files

    def store(self, recipe: Recipe, files: Files, *, seconds: float) -> None:
        """Add an entry, atomically; an entry that is already there stays.

        Raises
        ------
        OSError : when the disk is full or read-only; nothing half-written becomes visible.
        """
        partial = self._new_folder("partial")
        try:
            partial.mkdir(parents=True)
            written = {name: _write_synchronised(partial / name, d) for name, d in files.items()}
            entry = Entry(
                format=FORMAT,
                recipe=recipe,
                payload={name: sha256 for name, (sha256, _) in written.items()},
                size=sum(size for _, size in written.values()),
                packages=self.packages,
                seconds=seconds,
            )
            _write_synchronised(partial / _MANIFEST, seal(entry))
            _synchronise_folder(partial)
            self._publish(partial, recipe.key)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def entries(self) -> Iterator[Entry]:
        """Return every entry whose description is whole, in the order of their keys."""
        for key in self.keys():
            with contextlib.suppress(NotCached, CacheCorruptError):  # `verify` names these
                yield self._entry(key)

    def keys(self) -> tuple[str, ...]:
        """Return the key of every entry, whole or not, sorted."""
        folder = self.root / _ENTRIES
        if not folder.is_dir():
            return ()
        return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))

    def foreign(self) -> tuple[Path, ...]:
        """Return what holds entries of other formats, which are neither read nor verified."""
        return tuple(sorted(p for p in self.root.glob("entries*") if p.name != _ENTRIES))

    def last_used(self, key: str) -> float:
        """Return when an entry was last stored or loaded, seconds since the epoch; 0 if gone."""
        folder = self._folder(key)
        return folder.stat().st_mtime if folder.is_dir() else 0.0

    def verify(self) -> dict[str, CacheCorruptError | None]:
        """Check every byte of every entry; the corrupt ones are set aside and named by key."""
        verdicts: dict[str, CacheCorruptError | None] = {}
        for key in self.keys():
            try:
                self.check(key)
                verdicts[key] = None
            except CacheCorruptError as error:
                verdicts[key] = error
            except NotCached:  # another process removed it meanwhile
                continue
        return verdicts

    def prune(
        self,
        *,
        max_age_s: float | None = None,
        max_size: int | None = None,
        leftover_after_s: float = _LEFTOVER_AFTER_S,
    ) -> Pruned:
        """Remove leftovers, then entries unused for longer, then the longest unused ones.

        Parameters
        ----------
        max_age_s : entries unused for longer go; None keeps any age.
        max_size : bytes that all payloads together may take; None sets no limit.
        leftover_after_s : age from which a folder in ``partial`` has no living writer.
        """
        leftovers = self._prune_leftovers(leftover_after_s)
        by_use = sorted(
            (self.last_used(e.recipe.key), e.recipe.key, e.size) for e in self.entries()
        )
        size = sum(entry_size for *_, entry_size in by_use)
        removed = []
        for last_used, key, entry_size in by_use:
            too_old = max_age_s is not None and time.time() - last_used > max_age_s
            if too_old or (max_size is not None and size > max_size):
                self._remove(key)
                removed.append(key)
                size -= entry_size
        return Pruned(keys=tuple(removed), leftovers=leftovers)

    def _folder(self, key: str) -> Path:
        return self.root / _ENTRIES / key

    def _new_folder(self, kind: str) -> Path:
        return self.root / kind / uuid.uuid4().hex

    def _read(self, key: str, name: str) -> bytes:
        try:
            return (self._folder(key) / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            # a whole entry may also be removed by another process while it is read
            if not self.has(key):
                raise NotCached(key) from error
            raise self._set_aside(key, f"{name} is missing") from error

    def _entry(self, key: str) -> Entry:
        text = self._read(key, _MANIFEST)
        try:
            entry = unseal(text)
        except ValueError as error:
            raise self._set_aside(key, f"{_MANIFEST} is not whole") from error
        if entry.recipe.key != key:
            raise self._set_aside(key, f"it is the entry of {entry.recipe.key}")
        return entry

    def _publish(self, partial: Path, key: str) -> None:
        target = self._folder(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.rename(target)
        except OSError:
            # a non-empty folder cannot be renamed over: another process was first
            if not self.has(key):
                raise
        _synchronise_folder(target.parent)

    def _set_aside(self, key: str, reason: str) -> CacheCorruptError:
        target = self._new_folder("corrupt")
        # two readers may find it at once, and a read-only cache keeps what it has
        with contextlib.suppress(OSError):
            target.parent.mkdir(exist_ok=True)
            self._folder(key).rename(target)
        _log.warning("cache entry %s is corrupt: %s", key, reason)
        return CacheCorruptError(
            f"a cache entry is damaged: {reason}",
            code="CACHE_CORRUPT",
            got=key,
            hint="It is computed again; check the disk if this happens again",
        )

    def _remove(self, key: str) -> None:
        doomed = self._new_folder("partial")
        doomed.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another process removed it
            self._folder(key).rename(doomed)
            shutil.rmtree(doomed)

    def _prune_leftovers(self, after_s: float) -> int:
        partial = [p for p in self.root.glob("partial/*") if _age_s(p) > after_s]
        leftovers = [*partial, *self.root.glob("corrupt/*"), *self.foreign()]
        for folder in leftovers:
            with contextlib.suppress(FileNotFoundError):  # another process removed it
                shutil.rmtree(folder)
        return len(leftovers)


def _write_synchronised(path: Path, data: Payload) -> tuple[str, int]:
    """Write a file, and return its digest and its size."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as stream:
        for chunk in [data] if isinstance(data, bytes) else data:
            digest.update(chunk)
            size += stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest(), size


def _synchronise_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows cannot open a folder, and its file system keeps a journal of names
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _age_s(path: Path) -> float:
    return time.time() - path.stat().st_mtime
