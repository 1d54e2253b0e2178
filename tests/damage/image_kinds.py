"""Damage to image files: NIfTI's header field by field, text headers line by line, their bytes."""

import gzip
import math
import random
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from damage.image_files import CHECKED, METAIMAGE, NIFTI, NRRD, TRUTH, ZIP, Files, made_files
from damage.outcome import Tally

Random = random.Random
ImageDamage = Callable[[Random, Files], None]
BOTH_FORMS = ("nifti", "nifti-float", "nifti-gz")
WITH_SFORM = (*BOTH_FORMS, "nifti-sform")


@dataclass(frozen=True)
class ImageKind:
    """One kind of damage, and the images that can meet it."""

    damage: ImageDamage
    images: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.damage.__name__


IMAGE_KINDS: dict[str, ImageKind] = {}


def of(*images: str) -> Callable[[ImageDamage], ImageDamage]:
    def add(damage: ImageDamage) -> ImageDamage:
        IMAGE_KINDS[damage.__name__] = ImageKind(damage, images)
        return damage

    return add


def damage_image_and_read(kind: ImageKind, seed: int, folder: Path, tally: Tally) -> None:
    """Damage an image as one seed of a kind does, read it and count the outcome."""
    rng = random.Random(f"{kind.name} {seed}")
    image = rng.choice(kind.images)
    files = made_files(image)
    first = next(iter(files))
    kind.damage(rng, files)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    tally.read(folder / first, TRUTH, name=f"{kind.name} {seed}")


def change_nifti(files: Files, change: Callable[[bytearray], None]) -> None:
    (name,) = files
    is_compressed = name.endswith(".gz")
    content = bytearray(gzip.decompress(files[name]) if is_compressed else files[name])
    change(content)
    files[name] = gzip.compress(bytes(content)) if is_compressed else bytes(content)


def put(files: Files, at: int, kind: str, *values: float) -> None:
    """Set a field of a NIfTI header, at its offset in nifti1.h."""
    change_nifti(files, lambda content: struct.pack_into(f"<{kind}", content, at, *values))


@of(*NIFTI)
def nifti_dimensions(rng: Random, files: Files) -> None:
    axis = rng.randint(0, 3)
    values = (0, -1, 2, 8, 300, 32767) if axis == 0 else (0, -1, 1, 11, 13, 35, 37, 31, 33, 32767)
    put(files, 40 + 2 * axis, "h", rng.choice(values))


@of(*NIFTI)
def nifti_fourth_dimension(rng: Random, files: Files) -> None:
    put(files, 40, "h", 4)
    put(files, 48, "h", rng.choice((0, 2, 12, -1)))


@of(*WITH_SFORM)
def nifti_voxel_size(rng: Random, files: Files) -> None:
    usual = (9.5, 7.5, 13.0)
    axis = rng.randrange(3)
    factor = 1 + rng.choice((-1, 1)) * 10 ** rng.uniform(-4, -0.1)
    bad = (0.0, -usual[axis], math.nan, math.inf, 1e30, usual[axis] / 1000, usual[axis] * factor)
    put(files, 80 + 4 * axis, "f", rng.choice((*bad, usual[axis] * factor)))


@of(*BOTH_FORMS)
def nifti_handedness(rng: Random, files: Files) -> None:
    """Pixdim[0] turns the quaternion's third axis round."""
    put(files, 76, "f", rng.choice((-1.0, 1.0)))
    if rng.random() < 0.8:
        mirror = rng.randrange(3)
        change_nifti(files, lambda content: negate(content, 280 + 16 * mirror, 4))


def negate(content: bytearray, at: int, count: int) -> None:
    values = struct.unpack_from(f"<{count}f", content, at)
    struct.pack_into(f"<{count}f", content, at, *(-v for v in values))


@of(*BOTH_FORMS)
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


@of("nifti-sform")
def nifti_only_sform_sheared(rng: Random, files: Files) -> None:
    at = 280 + 4 * rng.choice((1, 2, 4, 6, 8, 9))
    by = rng.choice((-1, 1)) * 10 ** rng.uniform(-2, 1)

    def change(content: bytearray) -> None:
        (usual,) = struct.unpack_from("<f", content, at)
        struct.pack_into("<f", content, at, usual + by)

    change_nifti(files, change)


@of(*BOTH_FORMS)
def nifti_qform_entry(rng: Random, files: Files) -> None:
    at = 256 + 4 * rng.randrange(6)
    value = rng.choice((math.nan, math.inf, 0.0, 2.0, rng.uniform(-1, 1), rng.uniform(-300, 300)))
    put(files, at, "f", value)


@of(*NIFTI)
def nifti_form_codes(rng: Random, files: Files) -> None:
    put(files, 252, "2h", rng.choice((0, 1, 7, -1)), rng.choice((0, 1, 7, -1)))


@of(*NIFTI)
def nifti_units(rng: Random, files: Files) -> None:
    put(files, 123, "B", rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 48, 255)))


@of(*NIFTI)
def nifti_type(rng: Random, files: Files) -> None:
    put(files, 70, "h", rng.choice((0, 1, 2, 8, 32, 64, 128, 256, 512, 768, 1024, 1536, 2304, -4)))


@of(*NIFTI)
def nifti_bits(rng: Random, files: Files) -> None:
    put(files, 72, "h", rng.choice((0, 1, 8, 24, 64, -16)))


@of(*NIFTI)
def nifti_data_offset(rng: Random, files: Files) -> None:
    bad = (0, 348, 350, 351, 353, 354, 368, -352, 1e9, math.nan, math.inf)
    put(files, 108, "f", rng.choice(bad))


@of(*NIFTI)
def nifti_scale(rng: Random, files: Files) -> None:
    slope, inter = rng.choice(
        (
            *((0.0, 0.0), (0.0, -1024.0), (math.nan, 0.0), (math.inf, 0.0), (1e10, 0.0)),
            *((2.0, 0.0), (-1.0, 0.0), (0.001, 0.0), (10.0, 0.0), (1.0, 1024.0)),
            *((1.0, math.nan), (1.0, math.inf), (1.0, 1e6), (1.0, -1e6), (4.0, -1024.0)),
        )
    )
    put(files, 112, "2f", slope, inter)


@of(*NIFTI)
def nifti_start(rng: Random, files: Files) -> None:
    """Its size, its magic, its extension flag."""
    at, kind, value = rng.choice(
        (
            *((0, "i", 0), (0, "i", 349), (0, "i", 540), (0, ">i", 348)),
            *((344, "B", 0x6D), (345, "B", 0x32), (346, "B", 0x32), (347, "B", 1), (348, "B", 1)),
        )
    )
    change_nifti(files, lambda content: struct.pack_into(kind, content, at, value))


@of(*NIFTI)
def nifti_noise_in_header(rng: Random, files: Files) -> None:
    at, noise = rng.choice((40, 70, 76, 108, 252)), rng.randbytes(4)
    change_nifti(files, lambda content: content.__setitem__(slice(at, at + 4), noise))


@of("nifti", "nifti-gz", "nifti-sform")
def nifti_data_in_the_other_order(rng: Random, files: Files) -> None:
    """Bytes of voxels exchanged, those of the header not."""
    del rng

    def change(content: bytearray) -> None:
        content[352::2], content[353::2] = content[353::2], content[352::2]

    change_nifti(files, change)


TEXT: Mapping[str, tuple[str, ...]] = {  # field: values that contradict the rest, or say nothing
    "NDims": ("2", "4", "x", ""),
    "BinaryData": ("False", ""),
    "BinaryDataByteOrderMSB": ("True",),
    "CompressedData": ("*",),
    "TransformMatrix": ("0 0 0 0 0 0 0 0 0", "1 0 0 0 1 0", "nan 0 0 0 1 0 0 0 1", "", "~", "~"),
    "Offset": ("nan 0 0", "0 0", "x y z", "", "1e400 0 0"),
    "ElementSpacing": ("0 7.5 13", "-9.5 7.5 13", "nan 7.5 13", "9.5 7.5", "", "9e-3 7e-3 1e-2"),
    "DimSize": (
        "36 32 11",
        "36 32 13",
        "35 32 12",
        "37 32 12",
        "0 32 12",
        "36 32",
        "-36 -32 12",
        "*",
    ),
    "ElementType": ("MET_USHORT", "MET_FLOAT", "MET_UCHAR", "MET_CHAR", "MET_NONE", "", "MET_LONG"),
    "ElementDataFile": ("case.x", "LIST", "../case.raw", "", "."),
    "ElementNumberOfChannels": ("3", "0"),
    "HeaderSize": ("-1", "64"),
    "ElementToIntensityFunctionSlope": ("2",),
    "DistanceUnits": ("cm", "um"),
    "type": ("ushort", "float", "uchar", "block", "", "unsigned int"),
    "dimension": ("2", "4", "x"),
    "space": ("scanner-xyz", "3D-right-handed", "", "left-posterior"),
    "sizes": ("36 32 11", "37 32 12", "0 32 12", "36 32", "36 32 12 1", "*"),
    "space directions": ("none", "(1,0,0) (0,1,0)", "(0,0,0) (0,1,0) (0,0,1)", "", "~", "~", "~"),
    "endian": ("big", ""),
    "encoding": ("raw", "gzip", "ascii", "hex", "bzip2", ""),
    "space origin": ("(nan,0,0)", "(0,0)", "", "none", "(x,y,z)"),
    "space units": ('"um" "um" "um"', '"mm" "mm" "cm"', '"cm"'),
    "units": ('"cm" "cm" "cm"',),
    "byte skip": ("1", "-1"),
    "line skip": ("1",),
    "spacings": ("1 1 1",),
    "old min": ("0",),
    "block size": ("2",),
}


def changed_text(rng: Random, value: str, change: str) -> str:
    """Return a field's new value; * for another of the kind, ~ for one number that is off."""
    if change == "*":
        return {"True": "False", "False": "True"}.get(value, "1000000 1000000 1000000")
    if change == "~":
        numbers = re.findall(r"[-+0-9.e]+", value)
        off = rng.choice(numbers)
        by = rng.choice((-1, 1)) * 10 ** rng.uniform(-3, 0)
        return value.replace(off, f"{float(off) + by:.9g}", 1)
    return change


def change_line(rng: Random, files: Files, separator: str) -> None:
    name, content = next(iter(files.items()))
    end = content.find(b"ElementDataFile") if separator == " = " else content.find(b"\n\n")
    end = content.find(b"\n", end) if separator == " = " else end
    end = len(content) if end < 0 else end
    lines = content[:end].decode("latin-1").split("\n")
    fields = {line.partition(separator)[0]: k for k, line in enumerate(lines) if separator in line}
    field = rng.choice([f for f in TEXT if (separator == ": ") == (f[0].islower())])
    if field not in fields:
        lines.insert(1, f"{field}{separator}{rng.choice(TEXT[field])}")
    elif rng.random() < 0.15:
        del lines[fields[field]]
    else:
        value = lines[fields[field]].partition(separator)[2]
        new = changed_text(rng, value, rng.choice(TEXT[field]))
        lines[fields[field]] = f"{field}{separator}{new}"
    files[name] = "\n".join(lines).encode("latin-1") + content[end:]


@of(*METAIMAGE)
def metaimage_line(rng: Random, files: Files) -> None:
    change_line(rng, files, " = ")


@of(*NRRD)
def nrrd_line(rng: Random, files: Files) -> None:
    change_line(rng, files, ": ")


def data_of(files: Files) -> str:
    return list(files)[-1]


@of(*NIFTI, *METAIMAGE, *NRRD)
def image_cut(rng: Random, files: Files) -> None:
    name = data_of(files)
    keep = rng.choice((rng.random(), rng.uniform(0.95, 1)))
    files[name] = files[name][: int(len(files[name]) * keep) - 1]


@of(*NIFTI, *METAIMAGE, *NRRD)
def image_lengthened(rng: Random, files: Files) -> None:
    files[data_of(files)] += rng.randbytes(rng.choice((1, 2, 72, 5000)))


@of("mhd", "mhd-zlib", "nhdr", "nhdr-gzip")
def image_without_its_data(rng: Random, files: Files) -> None:
    name = data_of(files)
    if rng.random() < 0.5:
        del files[name]
    else:
        files[name] = b""


@of(*NIFTI, *METAIMAGE, *NRRD)
def image_compressed_otherwise(rng: Random, files: Files) -> None:
    del rng
    name = data_of(files)
    is_gzip = files[name].startswith(b"\x1f\x8b")
    files[name] = gzip.decompress(files[name]) if is_gzip else gzip.compress(files[name])


@of(*CHECKED)
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


@of(*ZIP)
def zip_cut(rng: Random, files: Files) -> None:
    name = data_of(files)
    files[name] = files[name][: rng.randrange(len(files[name]))]


@of(*ZIP)
def zip_noise(rng: Random, files: Files) -> None:
    name = data_of(files)
    content = bytearray(files[name])
    at = rng.randrange(len(content) - 900, len(content)) if rng.random() < 0.6 else 0
    for _ in range(rng.choice((1, 1, 8))):
        content[rng.randrange(at, len(content))] = rng.randrange(256)
    files[name] = bytes(content)
