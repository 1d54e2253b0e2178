"""What MetaImage and NRRD share: a text header, with the voxels behind it or beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodule.ct._containers import Member
from nodule.ct.images._image_file import (
    ImageFile,
    axes_warnings,
    skew_mm,
    unpack_voxels,
    unreadable,
    unsupported,
)
from nodule.study import SourceFormat

_MAX_HEADER_BYTES = 1 << 16


def read_start(path: Path) -> bytes:
    """Return the bytes in which a header must end."""
    with Member(name=path.name, path=path).open() as stream:
        return stream.read(_MAX_HEADER_BYTES)


def put_once(path: Path, fields: dict[str, str], name: str, value: str) -> None:
    """Add a field, its name in lower case.

    Raises
    ------
    InputError : ``UNREADABLE`` for a field that is there already: readers differ in what they take.
    """
    key = name.strip().lower()
    if key in fields:
        raise unreadable(path.name, f"the field {key[:32]} twice")
    fields[key] = value.strip()


def read_shape(path: Path, fields: Mapping[str, str], *, name: str) -> tuple[int, int, int]:
    """Return the three sizes that a field gives, the fastest axis first.

    Raises
    ------
    InputError : ``UNSUPPORTED_FORMAT`` for other than three numbers, ``UNREADABLE`` below 1.
    """
    stated = fields.get(name.lower(), "absent")
    try:
        i, j, k = (int(n) for n in stated.split())
    except ValueError:
        raise unsupported(path.name, f"{name} {stated[:32]}") from None
    if min(i, j, k) < 1:
        raise unreadable(path.name, f"{name} {(i, j, k)}")
    return i, j, k


def image_of(
    path: Path,
    data: Path | None,
    *,
    source_format: SourceFormat,
    header_bytes: int,
    shape_ijk: tuple[int, int, int],
    dtype: np.dtype[np.generic],
    is_compressed: bool,
    affine_lps: tuple[tuple[float, ...], ...],
    off_mm: float = 0.0,
) -> ImageFile:
    """Return an image whose voxels are unpacked when they are asked for.

    Parameters
    ----------
    path : the header.
    data : the file of the voxels, None where they stand behind the header.
    header_bytes : size of the header.
    dtype, is_compressed : how the voxels are stored.
    off_mm : how far the far corner lies off by what else the header says of its axes.
    source_format, shape_ijk, affine_lps : as :class:`ImageFile`.
    """
    members = [Member(name=p.name, path=p) for p in dict.fromkeys([path, data or path])]

    def read_voxels() -> NDArray[np.generic]:
        return unpack_voxels(
            members[-1].read()[header_bytes if data is None else 0 :],
            shape_ijk=shape_ijk,
            dtype=dtype,
            is_compressed=is_compressed,
            name=members[-1].name,
        )

    file = ImageFile(
        source_format=source_format,
        members=tuple(members),
        shape_ijk=shape_ijk,
        affine_lps=affine_lps,
        read_voxels=read_voxels,
    )
    skewed_mm = skew_mm(np.asarray(affine_lps)[:3, :3], shape_ijk)
    return replace(file, warnings=axes_warnings(max(off_mm, skewed_mm)))
