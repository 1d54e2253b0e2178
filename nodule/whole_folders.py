"""Folders that appear whole or not at all.

A folder is written as a hidden draft beside its place and renamed into it. Where the system can
swap two folders in one step (Linux), whoever looks, or kills the process, finds either the earlier
folder or the new one. Elsewhere the earlier folder steps aside first; if the process is killed
between the two steps, the next draft beside it puts the earlier folder back.

A draft is named ``.nodule-draft-<process>-<random>`` and locked as long as its process lives, so
that the next one can tell what a killed process left and remove it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import stat
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from nodule.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows
    _CAN_LOCK = False
else:
    _CAN_LOCK = True

_DRAFT = re.compile(r"\.nodule-draft-(\d+)-[0-9a-f]{8}")
_NEW, _REPLACED = "new", "replaced"
_ABANDONED_AFTER_S = 3600.0  # where nothing else tells; a live writer is done within minutes
_CANNOT_SWAP = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_SWAP = 2  # RENAME_EXCHANGE of renameat2(2)
_CURRENT = -100  # AT_FDCWD


@contextlib.contextmanager
def draft_beside(folder: Path) -> Iterator[Path]:
    """Yield a new folder to write to, which :func:`put_in_place` then moves; its rest is removed.

    What killed processes left beside the folder is removed, too.

    Parameters
    ----------
    folder : that is to appear; the folders above it are made.

    Raises
    ------
    UsageError : ``FIXED_FOLDER`` for the current folder, one above it, or a mount point.
    OSError : when nothing can be written there.
    """
    place = folder.resolve()
    _refuse_fixed(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), place.name)
    _clear_abandoned(place.parent)
    draft = place.parent / f".nodule-draft-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    draft.mkdir(mode=0o700)
    try:
        with locked(draft):
            (draft / _NEW).mkdir(mode=0o700)
            yield draft / _NEW
    finally:
        _restore(draft)
        shutil.rmtree(draft, ignore_errors=True)


def put_in_place(new: Path, choose: Callable[[], Path], *, is_own: Callable[[str], bool]) -> Path:
    """Move a written draft to its place, and return the place.

    Parameters
    ----------
    new : what :func:`draft_beside` yielded.
    choose : names the place, beside the draft; called when no other process can put a draft there.
    is_own : whether a file in an earlier folder is replaced or removed with it, by its path there
        with slashes; of a folder, whether only files that are not own stay. All others are carried
        over, and so are the permissions.

    Raises
    ------
    OSError : when the disk refuses; the earlier folder is then as it was.
    """
    draft = new.parent
    synchronise_folder(new)
    with locked(draft.parent):
        chosen = choose()
        place = chosen.resolve()
        if place.is_dir():
            _carry_over(place, new, is_own)
            new.chmod(stat.S_IMODE(place.stat().st_mode))
            _rescue(_replace(place, new), place, is_own)
        else:
            new.rename(place)
        synchronise_folder(place.parent)
    return chosen


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from what they do under this lock; no lock where there is none."""
    if not _CAN_LOCK:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # some network file systems lock no folder
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def synchronise_folder(folder: Path) -> None:
    """Have the names in a folder written to the disk."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows cannot open a folder, and its file system keeps a journal of names
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_fixed(place: Path) -> None:
    if Path.cwd().is_relative_to(place) or place.is_mount():
        raise UsageError(
            "this folder cannot be replaced as a whole",
            code="FIXED_FOLDER",
            expected="a folder that can be renamed",
            got="the current folder, one above it, or a mount point",
            hint="Name a folder inside it.",
        )


def _carry_over(place: Path, new: Path, is_own: Callable[[str], bool]) -> None:
    for path in _others(place, is_own):
        source, target = place / path, new / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if _is_folder(source):
            shutil.copytree(source, target, symlinks=True, copy_function=_link)
        else:
            _link(str(source), str(target))


def _others(folder: Path, is_own: Callable[[str], bool], below: Path = Path()) -> Iterator[Path]:
    """Yield the paths of what is not own, of a folder without what it holds."""
    for entry in list((folder / below).iterdir()):
        path = below / entry.name
        if not is_own(path.as_posix()):
            yield path
        elif _is_folder(entry):
            yield from _others(folder, is_own, path)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _link(source: str, target: str) -> None:
    """Give a file a second name, or copy it where the file system knows no second names."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, target, follow_symlinks=False)


def _replace(place: Path, new: Path) -> Path:
    """Put a draft in the place of a folder, and return where that folder is now."""
    if _swap(place, new):
        return new
    aside = new.parent / _REPLACED / place.name
    aside.parent.mkdir()
    place.rename(aside)
    new.rename(place)
    return aside


def _swap(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system or the file system cannot."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_CURRENT, os.fsencode(one), _CURRENT, os.fsencode(other), _SWAP) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_SWAP:
        return False
    raise OSError(number, os.strerror(number), str(one))


def _rescue(old: Path, place: Path, is_own: Callable[[str], bool]) -> None:
    """Move what others have put into the earlier folder while its successor was being finished."""
    for path in _others(old, is_own):
        source, target = old / path, place / path
        if _is_folder(source) and target.exists():
            continue
        if not os.path.lexists(target) or not os.path.samestat(source.lstat(), target.lstat()):
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)


def _clear_abandoned(parent: Path) -> None:
    with locked(parent):
        for entry in parent.iterdir():
            match = _DRAFT.fullmatch(entry.name)
            if match is not None and _is_abandoned(entry, int(match[1])):
                _restore(entry)
                shutil.rmtree(entry, ignore_errors=True)


def _restore(draft: Path) -> None:
    """Put back a folder that stepped aside for a draft that has not come."""
    for folder in (draft / _REPLACED).glob("*"):
        if not (draft.parent / folder.name).exists():
            folder.rename(draft.parent / folder.name)


def _is_abandoned(draft: Path, process: int) -> bool:
    """Whether a draft's process is gone; it may be one of another machine or container."""
    try:
        is_old = time.time() - draft.stat().st_mtime > _ABANDONED_AFTER_S
        if not _CAN_LOCK:
            return is_old
        descriptor = os.open(draft, os.O_RDONLY)
    except FileNotFoundError:  # its process has just removed it
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return is_old and error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)
    return is_old or not _is_alive(process)


def _is_alive(process: int) -> bool:
    """Whether a process of this machine runs under this number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
