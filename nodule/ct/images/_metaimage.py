"""MetaImage: a text header, with the voxels behind it (``.mha``) or beside it (``.mhd``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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
from nodule.errors import InputError
from nodule.geometry import Geometry, as_matrix, as_vector
from nodule.study import StudyWarning

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
    InputError : ``NOT_CT``, ``UNREADABLE``, ``UNSUPPORTED_FORMAT``, ``UNSAFE_DATA_FILE``,
        ``CANNOT_READ``, ``TOO_LARGE``, ``TOO_FEW_SLICES``.
    GeometryError : ``NO_ORIENTATION``, or those of :class:`Geometry`.
    """
    fields, header_bytes = _header(path)
    dtype = _dtype(path, fields)
    data_name = fields["elementdatafile"]
    is_local = data_name.upper() == "LOCAL"
    data = None if is_local else sibling(path, data_name)
    shape_ijk = read_shape(path, fields, name="DimSize")
    stated = _stated_axes(path, fields)
    lengths = np.linalg.norm(stated.direction, axis=0)
    extent_mm = np.multiply(stated.spacing_zyx_mm, shape_ijk)
    file = image_of(
        path,
        data,
        source_format="metaimage",
        header_bytes=header_bytes,
        shape_ijk=shape_ijk,
        dtype=dtype,
        is_compressed=fields.get("compresseddata", "false").lower() == "true",
        affine_lps=tuple(tuple(row) for row in stated.affine.tolist()),
        # the lengths of the directions would be taken for voxels of another size
        off_mm=float(np.abs(lengths - 1).max() * np.linalg.norm(extent_mm)),
    )
    return replace(file, warnings=(*file.warnings, *_other_orientation(fields, stated)))


def _other_orientation(fields: dict[str, str], stated: Geometry) -> Iterator[StudyWarning]:
    """Tell of letters that contradict the matrix, which readers go by."""
    letters = fields.get("anatomicalorientation", "???").upper()
    axes = np.asarray(stated.direction)
    main = np.abs(axes).argmax(axis=0)
    expected = "".join(_LETTERS[a][int(axes[a, k] < 0)] for k, a in enumerate(main))
    if any(one not in ("?", other) for one, other in zip(letters, expected, strict=False)):
        message = (
            f"AnatomicalOrientation does not fit TransformMatrix, which is {expected} and was used"
        )
        yield StudyWarning(code="ORIENTATION_DIFFERS", message=message)


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields, names in lower case, and the header's size in bytes."""
    content = read_start(path)
    fields: dict[str, str] = {}
    position = 0
    while (end := content.find(b"\n", position)) >= 0:
        name, _, value = content[position:end].decode("latin-1").partition("=")
        put_once(path, fields, name, value)
        position = end + 1
        if name.strip().lower() == "elementdatafile":
            return fields, position
    raise unreadable(path.name, "no ElementDataFile")


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype[np.generic]:
    kind = _TYPES.get(fields.get("elementtype", ""))
    if kind is None:
        raise unsupported(path.name, f"element type {fields.get('elementtype', 'absent')[:32]}")
    if fields.get("modality", _CT[0]).upper() not in _CT:
        raise InputError(
            f"{path.name} is not CT",
            code="NOT_CT",
            expected=_CT[0],
            got=fields["modality"][:32],
            hint="Give a chest CT.",
        )
    for name, allowed in _PLAIN.items():
        stated = fields.get(name, allowed[0]).lower()
        if stated not in allowed:
            raise unsupported(path.name, f"{name} {stated[:16]}")
    is_big = any(
        fields.get(key, "false").lower() == "true"
        for key in ("elementbyteordermsb", "binarydatabyteordermsb")
    )
    return np.dtype((">" if is_big else "<") + kind)


# a field that says otherwise asks for more than to place the voxels behind the header in space
_PLAIN = {
    "ndims": ("3",),
    "binarydata": ("true",),
    "headersize": ("0",),
    "elementnumberofchannels": ("1",),
    "elementtointensityfunctionslope": ("1", "1.0"),
    "elementtointensityfunctionoffset": ("0", "0.0", "-0"),
    "distanceunits": ("mm",),
    "objecttype": ("image",),
}
_CT = ("MET_MOD_CT", "MET_MOD_OTHER", "MET_MOD_UNKNOWN")
_LETTERS = ("RL", "AP", "IS")  # where an axis of LPS begins, ascending and descending


def _stated_axes(path: Path, fields: dict[str, str]) -> Geometry:
    """Return index ijk to LPS; MetaImage lists the direction of each axis in turn."""
    try:
        spacing = np.array(fields["elementspacing"].split(), float)
        matrix = next(
            fields[k] for k in ("transformmatrix", "rotation", "orientation") if k in fields
        )
        origin = next(fields[k] for k in ("offset", "position", "origin") if k in fields)
        directions = np.array(matrix.split(), float).reshape(3, 3).T
        origin_mm = np.array(origin.split(), float).reshape(3)
        spacing = spacing.reshape(3)
    except (KeyError, StopIteration, ValueError):
        raise no_orientation(
            path.name, "no readable ElementSpacing, TransformMatrix and Offset"
        ) from None
    # spacing and directions are stated apart, and each must hold by itself
    return Geometry(
        shape_zyx=(1, 1, 1),
        spacing_zyx_mm=as_vector(spacing),
        origin_lps_mm=as_vector(origin_mm),
        direction=as_matrix(directions),
    )
