"""From slice positions to a voxel grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodule.ct.dicom._headers import ImageHeader
from nodule.geometry import Geometry, as_matrix, as_vector


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack:
    """Slices in order along their normal, which points to the head where that can be said.

    Parameters
    ----------
    images : ascending along the normal.
    row, column, normal : LPS unit vectors along a row (x), along a column (y), across (z).
    positions_lps_mm : shape (n, 3), of each slice's first pixel.
    """

    images: tuple[ImageHeader, ...]
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    normal: NDArray[np.float64]
    positions_lps_mm: NDArray[np.float64]

    @property
    def heights_mm(self) -> NDArray[np.float64]:
        """Positions projected on the normal, shape (n,), ascending."""
        return np.asarray(self.positions_lps_mm @ self.normal, dtype=np.float64)

    @property
    def gaps_mm(self) -> NDArray[np.float64]:
        """Distances of neighbours along the normal, shape (n - 1,)."""
        return np.diff(self.heights_mm)

    @property
    def drift_mm(self) -> NDArray[np.float64]:
        """In-plane displacement against the first slice, along row and column, shape (n, 2)."""
        offset = self.positions_lps_mm - self.positions_lps_mm[0]
        return np.asarray(offset @ np.stack([self.row, self.column], axis=1), dtype=np.float64)

    @property
    def spacing_mm(self) -> float:
        """Mean distance of neighbours; of use only where the gaps are even."""
        return float((self.heights_mm[-1] - self.heights_mm[0]) / (len(self.images) - 1))

    @property
    def deviation_mm(self) -> float:
        """Largest distance between a slice's position and its place on the regular grid."""
        steps = np.arange(len(self.images))[:, None] * self.spacing_mm * self.normal
        offset = self.positions_lps_mm - self.positions_lps_mm[0] - steps
        return float(np.linalg.norm(offset, axis=1).max())

    @property
    def turn_mm(self) -> float:
        """How far the far corner of a slice lies from where its own row and column put it."""
        first = self.images[0]
        width_mm = (first.pixel_format.columns - 1) * (first.column_spacing_mm or 0.0)
        height_mm = (first.pixel_format.rows - 1) * (first.row_spacing_mm or 0.0)
        stated = np.asarray([image.orientation for image in self.images], float).reshape(-1, 2, 3)
        stated /= np.linalg.norm(stated, axis=2, keepdims=True)
        apart = np.linalg.norm(stated - np.stack([self.row, self.column]), axis=2)
        return float((apart @ [width_mm, height_mm]).max())

    @property
    def geometry(self) -> Geometry:
        """The grid that the slices span, if they are regular."""
        first = self.images[0]
        assert first.row_spacing_mm is not None
        assert first.column_spacing_mm is not None
        directions = np.stack([self.normal, self.column, self.row], axis=1)
        return Geometry(
            shape_zyx=(len(self.images), first.pixel_format.rows, first.pixel_format.columns),
            spacing_zyx_mm=(self.spacing_mm, first.row_spacing_mm, first.column_spacing_mm),
            origin_lps_mm=as_vector(self.positions_lps_mm[0]),
            direction=as_matrix(directions),
        )


def stack_images(images: Sequence[ImageHeader]) -> Stack:
    """Order images by their projected position; each must have position and orientation."""
    orientation = np.asarray(images[0].orientation, float)
    row = orientation[:3] / np.linalg.norm(orientation[:3])
    # what rounding left of the row in the column is taken out: the grid must be orthogonal
    column = orientation[3:] - (orientation[3:] @ row) * row
    column /= np.linalg.norm(column)
    normal = np.cross(row, column)
    if normal[np.abs(normal).argmax()] < 0:
        normal = -normal
    positions = np.asarray([image.position_lps_mm for image in images], float)
    order = np.argsort(positions @ normal, kind="stable")
    return Stack(
        images=tuple(images[i] for i in order),
        row=row,
        column=column,
        normal=normal,
        positions_lps_mm=positions[order],
    )
