"""Random changes of bytes, anywhere in a file, that no format foresees."""

import io
import random
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pydicom

from damage.damaged_series import ANY_ENCODING, truth_of
from damage.encodings import ENHANCED, encoded_slices
from damage.image_files import CHECKED, METAIMAGE, NIFTI, NRRD, TRUTH, ZIP, Files, made_files
from damage.outcome import Outcome, Tally, Truth

SLICES = 4  # of a series: enough for a volume
BASES = (*ANY_ENCODING, *ENHANCED, *NIFTI, *METAIMAGE, *NRRD, *ZIP)
Random = random.Random
Noise = Callable[[Random, bytearray, int], None]


def flip_bit(rng: Random, content: bytearray, at: int) -> None:
    content[at] ^= 1 << rng.randrange(8)


def set_byte(rng: Random, content: bytearray, at: int) -> None:
    content[at] = rng.choice(
        (0, 0x20, 0x2F, 0x30, 0x39, 0x5C, 0x7F, 0x80, 0xFF, rng.randrange(256))
    )


def overwrite(rng: Random, content: bytearray, at: int) -> None:
    noise = rng.choice((bytes(4), b"\xff" * 4, rng.randbytes(4), rng.randbytes(32)))
    content[at : at + len(noise)] = noise[: len(content) - at]


def leave_out(rng: Random, content: bytearray, at: int) -> None:
    del content[at : at + rng.choice((1, 2, 4, 64, 1000))]


def put_in(rng: Random, content: bytearray, at: int) -> None:
    content[at:at] = rng.randbytes(rng.choice((1, 2, 4, 64)))


def repeat(rng: Random, content: bytearray, at: int) -> None:
    content[at:at] = content[at : at + rng.choice((1, 8, 100))]


def exchange(rng: Random, content: bytearray, at: int) -> None:
    size, other = rng.choice((1, 4, 40)), rng.randrange(len(content))
    one, two = content[at : at + size], content[other : other + size]
    if len(one) == len(two) == size:
        content[at : at + size], content[other : other + size] = two, one


def cut(rng: Random, content: bytearray, at: int) -> None:
    del rng, content[at:]


NOISES: tuple[Noise, ...] = (
    *(flip_bit, flip_bit, set_byte, set_byte, overwrite, leave_out, put_in, repeat, exchange, cut),
)


@lru_cache
def _files(base: str) -> Files:
    if base not in ANY_ENCODING and base not in ENHANCED:
        return made_files(base)
    files = {}
    for z, ds in enumerate(encoded_slices(base)[:SLICES]):
        stream = io.BytesIO()
        pydicom.dcmwrite(stream, ds, enforce_file_format=True)
        files[f"IM{z:03d}"] = stream.getvalue()
    return files


def noisy_files(base: str, seed: int) -> tuple[Files, bool]:
    """Return a base's files with noise in one, and whether the files can tell that it is there.

    Voxels without a checksum cannot, nor can a header that says everything once.
    """
    rng = random.Random(f"noise {base} {seed}")
    files = dict(_files(base))
    name = rng.choice(list(files))
    content = bytearray(files[name])
    voxels = content.find(b"\xe0\x7f\x10\x00")
    header = voxels if voxels > 0 else min(len(content), 600)
    may_tell = base in CHECKED and not name.endswith((".mha", ".mhd", ".nrrd", ".nhdr"))
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        in_header = rng.random() < 0.75
        at = rng.randrange(header if in_header else len(content))
        rng.choice(NOISES)(rng, content, min(at, max(len(content) - 1, 0)))
        if not content:
            break
    if base in ANY_ENCODING:
        may_tell = content[-(len(files[name]) - header) :] == files[name][header:]
    files[name] = bytes(content)
    return files, may_tell


def write_noisy(base: str, seed: int, folder: Path) -> tuple[Path, bool]:
    """Write files with noise; return what to read, and whether they can tell."""
    files, may_tell = noisy_files(base, seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    is_series = base in ANY_ENCODING or base in ENHANCED
    return (folder if is_series else folder / next(iter(files))), may_tell


def read_noisy(base: str, seed: int, folder: Path, tally: Tally) -> None:
    """Read files with noise; what they cannot tell is no fault."""
    path, may_tell = write_noisy(base, seed, folder)
    is_classic = base in ANY_ENCODING
    truth: Truth = truth_of(base) if is_classic or base in ENHANCED else TRUTH
    lost = len(truth.hounsfield_zyx) - SLICES if is_classic else 0
    found = Tally()
    found.read(path, truth, name=f"{base} {seed}", lost_slices=lost)
    if not may_tell and found.faults:
        tally.note(Outcome.UNTOLD)
        return
    tally.counts.update(found.counts)
    tally.codes.update(found.codes)
    tally.faults += found.faults
