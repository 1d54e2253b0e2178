"""Whole scans unpacked on disk, for more of them than memory holds.

A scan is read once and kept as int16 HU and points to look at, both read by memory mapping: what a
training patch does not touch is never loaded. All of LUNA16, 888 scans, takes about 110 GB of disk.
Several runs, such as those of ten folds, may share one store.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from nodule.errors import ConfigError
from nodule.training._annotated_scan import read_annotated_scan
from nodule.training._region import Lesion, Region
from nodule.whole_files import whole_file, write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nodule.lidc import WholeScan

logger = logging.getLogger(__name__)

MOST_IN_MEMORY = 48
"""Scans that are held in memory without a store: about 6 GB."""

_FORMAT = "nodule-scan-v2"


@dataclass(frozen=True, kw_only=True)
class StoredScans(Sequence[Region]):
    """Scans that are opened when they are asked for.

    Parameters
    ----------
    folder : of the store.
    keys : of the scans, in order.
    """

    folder: Path
    keys: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> Region: ...
    @overload
    def __getitem__(self, index: slice) -> StoredScans: ...
    def __getitem__(self, index: int | slice) -> Region | StoredScans:
        """Open one scan, its arrays mapped."""
        if isinstance(index, slice):
            return StoredScans(folder=self.folder, keys=self.keys[index])
        entry = self.folder / self.keys[index]
        about = json.loads(entry.with_suffix(".json").read_bytes())
        return Region(
            array_hu=np.load(_file(entry, "hu"), mmap_mode="r"),
            focus_mm=np.load(_file(entry, "focus"), mmap_mode="r"),
            hard_mm=np.load(_file(entry, "hard"), mmap_mode="r"),
            spacing_zyx_mm=tuple(about["spacing_zyx_mm"]),
            lesions=_lesions(about["lesions"]),
            ignored=_lesions(about["ignored"]),
        )


def load_scans(scans: Sequence[WholeScan], *, store: Path | None) -> Sequence[Region]:
    """Read scans, into a store where there is one; what the store has is not read again.

    Raises
    ------
    ConfigError : ``TOO_MANY_SCANS`` for more than memory holds, and no store.
    DicomSeriesError, GeometryError, InputError : from reading a scan.
    """
    if store is not None:
        store.mkdir(parents=True, exist_ok=True)
        keys = []
        for number, scan in enumerate(scans, start=1):
            logger.info("scan %d of %d", number, len(scans))
            keys.append(_unpack(scan, store))
        return StoredScans(folder=store, keys=tuple(keys))
    if len(scans) > MOST_IN_MEMORY:
        raise ConfigError(
            "these are too many scans to hold in memory",
            code="TOO_MANY_SCANS",
            expected=f"at most {MOST_IN_MEMORY}",
            got=len(scans),
            hint="Name a folder on a large disk with --store",
        )
    return tuple(read_region(scan) for scan in scans)


def read_region(scan: WholeScan) -> Region:
    """Read a scan, and what was marked in it; errors as :func:`load_scans`."""
    return Region.of_annotated(read_annotated_scan(scan))


def _unpack(scan: WholeScan, store: Path) -> str:
    key = _key(scan)
    entry = store / key
    if entry.with_suffix(".json").is_file():
        return key
    region = read_region(scan)
    _save(_file(entry, "hu"), region.array_hu)
    _save(_file(entry, "focus"), region.focus_mm)
    _save(_file(entry, "hard"), region.hard_mm)
    about = {
        "spacing_zyx_mm": region.spacing_zyx_mm,
        "lesions": [asdict(lesion) for lesion in region.lesions],
        "ignored": [asdict(lesion) for lesion in region.ignored],
    }
    # last: an entry is whole when it has this file
    write_whole(entry.with_suffix(".json"), json.dumps(about).encode())
    return key


def _key(scan: WholeScan) -> str:
    """Return a digest of a scan's files and readings: by name, size and time, not by content."""
    files = sorted(scan.path.iterdir()) if scan.path.is_dir() else [scan.path]
    raw = scan.path.with_suffix(".raw")
    tables = (scan.readings, scan.excluded, scan.candidates)
    beside = [each for each in (raw, *tables) if each and each.is_file()]
    stated = [(str(each.absolute()), *_stat(each)) for each in (*files, *beside)]
    about = json.dumps([_FORMAT, [field.name for field in fields(Region)], stated])
    return hashlib.sha256(about.encode()).hexdigest()[:32]


def _stat(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _file(entry: Path, name: str) -> Path:
    return entry.with_suffix(f".{name}.npy")


def _save(path: Path, array: NDArray[Any]) -> None:
    with whole_file(path) as stream:
        np.save(stream, array)


def _lesions(stated: Sequence[dict[str, Any]]) -> tuple[Lesion, ...]:
    return tuple(Lesion(**{**each, "center_mm": tuple(each["center_mm"])}) for each in stated)
