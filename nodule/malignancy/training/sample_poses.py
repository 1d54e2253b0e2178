"""Joining a piece of one scan into another, so that cubes can show more than a crop holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from nodule.geometry import Vector, as_vector
from nodule.malignancy.cubes import UNTURNED, Pose, depth_inside_mm, take_cube
from nodule.malignancy.training.nodule_examples import View

Cube = NDArray[np.float32]

_BEYOND_MM = 31.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """How a sample is taken; the same for all its magnifications.

    Parameters
    ----------
    shift_mm : of the centre, zyx.
    turn : rotation and mirroring, 3x3, zyx.
    scale : by how much things look larger.
    """

    shift_mm: Vector = (0.0, 0.0, 0.0)
    turn: NDArray[np.float64]
    scale: float = 1.0

    def pose(
        self, center_zyx: Vector, spacing_zyx_mm: Vector, *, pitch_mm: float, cube: int
    ) -> Pose:
        """Return the cube of this look at a place."""
        shifted = np.asarray(center_zyx) + np.asarray(self.shift_mm) / np.asarray(spacing_zyx_mm)
        return Pose(
            center_zyx=as_vector(shifted), spacing_zyx_mm=spacing_zyx_mm,
            pitch_mm=pitch_mm / self.scale, cube=cube, turn=self.turn,
        )  # fmt: skip


STRAIGHT = Look(turn=UNTURNED)


def draw_look(rng: Generator) -> Look:
    """Draw a turn about the body's axis, mirrors, at times a tilt, up to 3 mm and 10 % of size."""
    turn = Rotation.from_euler("z", rng.uniform(0.0, 2.0 * np.pi))
    if rng.random() < 0.25:
        turn = Rotation.random(rng=rng)
    elif rng.random() < 0.5:
        turn = Rotation.from_rotvec(rng.normal(0.0, 0.2, 3)) * turn
    # Rotation is xyz; reversing both axes gives zyx
    matrix = turn.as_matrix()[::-1, ::-1] * rng.choice([-1.0, 1.0], 3)
    return Look(
        shift_mm=as_vector(rng.uniform(-3.0, 3.0, 3) * (rng.random() < 0.8)),
        turn=np.ascontiguousarray(matrix),
        scale=float(rng.uniform(0.9, 1.1)),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """A shape that limits what of a piece is shown.

    Parameters
    ----------
    distance_mm : from the shape, [z, y, x].
    center_zyx : the index that lies on the piece's centre.
    rim_mm : how much around the shape is still shown.
    """

    distance_mm: NDArray[np.float32]
    center_zyx: Vector
    rim_mm: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A part of a scan and the place in it that a sample is about.

    Parameters
    ----------
    hu : [z, y, x].
    spacing_zyx_mm : voxel spacing, also that of the outline.
    center_zyx : index of the place.
    outline : limits what is shown; None shows the whole array.
    """

    hu: NDArray[np.float32]
    spacing_zyx_mm: Vector
    center_zyx: Vector
    outline: Outline | None = None

    def take(self, look: Look, *, pitch_mm: float, cube: int) -> tuple[Cube, Cube]:
        """Return HU and the depth, mm, at which each voxel lies inside what is shown."""
        pose = look.pose(self.center_zyx, self.spacing_zyx_mm, pitch_mm=pitch_mm, cube=cube)
        depth_mm = depth_inside_mm(self.hu.shape, pose)
        if self.outline is not None:
            around = look.pose(
                self.outline.center_zyx, self.spacing_zyx_mm, pitch_mm=pitch_mm, cube=cube
            )
            gap_mm = take_cube(self.outline.distance_mm, around, outside=_BEYOND_MM)
            depth_mm = np.minimum(depth_mm, self.outline.rim_mm - gap_mm)
        return take_cube(self.hu, pose, outside=None), depth_mm


def whole_view(view: View) -> Piece:
    """Return all that a view shows, about its nodule's centre."""
    return Piece(hu=view.hu, spacing_zyx_mm=view.spacing_zyx_mm, center_zyx=view.center_zyx)


def synthetic_parenchyma(rng: Generator, *, cube: int, level_hu: float, spread_hu: float) -> Cube:
    """Return lung without vessels: correlated noise of the given mean and standard deviation."""
    noise = rng.standard_normal((cube,) * 3, dtype=np.float32)
    smooth = ndimage.gaussian_filter(noise, sigma=0.7)
    lung_hu = np.float32(level_hu) + smooth * np.float32(spread_hu / smooth.std())
    return np.asarray(lung_hu, dtype=np.float32)
