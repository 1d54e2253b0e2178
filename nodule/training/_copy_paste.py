"""Copy-paste: what one image shows, inserted into another with a feathered edge.

A crop ends where its scan went on, and a network that saw crops end would know neither scans nor
crops. So a crop, or the nodule in it, is inserted into other lung: the two images are blended over
some millimetres, by how deep a voxel lies inside what is inserted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from nodule.geometry import Vector
from nodule.patch_pose import Box, PatchPose
from nodule.training._pose import SamplePose

Image = NDArray[np.float32]

AERATED_BELOW_HU = -600.0

_FARTHEST_MM = 31.0  # distances are stored in eighths of a millimetre in one byte
_PER_MM = 8
_SOLID_HU = -100.0
_FEWEST_VOXELS = 20
_LARGEST_SHIFT_HU = 120.0


def feather(depth_mm: Image, *, width_mm: float) -> Image:
    """Return how much of what is inserted is shown, 0 to 1: a half where the depth is 0.

    Parameters
    ----------
    depth_mm : how far each voxel lies inside what is inserted, negative outside.
    width_mm : of the edge, half of it to either side.
    """
    share = np.clip(depth_mm / np.float32(width_mm) + np.float32(0.5), 0.0, 1.0)
    return np.asarray(share * share * (np.float32(3.0) - np.float32(2.0) * share), np.float32)


def feathered_blend(top: Image, under: Image, *, depth_mm: Image, width_mm: float) -> Image:
    """Insert one image into another, float32 HU of one shape; the rest as :func:`feather`."""
    share = feather(depth_mm, width_mm=width_mm)
    return np.asarray(under + share * (top - under), dtype=np.float32)


def mismatch_hu(top: Image, under: Image, where: NDArray[np.bool_]) -> float:
    """Return the mean absolute difference of two images where they meet, 0 if nowhere."""
    return float(np.abs(top[where] - under[where]).mean()) if where.any() else 0.0


def match_air(top: Image, under: Image, where: NDArray[np.bool_]) -> Image:
    """Shift the air in an image to the density of the lung that it is inserted into.

    Parameters
    ----------
    top, under : float32 HU of one shape.
    where : voxels at which their lungs are compared; where either has hardly any air there, and
        where tissue is solid, nothing is shifted.
    """
    shift = _air_level(under, where) - _air_level(top, where)
    if not np.isfinite(shift):
        return top
    airy = 1.0 - np.clip((top - AERATED_BELOW_HU) / (_SOLID_HU - AERATED_BELOW_HU), 0.0, 1.0)
    shifted = top + np.clip(shift, -_LARGEST_SHIFT_HU, _LARGEST_SHIFT_HU) * airy
    return np.asarray(shifted, dtype=np.float32)


def _air_level(image_hu: Image, where: NDArray[np.bool_]) -> float:
    aerated = image_hu[where & (image_hu < AERATED_BELOW_HU)]
    return float(np.median(aerated)) if aerated.size >= _FEWEST_VOXELS else float("nan")


def synthetic_parenchyma(
    rng: Generator, *, shape_zyx: tuple[int, int, int], level_hu: float, sd_hu: float
) -> Image:
    """Return lung without vessels: correlated noise of the given mean and standard deviation."""
    noise = rng.standard_normal(shape_zyx, dtype=np.float32)
    smooth = ndimage.gaussian_filter(noise, sigma=0.7)
    lung_hu = np.float32(level_hu) + smooth * np.float32(sd_hu / smooth.std())
    return np.asarray(lung_hu, dtype=np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapeDistance:
    """How far every voxel of an array lies from a shape in it.

    Parameters
    ----------
    stored : uint8 [z, y, x], eighths of a millimetre, up to 31 mm; 0 in the shape.
    spacing_zyx_mm : voxel spacing.
    """

    stored: NDArray[np.uint8]
    spacing_zyx_mm: Vector

    @classmethod
    def of(cls, mask: NDArray[np.bool_], spacing_zyx_mm: Vector) -> ShapeDistance:
        """Measure how far voxels lie from the nearest voxel of a mask, centre to centre."""
        distance_mm = ndimage.distance_transform_edt(~mask, sampling=spacing_zyx_mm)
        stored = (distance_mm.clip(max=_FARTHEST_MM) * _PER_MM).astype(np.uint8)
        return cls(stored=stored, spacing_zyx_mm=spacing_zyx_mm)

    @property
    def array_mm(self) -> Image:
        """Float32 mm [z, y, x]."""
        return np.asarray(self.stored, np.float32) * np.float32(1.0 / _PER_MM)

    def at(self, pose: PatchPose) -> Image:
        """Return the distances in a patch; beyond the array they grow with the way out of it."""
        near = pose.cut(self.array_mm, outside=None)
        beyond = -pose.depth_mm(Box.whole(self.stored.shape, self.spacing_zyx_mm))
        return near + np.maximum(beyond, np.float32(0.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """A shape that limits what of a piece is shown.

    Parameters
    ----------
    distance : from the shape.
    center_zyx : the index that lies on the piece's centre.
    rim_mm : how much around the shape is still shown.
    """

    distance: ShapeDistance
    center_zyx: Vector
    rim_mm: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A part of a scan and the place in it that a sample is about.

    Parameters
    ----------
    hu : [z, y, x], any real type.
    spacing_zyx_mm : voxel spacing, also that of the outline.
    center_zyx : index of the place.
    outline : limits what is shown; None shows the whole array.
    """

    hu: NDArray[Any]
    spacing_zyx_mm: Vector
    center_zyx: Vector
    outline: Outline | None = None

    def take(
        self, sample_pose: SamplePose, *, shape_zyx: tuple[int, int, int], voxel_mm: float
    ) -> tuple[Image, Image]:
        """Return HU and the depth, mm, at which each voxel lies inside what is shown."""

        def pose_at(center_zyx: Vector) -> PatchPose:
            return sample_pose.at(
                center_zyx, self.spacing_zyx_mm, shape_zyx=shape_zyx, voxel_mm=voxel_mm
            )

        pose = pose_at(self.center_zyx)
        depth_mm = pose.depth_mm(Box.whole(self.hu.shape, self.spacing_zyx_mm))
        if self.outline is not None:
            gap_mm = self.outline.distance.at(pose_at(self.outline.center_zyx))
            depth_mm = np.minimum(depth_mm, np.float32(self.outline.rim_mm) - gap_mm)
        return pose.cut(self.hu, outside=None), depth_mm
