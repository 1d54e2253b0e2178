"""Damage to the headers of MetaImage and NRRD, line by line."""

import random
import re
from collections.abc import Mapping

from damage.image_files import METAIMAGE, NRRD, Files
from damage.kinds import Registry

Random = random.Random
KINDS = Registry()

TEXT: Mapping[str, tuple[str, ...]] = {  # field: values that contradict the rest, or say nothing
    "NDims": ("2", "4", "x", ""),
    "BinaryData": ("False", ""),
    "BinaryDataByteOrderMSB": ("True",),
    "CompressedData": ("*",),
    "TransformMatrix": ("0 0 0 0 0 0 0 0 0", "1 0 0 0 1 0", "nan 0 0 0 1 0 0 0 1", "", "~", "~"),
    "Offset": ("nan 0 0", "0 0", "x y z", "", "1e400 0 0", "1e30 0 0"),
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
    "Modality": ("MET_MOD_MR", "MET_MOD_PET", "MET_MOD_US"),
    "ObjectType": ("Tube", "Mesh"),
    "type": ("ushort", "float", "uchar", "block", "", "unsigned int"),
    "dimension": ("2", "4", "x"),
    "space": ("scanner-xyz", "3D-right-handed", "", "left-posterior"),
    "sizes": ("36 32 11", "37 32 12", "0 32 12", "36 32", "36 32 12 1", "*"),
    "space directions": ("none", "(1,0,0) (0,1,0)", "(0,0,0) (0,1,0) (0,0,1)", "", "~", "~", "~"),
    "endian": ("big", ""),
    "encoding": ("raw", "gzip", "ascii", "hex", "bzip2", ""),
    "space origin": ("(nan,0,0)", "(0,1e30,0)", "(0,0)", "", "none", "(x,y,z)"),
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


@KINDS.of(*METAIMAGE)
def metaimage_line(rng: Random, files: Files) -> None:
    change_line(rng, files, " = ")


@KINDS.of(*NRRD)
def nrrd_line(rng: Random, files: Files) -> None:
    change_line(rng, files, ": ")
