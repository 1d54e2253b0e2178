"""Parts of scans that training draws patches from: whole scans, and what a crop shows of one.

Voxels are kept as int16 HU on the source's own grid, so that a training patch is interpolated once.
Points are in the source's *index millimetres*: voxel index times spacing, axes zyx. Where the
source lies in the patient does not matter to training.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from nodule.geometry import Vector
from nodule.hu import NETWORK_WINDOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CERTAIN_READERS = 3
"""Readers who must agree before a nodule is a positive; LUNA16's rule. Fewer: not known."""

_LUNG_STEP_MM = 4.0
_LUNG_HU = -500.0
_SMALLEST_LUNG_SHARE = 0.05  # of the largest air space


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """A sphere in index mm zyx."""

    center_mm: Vector
    diameter_mm: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Box:
    """What a region shows, or a part of that: from ``low_mm`` to ``high_mm``, index mm zyx."""

    low_mm: NDArray[np.float64]
    high_mm: NDArray[np.float64]

    @classmethod
    def whole(cls, shape_zyx: Sequence[int], spacing_zyx_mm: Vector) -> Box:
        """Return all of a grid; slices and pixels are as thick as they are apart."""
        spacing = np.asarray(spacing_zyx_mm)
        return cls(low_mm=-spacing / 2, high_mm=(np.asarray(shape_zyx) - 0.5) * spacing)

    def depth_mm(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far points [..., zyx] lie inside, along each axis, negative outside."""
        return np.minimum(points_mm - self.low_mm, self.high_mm - points_mm)


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """Real lung in which everything is known but what is listed as ignored.

    Parameters
    ----------
    array_hu : int16 [z, y, x].
    spacing_zyx_mm : voxel spacing.
    focus_mm : (n, 3) index mm, points around which patches are drawn.
    lesions : the nodules in it.
    ignored : places where nobody knows.
    hard_mm : (n, 3) index mm, further points, at which a network was wrong.
    """

    array_hu: NDArray[np.int16]
    spacing_zyx_mm: Vector
    focus_mm: NDArray[np.float64]
    lesions: tuple[Lesion, ...] = ()
    ignored: tuple[Lesion, ...] = ()
    hard_mm: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))

    @property
    def box(self) -> Box:
        """All of it."""
        return Box.whole(self.array_hu.shape, self.spacing_zyx_mm)


def scan_region(
    array_hu: NDArray[np.float32],
    *,
    spacing_zyx_mm: Vector,
    lesions: tuple[Lesion, ...] = (),
    ignored: tuple[Lesion, ...] = (),
) -> Region:
    """Return a whole scan, HU [z, y, x], as a region whose patches lie about its lungs."""
    stored = NETWORK_WINDOW.clip(array_hu).astype(np.int16)
    return Region(
        array_hu=stored,
        spacing_zyx_mm=spacing_zyx_mm,
        focus_mm=lung_points(stored, spacing_zyx_mm=spacing_zyx_mm),
        lesions=lesions,
        ignored=ignored,
    )


def lung_points(array_hu: NDArray[np.int16], *, spacing_zyx_mm: Vector) -> NDArray[np.float64]:
    """Return points about 4 mm apart in the air inside the body, (n, 3) index mm zyx.

    Rough on purpose: it only says where patches are worth drawing.
    """
    steps = [max(1, round(_LUNG_STEP_MM / s)) for s in spacing_zyx_mm]
    coarse = array_hu[:: steps[0], :: steps[1], :: steps[2]]
    spaces, count = ndimage.label(coarse < _LUNG_HU)
    sizes = np.bincount(spaces.ravel(), minlength=count + 1)
    sizes[0] = 0
    rim = np.concatenate([spaces[:, [0, -1]].ravel(), spaces[:, :, [0, -1]].ravel()])
    sizes[np.unique(rim)] = 0
    inside = sizes > _SMALLEST_LUNG_SHARE * sizes.max()
    inside[0] = False
    index = np.argwhere(inside[spaces]) * np.asarray(steps)
    return np.asarray(index * np.asarray(spacing_zyx_mm), dtype=np.float64)
