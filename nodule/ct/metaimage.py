"""MetaImage: a text header, with the voxels behind it (``.mha``) or beside it (``.mhd``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodule.ct.files import Member
from nodule.ct.images import (
    ImageFile,
    no_orientation,
    sibling,
    unpack_voxels,
    unreadable,
    unsupported,
)

_MAX_HEADER_BYTES = 1 << 16
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}


def open_metaimage(path: Path) -> ImageFile:
    """Read the header of a ``.mhd`` or ``.mha``.

    Raises
    ------
    InputError : ``UNREADABLE``, ``UNSUPPORTED_FORMAT``, ``UNSAFE_DATA_FILE``, ``CANNOT_READ``,
        ``TOO_LARGE``, ``TOO_FEW_SLICES``.
    GeometryError : ``NO_ORIENTATION``, or those of :class:`Geometry`.
    """
    fields, header_bytes = _header(path)
    dtype = _dtype(path, fields)
    data_name = fields["elementdatafile"]
    is_local = data_name.upper() == "LOCAL"
    data = path if is_local else sibling(path, data_name)
    try:
        i, j, k = (int(n) for n in fields["dimsize"].split())
    except (KeyError, ValueError):
        raise unsupported(path.name, f"DimSize {fields.get('dimsize', 'absent')[:32]}") from None
    shape_ijk = (i, j, k)
    if min(shape_ijk) < 1:
        raise unreadable(path.name, f"DimSize {shape_ijk}")
    is_compressed = fields.get("compresseddata", "false").lower() == "true"
    members = [Member(name=p.name, path=p) for p in dict.fromkeys([path, data])]

    def read_voxels() -> NDArray[np.generic]:
        return unpack_voxels(
            members[-1].read()[header_bytes if is_local else 0 :],
            shape_ijk=shape_ijk,
            dtype=dtype,
            is_compressed=is_compressed,
            name=data.name,
        )

    return ImageFile(
        source_format="metaimage",
        members=tuple(members),
        shape_ijk=shape_ijk,
        affine_lps=_affine(path, fields),
        read_voxels=read_voxels,
    )


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields, names in lower case, and the header's size in bytes."""
    with Member(name=path.name, path=path).open() as stream:
        content = stream.read(_MAX_HEADER_BYTES)
    fields, position = {}, 0
    while (end := content.find(b"\n", position)) >= 0:
        name, _, value = content[position:end].decode("latin-1").partition("=")
        fields[name.strip().lower()] = value.strip()
        position = end + 1
        if name.strip().lower() == "elementdatafile":
            return fields, position
    raise unreadable(path.name, "no ElementDataFile")


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype[np.generic]:
    channels = fields.get("elementnumberofchannels", "1")
    kind = _TYPES.get(fields.get("elementtype", ""))
    if kind is None or channels != "1" or fields.get("headersize", "0") != "0":
        raise unsupported(
            path.name, f"{fields.get('elementtype', 'no type')[:32]} x {channels[:8]}"
        )
    is_big = any(
        fields.get(key, "false").lower() == "true"
        for key in ("elementbyteordermsb", "binarydatabyteordermsb")
    )
    return np.dtype((">" if is_big else "<") + kind)


def _affine(path: Path, fields: dict[str, str]) -> tuple[tuple[float, ...], ...]:
    """Return index ijk to LPS; MetaImage lists the direction of each axis in turn."""
    try:
        spacing = np.array(fields["elementspacing"].split(), float)
        matrix = next(
            fields[k] for k in ("transformmatrix", "rotation", "orientation") if k in fields
        )
        origin = next(fields[k] for k in ("offset", "position", "origin") if k in fields)
        affine = np.eye(4)
        affine[:3, :3] = np.array(matrix.split(), float).reshape(3, 3).T * spacing
        affine[:3, 3] = np.array(origin.split(), float)
    except (KeyError, StopIteration, ValueError):
        raise no_orientation(
            path.name, "no readable ElementSpacing, TransformMatrix and Offset"
        ) from None
    return tuple(tuple(row) for row in affine.tolist())
