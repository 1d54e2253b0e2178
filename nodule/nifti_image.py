"""Arrays on their grid as NIfTI, for any other program."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
