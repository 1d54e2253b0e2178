"""Arrays on their grid as NIfTI, for any other program."""

from __future__ import annotations

import itertools
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.fast_gzip import gzipped
from nodule.geometry import Geometry, lps_to_ras

_VOXELS_AT = 352  # the header's 348 bytes, and four that say that no extension follows


def nifti(array_zyx: NDArray[np.generic], geometry: Geometry) -> bytes:
    """Return an array as a gzipped NIfTI-1 file, index xyz and RAS as that format wants.

    Parameters
    ----------
    array_zyx : of a type that the format knows: uint8, int16, float32 or the like.
    geometry : its grid in LPS mm.
    """
    import nibabel

    affine = geometry.affine[:, [2, 1, 0, 3]]
    affine[:3] = lps_to_ras(affine[:3].T).T
    # the header follows from shape and type alone
    unread = np.broadcast_to(np.zeros((), array_zyx.dtype), array_zyx.shape[::-1])
    image: Any = nibabel.Nifti1Image(unread, affine)  # type: ignore[no-untyped-call]
    header = image.header
    header.set_xyzt_units("mm")
    header.set_slope_inter(1.0, 0.0)
    header["vox_offset"] = _VOXELS_AT
    stated: bytes = header.binaryblock.ljust(_VOXELS_AT, b"\0")
    # the format's first axis is the fastest: its xyz is the order of our bytes
    return gzipped(itertools.chain([stated], (slice_yx.tobytes() for slice_yx in array_zyx)))


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
