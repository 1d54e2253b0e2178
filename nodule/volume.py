"""Images with a place in the patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nodule.errors import GeometryError, InputError
from nodule.geometry import Geometry
from nodule.hu import HuArray


def _check_grid(array: NDArray[np.generic], geometry: Geometry) -> None:
    if array.shape != geometry.shape_zyx:
        raise GeometryError(
            "an array does not fit its grid",
            code="SHAPE_MISMATCH",
            expected=geometry.shape_zyx,
            got=array.shape,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """A CT image.

    Parameters
    ----------
    array_zyx : HU, shape ``geometry.shape_zyx``; float32 and finite, or int16 where all are whole.
        Arithmetic on int16 wraps round: cut out what is needed and make it float32 first.
    geometry : its grid in LPS mm.

    Raises
    ------
    GeometryError : ``SHAPE_MISMATCH``.
    InputError : ``BAD_DTYPE`` or ``NOT_FINITE``.
    """

    array_zyx: HuArray = field(repr=False)
    geometry: Geometry

    def __post_init__(self) -> None:
        _check_grid(self.array_zyx, self.geometry)
        if self.array_zyx.dtype == np.int16:
            return
        if self.array_zyx.dtype != np.float32:
            raise InputError(
                "wrong voxel type",
                code="BAD_DTYPE",
                expected="float32 or int16",
                got=self.array_zyx.dtype,
            )
        # the sum is finite only if every voxel is, and needs no temporary array
        if not np.isfinite(self.array_zyx.sum(dtype=np.float64)):
            raise InputError("an image holds NaN or infinity", code="NOT_FINITE")


def compact(array_zyx: HuArray) -> HuArray:
    """Return HU as int16 where every value is whole and fits, else as they are."""
    if array_zyx.dtype == np.int16:
        return array_zyx
    limits = np.iinfo(np.int16)
    if array_zyx.min() < limits.min or array_zyx.max() > limits.max:
        return array_zyx
    # slice by slice, so that no second volume of floats is held
    if all(np.array_equal(np.rint(slice_yx), slice_yx) for slice_yx in array_zyx):
        return array_zyx.astype(np.int16)
    return array_zyx


@dataclass(frozen=True, kw_only=True, eq=False)
class LungMask:
    """The lungs, right and left apart.

    Parameters
    ----------
    labels_zyx : uint8, shape ``geometry.shape_zyx``: 0 outside, ``RIGHT`` or ``LEFT``, the
        patient's own sides.
    geometry : its grid in LPS mm.

    Raises
    ------
    GeometryError : ``SHAPE_MISMATCH``.
    InputError : ``BAD_DTYPE`` or ``BAD_LABEL``.
    """

    RIGHT: ClassVar[int] = 1
    LEFT: ClassVar[int] = 2

    labels_zyx: NDArray[np.uint8] = field(repr=False)
    geometry: Geometry

    def __post_init__(self) -> None:
        _check_grid(self.labels_zyx, self.geometry)
        if self.labels_zyx.dtype != np.uint8:
            raise InputError(
                "wrong voxel type", code="BAD_DTYPE", expected="uint8", got=self.labels_zyx.dtype
            )
        if self.labels_zyx.max() > self.LEFT:
            raise InputError(
                "unknown lung label",
                code="BAD_LABEL",
                expected="0, 1 or 2",
                got=int(self.labels_zyx.max()),
            )

    @property
    def volume_ml(self) -> tuple[float, float]:
        """Volumes of the right and of the left lung."""
        scale = self.geometry.voxel_volume_mm3 / 1000.0
        right = int(np.count_nonzero(self.labels_zyx == self.RIGHT))
        left = int(np.count_nonzero(self.labels_zyx == self.LEFT))
        return right * scale, left * scale
