"""Readers' outlines as masks, and readings of one nodule brought together.

A mask is the outline's inside without the outlined pixels themselves, which lie outside the
nodule; holes are taken away together with their outlines. Readings belong to one nodule when
their outlines come within a slice thickness of each other (pylidc's rule, Hancock and Magnan
2016). Distances are in mm here; pylidc 0.2.3 measures them in pixels and slices, which groups
4 of the 1018 scans of LIDC-IDRI otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree
from skimage.measure import grid_points_in_poly

from nodule.errors import InputError
from nodule.geometry import Geometry, Vector, as_vector
from nodule.lidc._xml import LidcReadings, NoduleReading, PointMark
from nodule.study import Study

logger = logging.getLogger(__name__)

MAX_READERS = 4
_TOLERANCE_STEP = 0.9
_MIN_TOLERANCE_MM = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class LidcNodule:
    """One nodule and what each reader made of it.

    Parameters
    ----------
    readings : the readings, in the file's order.
    start_zyx : index of the masks' first voxel in the study.
    reader_masks : bool [reading, z, y, x], the box that holds all outlines.
    geometry : the box's grid.
    """

    readings: tuple[NoduleReading, ...]
    start_zyx: tuple[int, int, int]
    reader_masks: NDArray[np.bool_]
    geometry: Geometry

    @property
    def agreement(self) -> int:
        """Number of different readers who marked it, 1 to 4."""
        return len({reading.reader for reading in self.readings})

    def consensus(self, level: float = 0.5) -> NDArray[np.bool_]:
        """Return the box's voxels that at least this share of the readings includes."""
        return np.asarray(self.reader_masks.mean(axis=0) >= level, dtype=np.bool_)

    def volume_mm3(self, level: float = 0.5) -> float:
        """Volume of the consensus."""
        return float(self.consensus(level).sum() * self.geometry.voxel_volume_mm3)

    @cached_property
    def center_lps_mm(self) -> Vector:
        """Centroid of the voxels of half of the readings, of any reading, or of the box."""
        for mask in (self.consensus(), self.reader_masks.any(axis=0)):
            if mask.any():
                return as_vector(self.geometry.index_to_lps(np.argwhere(mask).mean(axis=0)))
        # outlines two pixels wide enclose nothing
        middle = (np.asarray(self.geometry.shape_zyx) - 1) / 2
        return as_vector(self.geometry.index_to_lps(middle))


def nodules_on(
    study: Study, readings: LidcReadings, *, tolerance_mm: float | None = None
) -> tuple[LidcNodule, ...]:
    """Bring the readings onto a study's grid, one entry per nodule, from the feet upwards.

    Parameters
    ----------
    study : the CT that was read, its index axes y and x the rows and columns of its images.
    readings : what was marked on it.
    tolerance_mm : outlines nearer than this are one nodule's; the study's slice thickness
        (or spacing, where the study does not say) if None. It shrinks until no nodule has more
        than four readings.

    Raises
    ------
    InputError : ``WRONG_SERIES``, or ``CONTOUR_OFF_GRID`` for an outline on no slice or beyond
        the image.
    """
    _check_series(study, readings)
    geometry = study.volume.geometry
    tolerance = tolerance_mm or study.series.slice_thickness_mm or geometry.spacing_zyx_mm[0]
    numbers = _slice_numbers(study)
    placed = [_place(study, reading, numbers) for reading in readings.nodules]
    points_mm = [geometry.index_to_lps(np.concatenate([e.index_zyx for e in es])) for es in placed]
    nodules = [
        _nodule(geometry, [readings.nodules[i] for i in group], [placed[i] for i in group])
        for group in _group(points_mm, tolerance)
    ]
    return tuple(sorted(nodules, key=lambda nodule: nodule.center_lps_mm[2]))


def position_lps_mm(study: Study, mark: PointMark) -> Vector:
    """Return where a point mark lies in the patient; errors as :func:`nodules_on`."""
    z = _slice_index(study, mark.sop_instance_uid, mark.z_mm, _slice_numbers(study))
    return as_vector(study.volume.geometry.index_to_lps((z, mark.row, mark.column)))


def contour_mask(edge_rc: NDArray[np.int64], shape_yx: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels inside an outline, without its own pixels, bool [y, x].

    Parameters
    ----------
    edge_rc : rows and columns of the outlined pixels in order, shape (n, 2).
    shape_yx : size of the mask.
    """
    points: Any = grid_points_in_poly
    inside = np.asarray(points(shape_yx, edge_rc, binarize=False) > 0, dtype=np.bool_)
    inside[edge_rc[:, 0], edge_rc[:, 1]] = False
    return inside


@dataclass(frozen=True, kw_only=True, eq=False)
class _Edge:
    """An outline on the study's grid: voxel indices, shape (n, 3) zyx, all on one slice."""

    index_zyx: NDArray[np.int64]
    inclusion: bool


def _check_series(study: Study, readings: LidcReadings) -> None:
    have, read = study.series.series_instance_uid, readings.series_instance_uid
    if have and read and have != read:
        raise InputError(
            "the readings belong to another series", code="WRONG_SERIES", expected=read, got=have
        )


def _group(points_mm: Sequence[NDArray[np.float64]], tolerance_mm: float) -> list[list[int]]:
    """Return the members of each connected group of outlines."""
    if not points_mm:
        return []
    distance = np.zeros((len(points_mm), len(points_mm)))
    trees = [KDTree(points) for points in points_mm]
    for i, tree in enumerate(trees):
        for j in range(i + 1, len(trees)):
            distance[i, j] = distance[j, i] = tree.query(points_mm[j])[0].min()
    while True:
        count, label = connected_components(distance <= tolerance_mm, directed=False)
        if np.bincount(label).max() <= MAX_READERS:
            break
        tolerance_mm *= _TOLERANCE_STEP
        if tolerance_mm < _MIN_TOLERANCE_MM:
            logger.warning("outlines of touching nodules cannot be separated; kept as one")
            break
    return [np.flatnonzero(label == group).tolist() for group in range(count)]


def _slice_numbers(study: Study) -> dict[str, int]:
    return {s.sop_instance_uid: z for z, s in enumerate(study.slices) if s.sop_instance_uid}


def _slice_index(study: Study, sop_uid: str, z_mm: float, numbers: dict[str, int]) -> int:
    if sop_uid in numbers:
        return numbers[sop_uid]
    geometry = study.volume.geometry
    x_mm, y_mm, _ = geometry.origin_lps_mm
    z = round(float(geometry.lps_to_index((x_mm, y_mm, z_mm))[0]))
    if not 0 <= z < geometry.shape_zyx[0]:
        raise InputError("an outline lies on no slice", code="CONTOUR_OFF_GRID", got=f"z {z_mm} mm")
    return z


def _place(study: Study, reading: NoduleReading, numbers: dict[str, int]) -> list[_Edge]:
    shape = study.volume.geometry.shape_zyx
    edges = []
    for contour in reading.contours:
        z = _slice_index(study, contour.sop_instance_uid, contour.z_mm, numbers)
        index = np.insert(contour.edge_rc, 0, z, axis=1)
        if (index < 0).any() or (index >= np.asarray(shape)).any():
            raise InputError(
                "an outline leaves the image",
                code="CONTOUR_OFF_GRID",
                expected=shape,
                got=index.max(axis=0).tolist(),
            )
        edges.append(_Edge(index_zyx=index, inclusion=contour.inclusion))
    # holes after solids, whatever the file's order
    return sorted(edges, key=lambda edge: not edge.inclusion)


def _nodule(
    whole: Geometry, readings: list[NoduleReading], placed: list[list[_Edge]]
) -> LidcNodule:
    index = np.concatenate([edge.index_zyx for edges in placed for edge in edges])
    start, stop = index.min(axis=0), index.max(axis=0) + 1
    depth, height, width = (stop - start).tolist()
    shape = (depth, height, width)
    return LidcNodule(
        readings=tuple(readings),
        start_zyx=(int(start[0]), int(start[1]), int(start[2])),
        reader_masks=np.stack([_mask(edges, start, shape) for edges in placed]),
        geometry=Geometry(
            shape_zyx=shape,
            spacing_zyx_mm=whole.spacing_zyx_mm,
            origin_lps_mm=as_vector(whole.index_to_lps(start)),
            direction=whole.direction,
        ),
    )


def _mask(
    edges: list[_Edge], start: NDArray[np.int64], shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=np.bool_)
    for edge in edges:
        local = edge.index_zyx - start
        inside = contour_mask(local[:, 1:], shape[1:])
        z = int(local[0, 0])
        mask[z] = mask[z] | inside if edge.inclusion else mask[z] & ~inside
        mask[tuple(local.T)] = False
    return mask
