"""Pictures for the page: planes through a finding, and the chest from the front.

Pictures hold the image alone. What is drawn over it is overlaid by the page in millimetres of the
same plane, so that it can be switched off.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from scipy import ndimage

from nodule.geometry import Geometry, Vector, as_vector
from nodule.hu import AIR_HU, LUNG_WINDOW, HuWindow
from nodule.volume import Volume

Plane = Literal["axial", "coronal", "sagittal"]

# LPS directions of a picture's right and of its bottom, as seen by convention: the patient's
# right on the left, head up, face to the left
PLANES: dict[Plane, tuple[Vector, Vector]] = {
    "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}
# what the left and the top of each plane are called
EDGES: dict[Plane, tuple[str, str]] = {
    "axial": ("R", "A"),
    "coronal": ("R", "H"),
    "sagittal": ("A", "H"),
}
_LEAST_VIEW_MM = 60.0
_VIEW_PER_DIAMETER = 2.5
_PIXELS = 320
_UNSIZED_MM = 8.0  # shown for a finding without a size
_RING_GAP_MM = 2.0


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of a plane.

    Parameters
    ----------
    png : encoded greys, or colours that lie over greys.
    plane : how it lies.
    corner_lps_mm : its upper left corner.
    size_mm : width and height.
    """

    png: bytes
    plane: Plane
    corner_lps_mm: Vector
    size_mm: tuple[float, float]

    @property
    def data_uri(self) -> str:
        """The picture for an ``href``."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"

    def place(self, point_lps_mm: ArrayLike) -> tuple[float, float]:
        """Return where a point's projection lies: mm from the left and from the top."""
        offset = np.asarray(point_lps_mm, float) - np.asarray(self.corner_lps_mm)
        right, down = PLANES[self.plane]
        return round(float(offset @ right), 2), round(float(offset @ down), 2)


def view_mm(diameter_mm: float) -> float:
    """Return the edge of a picture that shows a finding of some size and what surrounds it."""
    return max(_LEAST_VIEW_MM, _VIEW_PER_DIAMETER * diameter_mm)


def ring_radius_mm(long_axis_mm: float | None) -> float:
    """Return the radius of a ring that leaves its finding free."""
    return 0.5 * (long_axis_mm or _UNSIZED_MM) + _RING_GAP_MM


def plane_pictures(
    volume: Volume,
    *,
    center_lps_mm: Vector,
    plane: Plane,
    edge_mm: float,
    windows: Sequence[HuWindow] = (LUNG_WINDOW,),
) -> tuple[Picture, ...]:
    """Cut a square plane out of a volume, cubic between voxels, air outside the scan.

    Returns
    -------
    One picture for each window.
    """
    corner = _corner(center_lps_mm, plane, edge_mm)
    hu = cut_plane(
        volume.array_zyx, volume.geometry, corner_lps_mm=corner, plane=plane, edge_mm=edge_mm,
        order=3, outside=AIR_HU,
    )  # fmt: skip
    return tuple(
        Picture(
            png=png(np.rint(window.normalise(hu) * 255).astype(np.uint8)),
            plane=plane,
            corner_lps_mm=corner,
            size_mm=(edge_mm, edge_mm),
        )
        for window in windows
    )


def cut_plane(
    array_zyx: NDArray[np.floating] | NDArray[np.int16],
    geometry: Geometry,
    *,
    corner_lps_mm: Vector,
    plane: Plane,
    edge_mm: float,
    order: int,
    outside: float,
) -> NDArray[np.float32]:
    """Interpolate a square plane.

    Parameters
    ----------
    array_zyx : any quantity, on the grid ``geometry``.
    corner_lps_mm : upper left corner of the plane.
    order : of the spline between voxels.
    outside : the value beyond the grid.

    Returns
    -------
    float32 [row, column], as many pixels along each as every picture of a finding has.
    """
    right, down = (np.asarray(v) for v in PLANES[plane])
    steps_mm = (np.arange(_PIXELS) + 0.5) * edge_mm / _PIXELS
    points = (
        np.asarray(corner_lps_mm) + steps_mm[None, :, None] * right + steps_mm[:, None, None] * down
    )
    index = np.moveaxis(geometry.lps_to_index(points), -1, 0)
    low = np.floor(index.min(axis=(1, 2))).astype(int) - 3
    high = np.ceil(index.max(axis=(1, 2))).astype(int) + 4
    bounds = np.clip([low, high], 0, geometry.shape_zyx)
    part = array_zyx[tuple(slice(a, b) for a, b in bounds.T)]
    if part.size == 0:
        return np.full((_PIXELS, _PIXELS), outside, np.float32)
    cut: NDArray[np.float32] = ndimage.map_coordinates(
        part.astype(np.float32),
        index - bounds[0][:, None, None],
        order=order,
        mode="grid-constant",
        cval=outside,
    )
    return cut


def _corner(center_lps_mm: Vector, plane: Plane, edge_mm: float) -> Vector:
    right, down = (np.asarray(v) for v in PLANES[plane])
    return as_vector(np.asarray(center_lps_mm) - (right + down) * edge_mm / 2)


def front_picture(volume: Volume) -> Picture:
    """Look through the chest from the front, like a radiograph.

    Parameters
    ----------
    volume : on a grid aligned with LPS.
    """
    geometry = volume.geometry
    # attenuation, and the square root so that the lungs' faint structure shows
    columns = (np.clip(slice_yx - np.float32(AIR_HU), 0.0, 1600.0) for slice_yx in volume.array_zyx)
    depth = np.stack([each.mean(axis=0) for each in columns])[::-1]
    low, high = np.percentile(depth, [2.0, 99.5])
    greys = np.sqrt(np.clip((depth - low) / max(high - low, 1.0), 0.0, 1.0))
    step_z, _, step_x = geometry.spacing_zyx_mm
    top = geometry.index_to_lps((geometry.shape_zyx[0] - 0.5, 0.0, -0.5))
    return Picture(
        png=png(np.rint(greys * 255).astype(np.uint8)),
        plane="coronal",
        corner_lps_mm=as_vector(top),
        size_mm=(geometry.shape_zyx[2] * step_x, geometry.shape_zyx[0] * step_z),
    )


def png(levels: NDArray[np.uint8]) -> bytes:
    """Encode greys [row, column] or colours and opacities [row, column, 4]."""
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()
