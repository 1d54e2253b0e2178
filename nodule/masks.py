"""Masks of nodules on their source grid, and the one image of labels that holds them all.

A mask is kept as the part of the grid that it fills. :func:`label_masks` puts all masks of a study
into one array for ``nodules.nii.gz``: one label a nodule, and one more for each set of nodules that
share voxels, so that :func:`restore_mask` gives back every mask as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
Labels = NDArray[np.uint8] | NDArray[np.uint16]

_CLOSE_MM = 1e-3
_MOST_IN_A_BYTE = 255


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
            raise InputError("a mask without a voxel", code="EMPTY_MASK")

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
            raise InputError("a mask without a voxel", code="EMPTY_MASK")
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


@dataclass(frozen=True, kw_only=True)
class MaskReference:
    """Where a nodule's mask is to be found among labels, and what it must be.

    Parameters
    ----------
    labels : the values of its voxels: its own, then those of voxels that it shares with others.
    sha256 : as :attr:`NoduleMask.sha256`.
    """

    labels: tuple[int, ...]
    sha256: str


def refer_to_masks(masks: Mapping[str, NoduleMask], *, grid: Geometry) -> dict[str, MaskReference]:
    """Give every mask its labels: 1, 2, … in their order, then one for each set that overlaps.

    Parameters
    ----------
    masks : by finding's id.
    grid : the source's.

    Raises
    ------
    InputError : ``MASK_OUTSIDE_GRID``.
    """
    numbers = _numbers_of_sets(_shared(masks, grid), after=len(masks))
    return {
        id_: MaskReference(
            labels=(own, *(n for owners, n in numbers.items() if own in owners)),
            sha256=mask.sha256,
        )
        for own, (id_, mask) in enumerate(masks.items(), start=1)
    }


def label_masks(masks: Mapping[str, NoduleMask], *, grid: Geometry) -> Labels:
    """Put masks into one array of labels, as :func:`refer_to_masks` numbers them.

    Returns
    -------
    uint8, or uint16 for more than 255 labels, shape ``grid.shape_zyx``; 0 is none of them.

    Raises
    ------
    InputError : ``MASK_OUTSIDE_GRID``.
    """
    shared = _shared(masks, grid)
    numbers = _numbers_of_sets(shared, after=len(masks))
    count = len(masks) + len(numbers)
    labels = np.zeros(grid.shape_zyx, np.uint8 if count <= _MOST_IN_A_BYTE else np.uint16)
    for own, mask in enumerate(masks.values(), start=1):
        labels[mask.box][mask.array_zyx] = own
    for voxel, owners in shared.items():
        labels.flat[voxel] = numbers[owners]
    return labels


def restore_mask(
    reference: MaskReference, labels_zyx: Labels, *, grid: Geometry, texture: Texture | None
) -> NoduleMask:
    """Return a mask as it was before :func:`label_masks`, without its core.

    Parameters
    ----------
    reference : of the mask.
    labels_zyx : shape ``grid.shape_zyx``.
    grid : the source's.
    texture : what the nodule is made of.

    Raises
    ------
    InputError : ``FOREIGN_MASKS`` where the labels do not hold that mask.
    """
    found = np.isin(labels_zyx, reference.labels)
    if found.any():
        mask = NoduleMask.cropped(found, start_zyx=(0, 0, 0), source=grid, texture=texture)
        if mask.sha256 == reference.sha256:
            return mask
    raise InputError(
        "the masks beside a report are not its own",
        code="FOREIGN_MASKS",
        expected=reference.sha256,
        hint="Keep a report's files together.",
    )


def _shared(masks: Mapping[str, NoduleMask], grid: Geometry) -> dict[int, tuple[int, ...]]:
    """Return which masks, by number from 1, hold each voxel that more than one holds."""
    for mask in masks.values():
        if not mask.fits(grid):
            raise InputError(
                "a mask lies on another grid than the series",
                code="MASK_OUTSIDE_GRID",
                expected=grid.shape_zyx,
                got=f"{mask.start_zyx} and {mask.shape_zyx} from there",
            )
    voxels = [mask.voxel_numbers(grid) for mask in masks.values()]
    if not voxels:
        return {}
    numbers, counts = np.unique(np.concatenate(voxels), return_counts=True)
    owners: dict[int, tuple[int, ...]] = {int(n): () for n in numbers[counts > 1]}
    for own, held in enumerate(voxels, start=1):
        for voxel in np.intersect1d(held, list(owners)).tolist():
            owners[int(voxel)] += (own,)
    return owners


def _numbers_of_sets(
    shared: Mapping[int, tuple[int, ...]], *, after: int
) -> dict[tuple[int, ...], int]:
    return {owners: after + n for n, owners in enumerate(sorted(set(shared.values())), start=1)}


def _same(one: Mask | None, other: Mask | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
