"""From grid to grid where their axes are parallel, one slice of the target at a time.

Such a grid's index along each axis depends on one axis of the other alone. So a slice of the
target needs two slices of the source and no more memory than a few slices, and it is the same
whichever others are computed with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nodule.geometry import Geometry
from nodule.hu import HuArray

_PARALLEL = 1e-3  # voxels of the source by which no place may be missed
_Plane = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class ParallelGrids:
    """Where the voxels of a target grid lie in a source grid whose axes are parallel to its own.

    Parameters
    ----------
    axes : the source's index axis that runs along each of the target's, zyx.
    index_zyx : along each axis of the target, the fractional index on that axis of the source.
    """

    axes: tuple[int, int, int]
    index_zyx: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

    @classmethod
    def between(cls, source: Geometry, target: Geometry) -> ParallelGrids | None:
        """Relate two grids; None where their axes are not parallel."""
        steps = np.linalg.inv(source.affine[:3, :3]) @ target.affine[:3, :3]
        axes = [int(axis) for axis in np.abs(steps).argmax(axis=0)]
        first = source.lps_to_index(target.origin_lps_mm)
        if sorted(axes) != [0, 1, 2]:
            return None
        reach = np.asarray(target.shape_zyx) - 1
        across = np.abs(steps) * reach
        across[axes, range(3)] = 0.0
        if across.sum(axis=1).max(initial=0.0) > _PARALLEL:
            return None
        z, y, x = (
            first[axis] + steps[axis, k] * np.arange(target.shape_zyx[k])
            for k, axis in enumerate(axes)
        )
        return cls(axes=(axes[0], axes[1], axes[2]), index_zyx=(z, y, x))

    def slices(self, array_zyx: HuArray, *, outside_hu: float) -> Iterator[_Plane]:
        """Yield the target's slices, float32 [y, x], ascending; each may be changed.

        Parameters
        ----------
        array_zyx : on the source grid.
        outside_hu : value of voxels whose centre lies outside the source.
        """
        turned = np.transpose(array_zyx, self.axes)
        depth, rows, columns = turned.shape
        along, down, across = self.index_zyx
        by_row, by_column = _weights(down, rows), _weights(across, columns)
        covered = np.outer(_inside(down, rows), _inside(across, columns))
        planes: dict[int, _Plane] = {}

        def plane(z: int) -> _Plane:
            if z not in planes:
                stored = turned[z].astype(np.float32)
                columns_first = np.ascontiguousarray((by_row @ stored).T)
                planes[z] = np.ascontiguousarray((by_column @ columns_first).T)
            return planes[z]

        for index, is_inside in zip(along.tolist(), _inside(along, depth).tolist(), strict=True):
            if not is_inside:
                yield np.full(covered.shape, outside_hu, np.float32)
                continue
            low = int(np.floor(index))
            ends = [min(max(z, 0), depth - 1) for z in (low, low + 1)]
            planes = {z: kept for z, kept in planes.items() if z in ends}
            below, above = (plane(z) for z in ends)
            found = below + np.float32(index - low) * (above - below)
            found[~covered] = outside_hu
            yield found

    def nearest(self, labels_zyx: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the labels of the nearest voxels, 0 outside the source.

        Parameters
        ----------
        labels_zyx : uint8, on the source grid.
        """
        turned = np.transpose(labels_zyx, self.axes)
        near = [
            np.clip(np.floor(index + 0.5), 0, count - 1).astype(int)
            for index, count in zip(self.index_zyx, turned.shape, strict=True)
        ]
        found = turned[np.ix_(*near)]
        for axis, (index, count) in enumerate(zip(self.index_zyx, turned.shape, strict=True)):
            np.moveaxis(found, axis, 0)[~_inside(index, count)] = 0
        return np.asarray(found, dtype=np.uint8)


def _inside(index: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """Tell which fractional indices lie in one of so many voxels."""
    return (index >= -0.5) & (index < count - 0.5)


def _weights(index: NDArray[np.float64], count: int) -> Any:
    """Return the sparse matrix that interpolates columns at fractional indices."""
    from scipy import sparse

    low = np.floor(index)
    share = (index - low).astype(np.float32)
    ends = np.clip(np.concatenate([low, low + 1]), 0, count - 1).astype(int)
    places = np.tile(np.arange(len(index)), 2)
    values = np.concatenate([1 - share, share])
    shape = len(index), count
    return cast(Any, sparse).csr_array((values, (places, ends)), shape=shape)
