"""Arrays on their grid as NIfTI, for any other program."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import Geometry, lps_to_ras


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
    image: Any = nibabel.Nifti1Image(np.ascontiguousarray(array_zyx.T), affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")
    # a time stamp in the gzip header would make equal arrays differ
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)


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
