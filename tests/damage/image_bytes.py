"""Damage to the bytes of image files and archives: cut, lengthened, compressed, flipped."""

import gzip
import random

from damage.image_files import CHECKED, METAIMAGE, NIFTI, NRRD, ZIP, Files
from damage.kinds import Registry

Random = random.Random
KINDS = Registry()


def data_of(files: Files) -> str:
    return list(files)[-1]


@KINDS.of(*NIFTI, *METAIMAGE, *NRRD)
def image_cut(rng: Random, files: Files) -> None:
    name = data_of(files)
    keep = rng.choice((rng.random(), rng.uniform(0.95, 1)))
    files[name] = files[name][: int(len(files[name]) * keep) - 1]


@KINDS.of(*NIFTI, *METAIMAGE, *NRRD)
def image_lengthened(rng: Random, files: Files) -> None:
    files[data_of(files)] += rng.randbytes(rng.choice((1, 2, 72, 5000)))


@KINDS.of("mhd", "mhd-zlib", "nhdr", "nhdr-gzip")
def image_without_its_data(rng: Random, files: Files) -> None:
    name = data_of(files)
    if rng.random() < 0.5:
        del files[name]
    else:
        files[name] = b""


@KINDS.of(*NIFTI, *METAIMAGE, *NRRD)
def image_compressed_otherwise(rng: Random, files: Files) -> None:
    del rng
    name = data_of(files)
    is_gzip = files[name].startswith(b"\x1f\x8b")
    files[name] = gzip.decompress(files[name]) if is_gzip else gzip.compress(files[name])


@KINDS.of(*CHECKED)
def bit_flipped(rng: Random, files: Files) -> None:
    """Checksums, or the format itself, tell of a single bit."""
    name = data_of(files)
    content = bytearray(files[name])
    start = 0
    if name.endswith((".mha", ".nrrd")):  # whose headers have none
        start = len(content) - 4000
    bit = rng.randrange(8 * start, 8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    files[name] = bytes(content)


@KINDS.of(*ZIP)
def zip_cut(rng: Random, files: Files) -> None:
    name = data_of(files)
    files[name] = files[name][: rng.randrange(len(files[name]))]


@KINDS.of(*ZIP)
def zip_noise(rng: Random, files: Files) -> None:
    name = data_of(files)
    content = bytearray(files[name])
    at = rng.randrange(len(content) - 900, len(content)) if rng.random() < 0.6 else 0
    for _ in range(rng.choice((1, 1, 8))):
        content[rng.randrange(at, len(content))] = rng.randrange(256)
    files[name] = bytes(content)
