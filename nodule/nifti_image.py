"""Arrays on their grid as NIfTI, for any other program."""

from __future__ import annotations

import itertools
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.fast_gzip import gzipped
from nodule.geometry import Geometry, lps_to_ras

_HEADER_BYTES = 348
_VOXELS_AT = _HEADER_BYTES + 4  # four bytes say that no extension follows
_MILLIMETRES, _NO_QFORM, _ALIGNED = 2, 0, 2
_DATATYPES = {"uint8": 2, "int16": 4, "int32": 8, "float32": 16, "float64": 64, "uint16": 512}


def nifti(array_zyx: NDArray[np.generic], geometry: Geometry) -> bytes:
    """Return an array as a gzipped NIfTI-1 file, index xyz and RAS as that format wants.

    Parameters
    ----------
    array_zyx : of a type that the format knows: uint8, int16, float32 or the like.
    geometry : its grid in LPS mm.
    """
    # the format's first axis is the fastest: its xyz is the order of our bytes
    slices = (slice_yx.tobytes() for slice_yx in array_zyx)
    return gzipped(itertools.chain([_header(array_zyx, geometry)], slices))


def _header(array_zyx: NDArray[np.generic], geometry: Geometry) -> bytes:
    """Return a NIfTI-1 header, without extensions, whose sform says where the voxels lie.

    Written by hand, since loading nibabel takes longer than writing all that a report holds.

    References
    ----------
    The NIFTI-1 data format, nifti1.h of 2007: offsets and codes.
    """
    affine = geometry.affine[:, [2, 1, 0, 3]]
    affine[:3] = lps_to_ras(affine[:3].T).T
    shape, spacing_mm = array_zyx.shape[::-1], geometry.spacing_zyx_mm[::-1]
    dtype = array_zyx.dtype
    header = bytearray(_VOXELS_AT)
    for offset, form, values in (
        (0, "<i", (_HEADER_BYTES,)),
        (38, "<c", (b"r",)),
        (40, "<8h", (3, *shape, 1, 1, 1, 1)),  # dim
        (70, "<2h", (_DATATYPES[dtype.name], 8 * dtype.itemsize)),
        (76, "<8f", (1, *spacing_mm, 1, 1, 1, 1)),  # pixdim
        (108, "<3f", (_VOXELS_AT, 1, 0)),  # where the voxels are, their slope and intercept
        (123, "<b", (_MILLIMETRES,)),
        (252, "<2h", (_NO_QFORM, _ALIGNED)),
        (280, "<12f", affine[:3].ravel().tolist()),  # srow_x, srow_y, srow_z
        (344, "<4s", (b"n+1",)),
    ):
        struct.pack_into(form, header, offset, *values)
    return bytes(header)


def read_nifti(path: Path) -> tuple[NDArray[np.generic], Geometry]:
    """Read an image that :func:`nifti` has made.

    Returns
    -------
    The array [z, y, x] of the type in the file, and its grid in LPS mm, to some 0.001 mm: the
    header holds the affine in single precision.

    Raises
    ------
    InputError : ``NO_NIFTI`` where the file is missing or holds no three-dimensional image.
    """
    import nibabel

    try:
        image: Any = nibabel.load(path)
        array = np.ascontiguousarray(np.asarray(image.dataobj).T)
        affine = np.array(image.affine)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _refused(path) from error
    except nibabel.filebasedimages.ImageFileError as error:
        raise _refused(path) from error
    if array.ndim != 3:
        raise _refused(path)
    affine[:3] = lps_to_ras(affine[:3].T).T
    return array, Geometry.from_affine(affine[:, [2, 1, 0, 3]], shape_zyx=array.shape)


def _refused(path: Path) -> InputError:
    return InputError(f"{path.name} is not a NIfTI image", code="NO_NIFTI", expected=path.name)
