"""NIfTI-1 and NIfTI-2."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.ct._containers import Member
from nodule.ct.images._image_file import ImageFile, exactly, no_orientation, unreadable, unsupported

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MILLIMETRES = ("mm", "unknown")


def open_nifti(path: Path) -> ImageFile:
    """Read the header of a ``.nii`` or ``.nii.gz``.

    Raises
    ------
    InputError : ``UNREADABLE``, ``UNSUPPORTED_FORMAT``, ``TOO_LARGE``, ``TOO_FEW_SLICES``.
    GeometryError : ``NO_ORIENTATION``, or those of :class:`Geometry`.
    """
    import nibabel

    try:
        image: Any = nibabel.load(path)
        header, affine = image.header, np.asarray(image.affine, float)
        shape, codes = image.shape, (int(header["sform_code"]), int(header["qform_code"]))
        unit = header.get_xyzt_units()[0]
        is_real = image.get_data_dtype().kind in "iuf"
    except Exception as error:  # whatever nibabel raises on malformed input
        raise unreadable(path.name, type(error).__name__) from None
    if len(shape) < 3 or any(n != 1 for n in shape[3:]) or not is_real:
        raise unsupported(path.name, f"shape {shape}")
    if not any(codes):
        raise no_orientation(path.name, "neither sform nor qform")
    if unit not in _MILLIMETRES:
        raise unsupported(path.name, f"lengths in {unit}")
    return ImageFile(
        source_format="nifti",
        members=(Member(name=path.name, path=path),),
        shape_ijk=shape[:3],
        affine_lps=tuple(tuple(row) for row in (_RAS_TO_LPS @ affine).tolist()),
        read_voxels=lambda: _voxels(path),
    )


def _voxels(path: Path) -> NDArray[np.generic]:
    import nibabel
    from nibabel.volumeutils import apply_read_scaling

    image: Any = nibabel.load(path)
    stored, offset = image.get_data_dtype(), int(image.dataobj.offset)
    size = int(np.prod(image.shape)) * stored.itemsize
    try:
        # nibabel's own reading trusts memory maps; the length is checked here
        with nibabel.openers.ImageOpener(str(path)) as stream:
            stream.seek(offset)
            content = exactly(stream.read(size), size=size, name=path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path.name, type(error).__name__) from None
    voxels = np.frombuffer(content, stored).reshape(image.shape[:3], order="F")
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    return np.asarray(apply_read_scaling(voxels, slope, intercept))
