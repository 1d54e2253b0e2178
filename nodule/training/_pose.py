"""Turned, scaled, mirrored and shifted: how training varies what any network looks at.

Every draw is apart from its application: a :class:`SamplePose` is drawn once and may then be put
on several places or sizes of voxels. (MONAI's ``RandAffine`` draws and applies in one go, from a
generator of its own, and resamples a whole image on its own grid; here a patch of 1 mm is cut out
of a scan of any spacing in one interpolation.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from nodule.geometry import Matrix, Vector, as_matrix, as_vector
from nodule.patch_pose import PatchPose

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True)
class PoseRanges:
    """How far poses stray from the body's own axes.

    Parameters
    ----------
    about_z_deg : standard deviation of the turn about the body's axis; None turns freely.
    tilt_deg : standard deviation of the turns about y and x. Scans are coarser along z.
    upright_share : poses that are neither tilted nor, unless freely, turned about z.
    any_turn_share : poses that are turned any way at all.
    scale : by how much things look larger, log-uniform between these.
    stretch : likewise along each axis of the patch on its own.
    mirrored_axes : of zyx; each is mirrored in half of the poses.
    shift_mm : largest shift along z, y and x; uniform.
    centered_share : poses that are not shifted.
    """

    about_z_deg: float | None = None
    tilt_deg: float = 0.0
    upright_share: float = 0.0
    any_turn_share: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    stretch: tuple[float, float] = (1.0, 1.0)
    mirrored_axes: tuple[int, ...] = (0, 1, 2)
    shift_mm: Vector = (0.0, 0.0, 0.0)
    centered_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SamplePose:
    """How a sample is looked at; the same for all sizes of its voxels.

    Parameters
    ----------
    turn : 3x3, zyx; its product with a step in the patch is the step in the scan, both mm.
    shift_mm : of the centre in the scan, zyx.
    mirrored : which axes of the patch, zyx, run backwards.
    """

    turn: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    shift_mm: Vector = (0.0, 0.0, 0.0)
    mirrored: tuple[bool, bool, bool] = (False, False, False)

    @property
    def scale(self) -> float:
        """By how much things look larger."""
        return float(abs(np.linalg.det(np.asarray(self.turn))) ** (-1 / 3))

    def at(
        self,
        center_zyx: ArrayLike,
        spacing_zyx_mm: Vector,
        *,
        shape_zyx: tuple[int, int, int],
        voxel_mm: float = 1.0,
    ) -> PatchPose:
        """Return the patch about a place.

        Parameters
        ----------
        center_zyx : (fractional) index of the place in its array.
        spacing_zyx_mm : of the array's voxels.
        shape_zyx, voxel_mm : the patch's voxels along each axis, and their edge before scaling.
        """
        shift = np.asarray(self.shift_mm) / np.asarray(spacing_zyx_mm)
        return PatchPose(
            shape_zyx=shape_zyx,
            center_zyx=as_vector(np.asarray(center_zyx) + shift),
            spacing_zyx_mm=spacing_zyx_mm,
            turn=as_matrix(np.asarray(self.turn) * voxel_mm),
        )


STRAIGHT = SamplePose()
"""Nothing turned, scaled, mirrored or shifted."""


def draw_pose(rng: Generator, ranges: PoseRanges) -> SamplePose:
    """Draw how a sample is looked at."""
    flips = np.ones(3)
    axes = list(ranges.mirrored_axes)
    flips[axes] = rng.choice([-1.0, 1.0], size=len(axes))
    size = _log_uniform(rng, ranges.scale, 1) * _log_uniform(rng, ranges.stretch, 3)
    moved = rng.random() >= ranges.centered_share
    shift = rng.uniform(-1.0, 1.0, size=3) * ranges.shift_mm * moved
    z, y, x = (bool(flip < 0) for flip in flips)
    return SamplePose(
        turn=as_matrix(_draw_rotation(rng, ranges) * (flips / size)),
        shift_mm=as_vector(shift),
        mirrored=(z, y, x),
    )


def _draw_rotation(rng: Generator, ranges: PoseRanges) -> NDArray[np.float64]:
    if rng.random() < ranges.any_turn_share:
        return np.asarray(Rotation.random(rng=rng).as_matrix())
    turned = rng.random() >= ranges.upright_share
    if ranges.about_z_deg is None:
        about_z = rng.uniform(0.0, 360.0)
    else:
        about_z = rng.normal(0.0, ranges.about_z_deg) * turned
    tilt_y, tilt_x = rng.normal(0.0, ranges.tilt_deg, size=2) * turned
    # axes of a zyx index: its first coordinate is z
    rotation = Rotation.from_euler("xyz", [about_z, tilt_y, tilt_x], degrees=True)
    return np.asarray(rotation.as_matrix())


def _log_uniform(rng: Generator, limits: tuple[float, float], count: int) -> NDArray[np.float64]:
    low, high = (math.log(limit) for limit in limits)
    return np.asarray(np.exp(rng.uniform(low, high, size=count)), dtype=np.float64)
