"""The map that a registration finds, and how well it fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from nodule.errors import InputError
from nodule.geometry import Geometry

_INVERSE_STEPS = 40


@dataclass(frozen=True, kw_only=True, eq=False)
class LungMap:
    """A smooth map from the current scan to the prior one.

    Parameters
    ----------
    shift_lps_mm : float32, shape ``(*geometry.shape_zyx, 3)``: where a point goes less where it
        is, x y z.
    geometry : of that field, in the current scan's frame; it covers both lungs. Beyond it a
        point moves as the nearest one inside.
    overlap : Dice of the current lungs, mapped, and the prior ones, in [0, 1].
    surface_error_mm : mean distance of the mapped lungs' surface from the prior lungs'.

    Raises
    ------
    InputError : ``SHAPE_MISMATCH`` or ``NOT_FINITE``.
    """

    shift_lps_mm: NDArray[np.float32]
    geometry: Geometry
    overlap: float
    surface_error_mm: float

    def __post_init__(self) -> None:
        expected = (*self.geometry.shape_zyx, 3)
        if self.shift_lps_mm.shape != expected:
            raise InputError(
                "a field does not fit its grid",
                code="SHAPE_MISMATCH",
                expected=expected,
                got=self.shift_lps_mm.shape,
            )
        if not np.isfinite(self.shift_lps_mm).all():
            raise InputError("a field holds NaN or infinity", code="NOT_FINITE")

    def to_prior(self, current_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Map points of the current scan, LPS mm, shape (..., 3), to the prior one."""
        points = np.asarray(current_lps_mm, float)
        return np.asarray(points + self._shift_at(points), dtype=np.float64)

    def to_current(self, prior_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Map points of the prior scan back, by fixed-point iteration.

        It settles as long as neighbours keep their order, which a breath and a turn of less than
        some 50 degrees leave them.
        """
        goal = np.asarray(prior_lps_mm, float)
        points = goal - self._shift_at(goal)
        for _ in range(_INVERSE_STEPS):
            points = goal - self._shift_at(points)
        return np.asarray(points, dtype=np.float64)

    def _shift_at(self, points_lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        index = self.geometry.lps_to_index(points_lps_mm.reshape(-1, 3)).T
        shift = [
            ndimage.map_coordinates(self.shift_lps_mm[..., k], index, order=1, mode="nearest")
            for k in range(3)
        ]
        return np.stack(shift, axis=-1).reshape(points_lps_mm.shape)
