"""Lengths and volumes of a mask, in millimetres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import Geometry, Vector, as_vector

_NUDGE_MM = 1e-6  # a chord is read just beside a vertex, where the outline's order is plain

Ends = tuple[Vector, Vector]
Polygon = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Calipers:
    """The two diameters that a reader would draw.

    Parameters
    ----------
    slice_index : index z of the slice on which the long axis is greatest.
    long_axis_mm : greatest distance of two points of the mask's outline there.
    short_axis_mm : longest chord perpendicular to it on that slice, one unbroken segment.
    long_ends_lps_mm, short_ends_lps_mm : where they begin and end.
    """

    slice_index: int
    long_axis_mm: float
    short_axis_mm: float
    long_ends_lps_mm: Ends
    short_ends_lps_mm: Ends


def measure_calipers(mask_zyx: NDArray[np.bool_], geometry: Geometry) -> Calipers:
    """Measure the long axis and the chord across it, on the slice where the long axis is greatest.

    The outline is the 0.5 contour of the mask (marching squares). It runs half-way between the
    centres of inner and outer pixels, so both lengths exceed those of a smooth body by about 0.3
    to 0.5 mm at customary pixel sizes; the effective diameter has no such bias.

    Parameters
    ----------
    mask_zyx : bool, shape ``geometry.shape_zyx``.
    geometry : its grid.

    Raises
    ------
    InputError : ``EMPTY_MASK``.
    """
    slices = np.flatnonzero(mask_zyx.any(axis=(1, 2)))
    if not len(slices):
        raise InputError(
            "a mask has no voxel to measure", code="EMPTY_MASK", expected="at least one voxel"
        )
    spacing_yx_mm = np.asarray(geometry.spacing_zyx_mm[1:])
    outlines = {int(z): _outlines(mask_zyx[z], spacing_yx_mm) for z in slices}
    z, long_ends = max(
        ((z, _longest(polygons)) for z, polygons in outlines.items()),
        key=lambda item: _length(item[1]),
    )
    short_ends = _perpendicular_chord(outlines[z], long_ends)
    return Calipers(
        slice_index=z,
        long_axis_mm=_length(long_ends),
        short_axis_mm=_length(short_ends),
        long_ends_lps_mm=_to_lps(long_ends, z, spacing_yx_mm, geometry),
        short_ends_lps_mm=_to_lps(short_ends, z, spacing_yx_mm, geometry),
    )


def sphericity(mask_zyx: NDArray[np.bool_], geometry: Geometry) -> float:
    """Return the surface of the sphere of equal volume over the mask's own (IBSI QCFX).

    Both are those of the unsmoothed 0.5 mesh (marching cubes), whose steps add surface: a ball
    of voxels has 0.88 to 0.91, not 1.
    """
    from skimage.measure import marching_cubes, mesh_surface_area

    padded = np.pad(mask_zyx, 1).astype(np.float32)
    vertices, faces, _, _ = marching_cubes(padded, 0.5, spacing=geometry.spacing_zyx_mm)  # type: ignore[no-untyped-call]
    a, b, c = np.moveaxis(vertices[faces].astype(np.float64), 1, 0)
    volume_mm3 = abs(float(np.einsum("ij,ij->", a, np.cross(b, c)))) / 6.0
    area_mm2 = float(mesh_surface_area(vertices, faces))  # type: ignore[no-untyped-call]
    return math.cbrt(math.pi) * math.cbrt(6.0 * volume_mm3) ** 2 / area_mm2


def _outlines(mask_yx: NDArray[np.bool_], spacing_yx_mm: NDArray[np.float64]) -> list[Polygon]:
    """Return closed outlines, holes included, as rows (y, x) in mm from pixel (0, 0)."""
    from skimage.measure import find_contours

    padded = np.pad(mask_yx, 1).astype(np.float64)
    return [(contour - 1.0) * spacing_yx_mm for contour in find_contours(padded, 0.5)]  # type: ignore[no-untyped-call]


def _longest(polygons: list[Polygon]) -> Polygon:
    """Return the two ends, rows (y, x), of the longest distance within one outline."""
    return max((_farthest_pair(polygon) for polygon in polygons), key=_length)


def _farthest_pair(polygon: Polygon) -> Polygon:
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import pdist, squareform

    corners = polygon[ConvexHull(polygon).vertices]
    distances = squareform(pdist(corners))
    first, second = np.unravel_index(int(distances.argmax()), distances.shape)
    return np.stack([corners[first], corners[second]])


def _length(ends: Polygon) -> float:
    return float(np.linalg.norm(ends[1] - ends[0]))


def _perpendicular_chord(polygons: list[Polygon], long_ends: Polygon) -> Polygon:
    """Return the ends of the longest chord perpendicular to the long axis.

    Between two neighbouring vertices a chord's length changes linearly, so that the longest one
    starts beside a vertex.
    """
    along = (long_ends[1] - long_ends[0]) / _length(long_ends)
    across = np.array([-along[1], along[0]])
    turned = [np.stack([p @ along, p @ across], axis=1) for p in polygons]
    vertices = np.unique(np.concatenate([t[:, 0] for t in turned]))
    best = np.zeros((2, 2))
    for position in np.concatenate([vertices - _NUDGE_MM, vertices + _NUDGE_MM]):
        crossings = _crossings(turned, float(position))
        if len(crossings) < 2:
            continue
        widths = crossings[1::2] - crossings[::2]
        widest = int(widths.argmax())
        if widths[widest] > _length(best):
            pair = crossings[2 * widest : 2 * widest + 2]
            best = np.stack([position * along + v * across for v in pair])
    return best


def _crossings(turned: list[Polygon], position: float) -> NDArray[np.float64]:
    """Return where outlines meet the line ``u = position``, ascending; they come in pairs."""
    found = []
    for polygon in turned:
        (u0, v0), (u1, v1) = polygon[:-1].T, polygon[1:].T
        met = (u0 < position) != (u1 < position)
        share = (position - u0[met]) / (u1[met] - u0[met])
        found.append(v0[met] + share * (v1[met] - v0[met]))
    return np.sort(np.concatenate(found))


def _to_lps(ends: Polygon, z: int, spacing_yx_mm: NDArray[np.float64], geometry: Geometry) -> Ends:
    index_yx = ends / spacing_yx_mm
    first, second = geometry.index_to_lps(np.insert(index_yx, 0, z, axis=1))
    return as_vector(first), as_vector(second)
