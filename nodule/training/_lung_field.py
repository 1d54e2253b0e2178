"""Roughly where the lungs of a scan are: good enough to draw places from, and fast.

No network is asked, so that what trains the networks does not rest on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from nodule.geometry import Vector, as_vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COARSE_MM = 2.0
_AIR_BELOW_HU = -400.0  # midway between lung at about -850 HU and soft tissue at about 50 HU
_SMALLEST_SHARE = 0.05  # of the largest air space: about 200 ml in an adult
_CLOSING_MM = 8.0  # takes in vessels, the hilum and what lies on the wall


@dataclass(frozen=True, kw_only=True, eq=False)
class LungField:
    """The lungs on a grid of about 2 mm.

    Parameters
    ----------
    hu : every so many voxels of the scan, [z, y, x].
    air : bool, the large air spaces that do not reach the image's sides.
    steps_zyx : voxels of the scan between two of the grid.
    spacing_zyx_mm : of the grid.
    """

    hu: NDArray[Any]
    air: NDArray[np.bool_]
    steps_zyx: tuple[int, int, int]
    spacing_zyx_mm: Vector

    @classmethod
    def of(cls, array_hu: NDArray[Any], spacing_zyx_mm: Vector) -> LungField:
        """Find the lungs of a scan, HU [z, y, x]."""
        z, y, x = (max(1, round(_COARSE_MM / mm)) for mm in spacing_zyx_mm)
        hu = array_hu[::z, ::y, ::x]
        spaces, count = ndimage.label(hu < _AIR_BELOW_HU)
        sizes = np.bincount(spaces.ravel(), minlength=count + 1)
        sides = np.concatenate([spaces[:, [0, -1]].ravel(), spaces[:, :, [0, -1]].ravel()])
        sizes[np.unique(sides)] = 0
        sizes[0] = 0
        inside = (sizes > 0) & (sizes >= _SMALLEST_SHARE * sizes.max())
        return cls(
            hu=hu,
            air=np.asarray(inside[spaces], dtype=np.bool_),
            steps_zyx=(z, y, x),
            spacing_zyx_mm=as_vector(np.multiply(spacing_zyx_mm, (z, y, x))),
        )

    @cached_property
    def lungs(self) -> NDArray[np.bool_]:
        """Bool, the air spaces with all that is in and on them."""
        # a distance transform closes with a ball in millimetres, whatever the spacing
        to_air = ndimage.distance_transform_edt(~self.air, sampling=self.spacing_zyx_mm)
        grown = to_air <= _CLOSING_MM
        depth = ndimage.distance_transform_edt(grown, sampling=self.spacing_zyx_mm)
        return np.asarray((depth > _CLOSING_MM) | self.air, dtype=np.bool_)

    def points_mm(self, where: NDArray[np.bool_], *, apart_mm: float = 0.0) -> NDArray[np.float64]:
        """Return places of the grid, (n, 3) index mm of the scan.

        Parameters
        ----------
        where : bool on the grid.
        apart_mm : along each axis no nearer than about this.
        """
        thin = [max(1, round(apart_mm / mm)) for mm in self.spacing_zyx_mm]
        index = np.argwhere(where[tuple(slice(None, None, step) for step in thin)]) * thin
        return np.asarray(index * np.asarray(self.spacing_zyx_mm), dtype=np.float64)
