"""NIfTI-1 and NIfTI-2."""

from __future__ import annotations

import itertools
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodule.ct._containers import Member
from nodule.ct.images._image_file import (
    ImageFile,
    axes_warnings,
    exactly,
    inflate_exactly,
    no_orientation,
    skew_mm,
    unreadable,
    unsupported,
)
from nodule.errors import GeometryError

# what is left of a rotation by half a turn when a quaternion is stored in single precision, at
# the far corner of a body: 0.1 mm
_AGREEMENT_MM = 0.5
_SAME_LENGTH = 0.01
_ROUNDING = 2e-7  # of a quaternion's numbers; what follows for the angle grows near half a turn
_MAX_OFFSET = 1 << 30  # of voxels behind a header and its extensions
_RAS_TO_LPS = np.array([[-1.0], [-1.0], [1.0], [1.0]])
_MILLIMETRES = ("mm", "unknown")


def open_nifti(path: Path) -> ImageFile:
    """Read the header of a ``.nii`` or ``.nii.gz``.

    Raises
    ------
    InputError : ``UNREADABLE``, ``UNSUPPORTED_FORMAT``, ``TOO_LARGE``, ``TOO_FEW_SLICES``.
    GeometryError : ``NO_ORIENTATION``, ``AMBIGUOUS_ORIENTATION``, or those of :class:`Geometry`.
    """
    image, lengths_mm = _load(path)
    try:
        header, affine = image.header, np.asarray(image.affine, float)
        shape, codes = image.shape, (int(header["sform_code"]), int(header["qform_code"]))
        unit = header.get_xyzt_units()[0]
        is_real = image.get_data_dtype().kind in "iuf"
        rotated = np.asarray(header.get_qform(), float) if codes[1] else affine
        rounding = _ROUNDING / max(float(header.get_qform_quaternion()[0]), 4e-4) if codes[1] else 0
    except Exception as error:  # whatever nibabel raises on malformed input
        raise unreadable(path.name, type(error).__name__) from None
    if len(shape) < 3 or any(n != 1 for n in shape[3:]) or not is_real:
        raise unsupported(path.name, f"shape {shape}")
    if not any(codes):
        raise no_orientation(path.name, "neither sform nor qform")
    if unit not in _MILLIMETRES:
        raise unsupported(path.name, f"lengths in {unit}")
    file = ImageFile(
        source_format="nifti",
        members=(Member(name=path.name, path=path),),
        shape_ijk=shape[:3],
        affine_lps=tuple(tuple(row) for row in (_RAS_TO_LPS * affine).tolist()),
        read_voxels=lambda: _voxels(path),
    )
    apart_mm, stretch_mm = _refuse_contradiction(path, affine, rotated, lengths_mm, shape)
    extent_mm = float(np.linalg.norm(lengths_mm * shape[:3]))
    moved_mm = float(np.linalg.norm((rotated - affine)[:3, 3]))
    turned_mm = apart_mm - 2 * rounding * extent_mm
    skewed_mm = skew_mm(affine[:3, :3], shape[:3])
    off_mm = max(moved_mm, turned_mm, stretch_mm, skewed_mm)
    return replace(file, warnings=axes_warnings(off_mm))


def _load(path: Path) -> tuple[Any, NDArray[np.float64]]:
    """Return the image, and the voxel's edges as the header states them, before any repair."""
    import nibabel

    try:
        image = _load_quietly(path)
        with nibabel.openers.ImageOpener(str(path)) as stream:
            stated = type(image.header).from_fileobj(stream, check=False)
        lengths_mm = np.asarray(stated["pixdim"][1:4], float)
        size = int(stated["sizeof_hdr"])
    except Exception as error:  # whatever nibabel raises on malformed input
        raise unreadable(path.name, type(error).__name__) from None
    if size != stated.sizeof_hdr:
        raise unreadable(path.name, f"a header that states {size} bytes")
    if not (np.isfinite(lengths_mm).all() and lengths_mm.min() > 0):
        raise GeometryError(
            f"{path.name} does not state the size of its voxels",
            code="BAD_SPACING",
            expected="three positive lengths in pixdim",
            got=tuple(lengths_mm.tolist()),
            hint="Convert the scan again from DICOM.",
        )
    return image, lengths_mm


def _load_quietly(path: Path) -> Any:
    """Let nibabel read a header and repair it without telling the terminal."""
    import nibabel
    from nibabel.imageglobals import logger

    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        return nibabel.load(path)
    finally:
        logger.setLevel(level)


def _refuse_contradiction(
    path: Path,
    affine: NDArray[np.float64],
    rotated: NDArray[np.float64],
    lengths_mm: NDArray[np.float64],
    shape: tuple[int, ...],
) -> tuple[float, float]:
    """Refuse a file whose sform, qform and pixdim disagree: side or size would be a guess.

    Returns
    -------
    How far the far corner lies off by the qform and by pixdim, mm.
    """
    ends = [(0, n - 1) for n in shape[:3]]
    corners = np.array([(*corner, 1) for corner in itertools.product(*ends)], float)
    apart_mm = float(np.linalg.norm(((rotated - affine) @ corners.T)[:3], axis=0).max())
    columns_mm = np.linalg.norm(affine[:3, :3], axis=0)
    stretch = float(np.abs(columns_mm / lengths_mm - 1).max())
    # written so that NaN is refused
    if not (apart_mm <= _AGREEMENT_MM and stretch <= _SAME_LENGTH):
        raise GeometryError(
            f"{path.name} states its orientation twice, and differently",
            code="AMBIGUOUS_ORIENTATION",
            expected=f"sform and qform within {_AGREEMENT_MM} mm, and voxels as large as pixdim",
            got=f"{apart_mm:.1f} mm apart, voxels of {np.round(columns_mm, 4).tolist()} mm"
            f" and pixdim {np.round(lengths_mm, 4).tolist()}",
            hint="Convert the scan again from DICOM.",
        )
    return apart_mm, stretch * float(np.linalg.norm(lengths_mm * shape[:3]))


def _voxels(path: Path) -> NDArray[np.generic]:
    from nibabel.volumeutils import apply_read_scaling

    image = _load_quietly(path)
    stored, offset = image.get_data_dtype(), int(image.dataobj.offset)
    if offset > _MAX_OFFSET:
        raise unreadable(path.name, "voxels that begin beyond any header")
    size = offset + int(np.prod(image.shape)) * stored.itemsize
    # nibabel's own reading trusts memory maps and skips checksums
    take = inflate_exactly if path.name.lower().endswith(".gz") else exactly
    content = take(Member(name=path.name, path=path).read(), size=size, name=path.name)
    voxels = np.frombuffer(content, stored, offset=offset).reshape(image.shape[:3], order="F")
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    return np.asarray(apply_read_scaling(voxels, slope, intercept))
