"""A nodule: where it lies and how large it is, as the images show it.

Everything here is in LPS millimetres, never voxels, so that it survives resampling. Fields say how
precisely they are printed (:mod:`nodule.printed`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from nodule.errors import InputError
from nodule.geometry import Vector, as_vector
from nodule.masks import Texture
from nodule.printed import Digits
from nodule.study import ImageReference

Lung = Literal["right", "left"]
LungZone = Literal["upper", "middle", "lower"]
Size = Annotated[float, Gt(0)]
Point = Annotated[Vector, Digits(3)]
"""LPS mm, printed to a thousandth."""

_FINDING_ID = re.compile("[NR][1-9][0-9]*")
_OF_VOLUME = (
    *("effective_diameter_mm", "volume_ci95_mm3", "volume_error_share"),
    "solid_volume_mm3",
)


def check_positive_size(name: str, value: float) -> None:
    """Refuse what is not a size.

    Raises
    ------
    InputError : ``BAD_SIZE``.
    """
    if not (math.isfinite(value) and value > 0):
        raise InputError(
            f"{name} is not a valid size", code="BAD_SIZE", expected="a positive number", got=value
        )


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Size of a nodule, from its mask on the source grid.

    Parameters
    ----------
    center_lps_mm : the mask's centroid.
    long_axis_mm : greatest diameter on the axial slice where it is greatest.
    short_axis_mm : longest chord perpendicular to it on the same slice.
    long_axis_ends_lps_mm, short_axis_ends_lps_mm : where the two axes begin and end, to draw them.
    volume_mm3 : voxels times voxel volume; None where no volume can be stated, and with it all that
        follows from it.
    effective_diameter_mm : of the sphere with that volume.
    volume_ci95_mm3 : limits that hold the volume in 95 of 100 nodules.
    volume_error_share : half width of the 95 % interval of a second measurement of that volume by
        the same method, as a share of it.
    solid_axes_mm : long and short axis of the solid core of a part-solid nodule, None where it has
        none that can be measured.
    solid_volume_mm3 : of that core.
    texture : what it is made of, as read from the image.
    mean_hu : mean over the mask.
    sphericity : surface of the sphere of equal volume over the mask's own (IBSI QCFX); about 0.9
        for a ball of voxels.

    Raises
    ------
    InputError : ``BAD_SIZE``, or ``UNSTATED_VOLUME`` for limits of a volume that is not stated.
    """

    center_lps_mm: Point
    long_axis_mm: Annotated[float, Gt(0), Digits(2)]
    short_axis_mm: Annotated[float, Gt(0), Digits(2)]
    long_axis_ends_lps_mm: tuple[Point, Point] | None = None
    short_axis_ends_lps_mm: tuple[Point, Point] | None = None
    volume_mm3: Annotated[float, Gt(0), Digits(1)] | None = None
    effective_diameter_mm: Annotated[float, Gt(0), Digits(2)] | None = None
    volume_ci95_mm3: Annotated[tuple[float, float], Digits(1)] | None = None
    volume_error_share: Annotated[float, Ge(0), Le(1), Digits(4)] | None = None
    solid_axes_mm: Annotated[tuple[Size, Size], Digits(2)] | None = None
    solid_volume_mm3: Annotated[float, Gt(0), Digits(1)] | None = None
    texture: Texture | None = None
    mean_hu: Annotated[float, Digits(0)] | None = None
    sphericity: Annotated[float, Gt(0), Le(1), Digits(3)] | None = None

    def __post_init__(self) -> None:
        check_positive_size("long_axis_mm", self.long_axis_mm)
        check_positive_size("short_axis_mm", self.short_axis_mm)
        if self.volume_mm3 is not None:
            check_positive_size("volume_mm3", self.volume_mm3)
            return
        for name in _OF_VOLUME:
            if getattr(self, name) is not None:
                raise InputError(
                    f"{name} is given without a volume", code="UNSTATED_VOLUME", expected="a volume"
                )


@dataclass(frozen=True, kw_only=True)
class Seed:
    """Where a nodule's mask was grown from.

    Parameters
    ----------
    center_lps_mm : a point in the nodule.
    diameter_mm : rough size.
    by_reader : whether a reader chose the point.

    Raises
    ------
    InputError : ``BAD_SIZE``.
    """

    center_lps_mm: Vector
    diameter_mm: float
    by_reader: bool = False

    def __post_init__(self) -> None:
        check_positive_size("diameter_mm", self.diameter_mm)


@dataclass(frozen=True, kw_only=True)
class Nodule:
    """What is known of a nodule from the images, whoever found it.

    Parameters
    ----------
    id : ``N1``, ``N2``, … by falling probability; ``R1``, ``R2``, … what a reader added.
    center_lps_mm : the measured centroid, or the point where it was found where nothing was
        measured.
    image : the one through :attr:`key_point_lps_mm`, named alike wherever the nodule is shown.
    lung : the patient's own side, None outside both lungs.
    lung_zone : third of that lung's height, where no lobes are known.
    pleura_distance_mm : from the lung's surface to the mask's nearest voxel, 0 where they touch.
    measurement : None where no mask could be grown; the report then says so.
    seed : of the mask that was measured.

    Raises
    ------
    InputError : ``BAD_FINDING_ID``.
    """

    id: str
    center_lps_mm: Point
    image: ImageReference
    lung: Lung | None
    lung_zone: LungZone | None = None
    pleura_distance_mm: Annotated[float, Ge(0), Digits(1)] | None = None
    measurement: Measurement | None = None
    seed: Seed | None = None

    def __post_init__(self) -> None:
        if not _FINDING_ID.fullmatch(self.id):
            raise InputError(
                "a finding's name is not valid",
                code="BAD_FINDING_ID",
                expected="N or R and a number from 1",
                got=self.id,
            )

    @property
    def key_point_lps_mm(self) -> Vector:
        """Where to look: the middle of the long axis where it was measured, else the centre."""
        ends = None if self.measurement is None else self.measurement.long_axis_ends_lps_mm
        return self.center_lps_mm if ends is None else middle(ends)


def middle(ends_lps_mm: tuple[Vector, Vector]) -> Vector:
    """Return the point half-way between two."""
    return as_vector(np.mean(ends_lps_mm, axis=0))
