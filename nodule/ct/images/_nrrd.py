"""NRRD: a text header, with the voxels behind it (``.nrrd``) or beside it (``.nhdr``)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nodule.ct.images._image_file import (
    ImageFile,
    no_orientation,
    sibling,
    unreadable,
    unsupported,
)
from nodule.ct.images._text_header import image_of, put_once, read_shape, read_start

_TO_LPS = {
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "lps": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "ras": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
    "las": (1.0, -1.0, 1.0),
}
_QUANTISED = ("old min", "oldmin", "old max", "oldmax")
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "f4": ("float",),
    "f8": ("double",),
}


def open_nrrd(path: Path) -> ImageFile:
    """Read the header of a ``.nrrd`` or ``.nhdr``.

    Raises
    ------
    InputError : ``UNREADABLE``, ``UNSUPPORTED_FORMAT``, ``UNSAFE_DATA_FILE``, ``CANNOT_READ``,
        ``TOO_LARGE``, ``TOO_FEW_SLICES``.
    GeometryError : ``NO_ORIENTATION``, or those of :class:`Geometry`.
    """
    fields, header_bytes = _header(path)
    dtype = _dtype(path, fields)
    data_name = fields.get("data file") or fields.get("datafile")
    data = None if data_name is None else sibling(path, data_name)
    shape_ijk = read_shape(path, fields, name="sizes")
    encoding = fields.get("encoding", "").lower()
    if encoding not in ("raw", "gzip", "gz"):
        raise unsupported(path.name, f"encoding {encoding[:16]}")
    return image_of(
        path,
        data,
        source_format="nrrd",
        header_bytes=header_bytes,
        shape_ijk=shape_ijk,
        dtype=dtype,
        is_compressed=encoding != "raw",
        affine_lps=_affine(path, fields),
    )


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields, names in lower case, and the header's size in bytes."""
    content = read_start(path)
    if not content.startswith(b"NRRD000"):
        raise unreadable(path.name, "no NRRD signature")
    blank = re.search(rb"\r?\n\r?\n", content)
    text = content[: blank.start() if blank else len(content)].decode("latin-1")
    fields: dict[str, str] = {}
    for line in text.splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):
            put_once(path, fields, name, value)
    return fields, blank.end() if blank else len(content)


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype[np.generic]:
    stated = fields.get("type", "").lower()
    kind = next((k for k, names in _TYPES.items() if stated in names), None)
    skips = [fields.get(k, "0") for k in ("line skip", "byte skip", "lineskip", "byteskip")]
    if kind is None or any(skip != "0" for skip in skips):
        raise unsupported(path.name, f"type {stated[:32]} or skipped lines or bytes")
    if fields.get("dimension", "3") != "3":
        raise unsupported(path.name, f"dimension {fields['dimension'][:16]}")
    if any(name in fields for name in _QUANTISED):
        raise unsupported(path.name, "values that stand for others, by old min and old max")
    kinds = set(fields.get("kinds", "").lower().split()) - {"domain", "space", "???"}
    if kinds:
        raise unsupported(path.name, f"an axis of kind {min(kinds)[:16]}")
    endian = fields.get("endian", "").lower()
    if kind[1] != "1" and endian not in ("little", "big"):
        raise unreadable(path.name, "no endian")
    return np.dtype((">" if endian == "big" else "<") + kind)


def _affine(path: Path, fields: dict[str, str]) -> tuple[tuple[float, ...], ...]:
    units = {unit.lower() for unit in re.findall(r'"([^"]*)"', fields.get("space units", ""))}
    if not units <= {"mm"}:
        raise unsupported(path.name, f"lengths in {min(units - {'mm'})[:16]}")
    signs = _TO_LPS.get(fields.get("space", "").lower())
    vectors = re.findall(r"\(([^)]*)\)", fields.get("space directions", ""))
    origin = fields.get("space origin", "").strip("() ")
    if signs is None or len(vectors) != 3 or not origin:
        raise no_orientation(path.name, "no patient space, three space directions and space origin")
    affine = np.eye(4)
    try:
        for axis, vector in enumerate([*vectors, origin]):
            affine[:3, axis] = np.array(vector.split(","), float) * signs
    except ValueError:
        raise unreadable(path.name, "space directions or origin that are not numbers") from None
    return tuple(tuple(row) for row in affine.tolist())
