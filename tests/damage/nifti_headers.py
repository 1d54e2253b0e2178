"""Damage to the header of a NIfTI, field by field, at their offsets in nifti1.h."""

import gzip
import math
import random
import struct
from collections.abc import Callable

from damage.image_files import NIFTI, Files
from damage.kinds import Registry

Random = random.Random
KINDS = Registry()

BOTH_FORMS = ("nifti", "nifti-float", "nifti-gz")
WITH_SFORM = (*BOTH_FORMS, "nifti-sform")


def change_nifti(files: Files, change: Callable[[bytearray], None]) -> None:
    (name,) = files
    is_compressed = name.endswith(".gz")
    content = bytearray(gzip.decompress(files[name]) if is_compressed else files[name])
    change(content)
    files[name] = gzip.compress(bytes(content)) if is_compressed else bytes(content)


def put(files: Files, at: int, kind: str, *values: float) -> None:
    """Set a field of a NIfTI header, at its offset in nifti1.h."""
    change_nifti(files, lambda content: struct.pack_into(f"<{kind}", content, at, *values))


@KINDS.of(*NIFTI)
def nifti_dimensions(rng: Random, files: Files) -> None:
    axis = rng.randint(0, 3)
    values = (0, -1, 2, 8, 300, 32767) if axis == 0 else (0, -1, 1, 11, 13, 35, 37, 31, 33, 32767)
    put(files, 40 + 2 * axis, "h", rng.choice(values))


@KINDS.of(*NIFTI)
def nifti_fourth_dimension(rng: Random, files: Files) -> None:
    put(files, 40, "h", 4)
    put(files, 48, "h", rng.choice((0, 2, 12, -1)))


@KINDS.of(*WITH_SFORM)
def nifti_voxel_size(rng: Random, files: Files) -> None:
    usual = (9.5, 7.5, 13.0)
    axis = rng.randrange(3)
    factor = 1 + rng.choice((-1, 1)) * 10 ** rng.uniform(-4, -0.1)
    bad = (0.0, -usual[axis], math.nan, math.inf, 1e30, usual[axis] / 1000, usual[axis] * factor)
    put(files, 80 + 4 * axis, "f", rng.choice((*bad, usual[axis] * factor)))


@KINDS.of(*BOTH_FORMS)
def nifti_handedness(rng: Random, files: Files) -> None:
    """Pixdim[0] turns the quaternion's third axis round."""
    put(files, 76, "f", rng.choice((-1.0, 1.0)))
    if rng.random() < 0.8:
        mirror = rng.randrange(3)
        change_nifti(files, lambda content: negate(content, 280 + 16 * mirror, 4))


def negate(content: bytearray, at: int, count: int) -> None:
    values = struct.unpack_from(f"<{count}f", content, at)
    struct.pack_into(f"<{count}f", content, at, *(-v for v in values))


@KINDS.of(*BOTH_FORMS)
def nifti_sform_entry(rng: Random, files: Files) -> None:
    """The qform still says where it was."""
    at = 280 + 4 * rng.randrange(12)
    bad = (math.nan, math.inf, 0.0, 1e30)
    by = rng.choice((-1, 1)) * 10 ** rng.uniform(-2, 2)

    def change(content: bytearray) -> None:
        (usual,) = struct.unpack_from("<f", content, at)
        value = rng.choice(bad) if rng.random() < 0.2 else usual + by
        struct.pack_into("<f", content, at, value)

    change_nifti(files, change)


@KINDS.of("nifti-sform")
def nifti_only_sform_sheared(rng: Random, files: Files) -> None:
    at = 280 + 4 * rng.choice((1, 2, 4, 6, 8, 9))
    by = rng.choice((-1, 1)) * 10 ** rng.uniform(-2, 1)

    def change(content: bytearray) -> None:
        (usual,) = struct.unpack_from("<f", content, at)
        struct.pack_into("<f", content, at, usual + by)

    change_nifti(files, change)


@KINDS.of(*BOTH_FORMS)
def nifti_qform_entry(rng: Random, files: Files) -> None:
    at = 256 + 4 * rng.randrange(6)
    value = rng.choice((math.nan, math.inf, 0.0, 2.0, rng.uniform(-1, 1), rng.uniform(-300, 300)))
    put(files, at, "f", value)


@KINDS.of(*NIFTI)
def nifti_form_codes(rng: Random, files: Files) -> None:
    put(files, 252, "2h", rng.choice((0, 1, 7, -1)), rng.choice((0, 1, 7, -1)))


@KINDS.of(*NIFTI)
def nifti_units(rng: Random, files: Files) -> None:
    put(files, 123, "B", rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 48, 255)))


@KINDS.of(*NIFTI)
def nifti_type(rng: Random, files: Files) -> None:
    put(files, 70, "h", rng.choice((0, 1, 2, 8, 32, 64, 128, 256, 512, 768, 1024, 1536, 2304, -4)))


@KINDS.of(*NIFTI)
def nifti_bits(rng: Random, files: Files) -> None:
    put(files, 72, "h", rng.choice((0, 1, 8, 24, 64, -16)))


@KINDS.of(*NIFTI)
def nifti_data_offset(rng: Random, files: Files) -> None:
    bad = (0, 348, 350, 351, 353, 354, 368, -352, 1e9, math.nan, math.inf)
    put(files, 108, "f", rng.choice(bad))


@KINDS.of(*NIFTI)
def nifti_scale(rng: Random, files: Files) -> None:
    slope, inter = rng.choice(
        (
            *((0.0, 0.0), (0.0, -1024.0), (math.nan, 0.0), (math.inf, 0.0), (1e10, 0.0)),
            *((2.0, 0.0), (-1.0, 0.0), (0.001, 0.0), (10.0, 0.0), (1.0, 1024.0)),
            *((1.0, math.nan), (1.0, math.inf), (1.0, 1e6), (1.0, -1e6), (4.0, -1024.0)),
        )
    )
    put(files, 112, "2f", slope, inter)


@KINDS.of(*NIFTI)
def nifti_start(rng: Random, files: Files) -> None:
    """Its size, its magic, its extension flag."""
    at, kind, value = rng.choice(
        (
            *((0, "i", 0), (0, "i", 349), (0, "i", 540), (0, ">i", 348)),
            *((344, "B", 0x6D), (345, "B", 0x32), (346, "B", 0x32), (347, "B", 1), (348, "B", 1)),
        )
    )
    change_nifti(files, lambda content: struct.pack_into(kind, content, at, value))


@KINDS.of(*NIFTI)
def nifti_noise_in_header(rng: Random, files: Files) -> None:
    at, noise = rng.choice((40, 70, 76, 108, 252)), rng.randbytes(4)
    change_nifti(files, lambda content: content.__setitem__(slice(at, at + 4), noise))


@KINDS.of("nifti", "nifti-gz", "nifti-sform")
def nifti_data_in_the_other_order(rng: Random, files: Files) -> None:
    """Bytes of voxels exchanged, those of the header not."""
    del rng

    def change(content: bytearray) -> None:
        content[352::2], content[353::2] = content[353::2], content[352::2]

    change_nifti(files, change)
