"""Masks of nodules on their source grid, each kept as the part of the grid that it fills."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nodule.errors import GeometryError, InputError
from nodule.geometry import Geometry, Vector, as_vector

Texture = Literal["solid", "part-solid", "ground-glass", "calcified"]
Index = tuple[int, int, int]
Mask = NDArray[np.bool_]

_CLOSE_MM = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleMask:
    """A nodule on a part of its source grid.

    Two masks are equal where they hold the same voxels of the same grid, texture and core included.

    Parameters
    ----------
    array_zyx : bool, at least one voxel set.
    start_zyx : index of voxel (0, 0, 0) in the source.
    geometry : of the part.
    texture : what the nodule is made of, None where that was not judged.
    core_zyx : the solid core of a part-solid nodule on the same grid, None where there is none.

    Raises
    ------
    GeometryError : ``SHAPE_MISMATCH``.
    InputError : ``BAD_DTYPE`` or ``EMPTY_MASK``.
    """

    array_zyx: Mask = field(repr=False)
    start_zyx: Index
    geometry: Geometry
    texture: Texture | None = None
    core_zyx: Mask | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for array in (self.array_zyx, self.core_zyx):
            if array is None:
                continue
            if array.shape != self.geometry.shape_zyx:
                raise GeometryError(
                    "a mask does not fit its grid",
                    code="SHAPE_MISMATCH",
                    expected=self.geometry.shape_zyx,
                    got=array.shape,
                )
            if array.dtype != np.bool_:
                raise InputError(
                    "wrong voxel type", code="BAD_DTYPE", expected="bool", got=array.dtype
                )
        if not self.array_zyx.any():
            raise InputError("a mask has no voxel", code="EMPTY_MASK")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NoduleMask):
            return NotImplemented
        return (
            (self.start_zyx, self.geometry, self.texture)
            == (other.start_zyx, other.geometry, other.texture)
            and np.array_equal(self.array_zyx, other.array_zyx)
            and _same(self.core_zyx, other.core_zyx)
        )

    def __hash__(self) -> int:
        return hash((self.start_zyx, self.geometry, self.texture, self.array_zyx.tobytes()))

    @classmethod
    def cropped(
        cls,
        array_zyx: Mask,
        *,
        start_zyx: Index,
        source: Geometry,
        texture: Texture | None,
        core_zyx: Mask | None = None,
    ) -> NoduleMask:
        """Cut a mask down to the voxels that it fills.

        Parameters
        ----------
        array_zyx, core_zyx : bool, on some part of the source's grid.
        start_zyx : where that part begins in the source.
        source : the whole grid.
        texture : what the nodule is made of.

        Raises
        ------
        InputError : ``EMPTY_MASK``.
        """
        boxes = ndimage.find_objects(array_zyx.astype(np.uint8))
        if not boxes:
            raise InputError("a mask has no voxel", code="EMPTY_MASK")
        box = boxes[0]
        z, y, x = (int(o) + int(s.start) for o, s in zip(start_zyx, box, strict=True))
        array = np.ascontiguousarray(array_zyx[box])
        part = Geometry(
            shape_zyx=cast("Index", array.shape),
            spacing_zyx_mm=source.spacing_zyx_mm,
            origin_lps_mm=as_vector(source.index_to_lps((z, y, x))),
            direction=source.direction,
        )
        return cls(
            array_zyx=array,
            start_zyx=(z, y, x),
            geometry=part,
            texture=texture,
            core_zyx=None if core_zyx is None else np.ascontiguousarray(core_zyx[box]),
        )

    @property
    def volume_mm3(self) -> float:
        """Voxels times voxel volume."""
        return float(self.array_zyx.sum()) * self.geometry.voxel_volume_mm3

    @property
    def center_lps_mm(self) -> Vector:
        """The centroid."""
        return as_vector(self.geometry.index_to_lps(np.argwhere(self.array_zyx).mean(axis=0)))

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where the part lies in the source array."""
        z, y, x = (slice(a, a + n) for a, n in zip(self.start_zyx, self.shape_zyx, strict=True))
        return z, y, x

    @property
    def shape_zyx(self) -> Index:
        """Size of the part."""
        return self.geometry.shape_zyx

    @property
    def sha256(self) -> str:
        """Digest of the voxels and of where they lie in the source; the core has no part in it."""
        about = f"nodule mask {self.start_zyx} {self.shape_zyx} ".encode()
        return hashlib.sha256(about + np.packbits(self.array_zyx).tobytes()).hexdigest()

    def fits(self, grid: Geometry) -> bool:
        """Whether the part lies within a grid, voxel on voxel."""
        start = np.asarray(self.start_zyx)
        if start.min() < 0 or (start + self.shape_zyx > grid.shape_zyx).any():
            return False
        apart_mm = grid.index_to_lps(start) - self.geometry.origin_lps_mm
        return bool(np.abs(apart_mm).max() <= _CLOSE_MM)

    def voxel_numbers(self, grid: Geometry) -> NDArray[np.int64]:
        """Return the flat indices of its voxels in the source, ascending."""
        places = np.argwhere(self.array_zyx) + self.start_zyx
        numbers = np.ravel_multi_index(tuple(places.T), grid.shape_zyx)
        return np.asarray(numbers, dtype=np.int64)


def _same(one: Mask | None, other: Mask | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
