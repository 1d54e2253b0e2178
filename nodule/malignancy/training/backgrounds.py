"""Whole scans as a source of what is no nodule, and of lung to fill in with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from nodule.ct import read_ct
from nodule.errors import InputError
from nodule.geometry import Vector, as_vector
from nodule.hu import NETWORK_WINDOW
from nodule.lidc.luna16 import findings_by_series, negatives_by_series
from nodule.lidc.whole_scans import WholeScan
from nodule.lidc.xml import LidcReadings, read_lidc_xml
from nodule.volume import Volume

Place = Literal["parenchyma", "structure", "mistake"]
Marks = Mapping[str, NDArray[np.float64]]
"""Per patient places that a detector marked, LPS mm, (n, 3)."""

_COARSE_MM = 2.0
_AIR_BELOW_HU = -400.0
_PARENCHYMA_BELOW_HU = -780.0
_STRUCTURE_ABOVE_HU = -600.0
_LUNG_ABOVE_MM3 = 200_000.0
_CLOSING_MM = 8.0  # takes in vessels, the hilum and what lies on the wall
_PLACES = 20_000
_NO_MARKS: Marks = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, eq=False)
class Background:
    """A scan without nodules at the places that it offers.

    Parameters
    ----------
    hu : int16 [z, y, x], clipped to the networks' window.
    spacing_zyx_mm : voxel spacing.
    places : indices zyx, float32 [place, 3]: amid aerated lung (``parenchyma``), on vessels,
        walls and whatever else is dense in or beside a lung (``structure``), and, where such are
        known, what was taken for a nodule and is none (``mistake``).
    """

    hu: NDArray[np.int16]
    spacing_zyx_mm: Vector
    places: dict[Place, NDArray[np.float32]]

    @classmethod
    def from_volume(
        cls,
        volume: Volume,
        *,
        nodules_zyx: Sequence[Vector] = (),
        marks_zyx: ArrayLike = (),
        clear_mm: float = 20.0,
    ) -> Background:
        """Find the places of a scan, none within ``clear_mm`` of an index known to be a nodule's.

        Parameters
        ----------
        nodules_zyx, marks_zyx : indices of nodules, and of what a detector marked.

        Raises
        ------
        InputError : ``NO_LUNG`` where a kind of place does not occur.
        """
        steps = [max(1, round(_COARSE_MM / mm)) for mm in volume.geometry.spacing_zyx_mm]
        coarse = volume.array_zyx[tuple(slice(None, None, step) for step in steps)]
        spacing_mm = np.asarray(volume.geometry.spacing_zyx_mm) * steps
        lungs = _lung_field(coarse, spacing_mm)
        chosen: dict[Place, NDArray[np.bool_]] = {
            "parenchyma": lungs & (coarse < _PARENCHYMA_BELOW_HU),
            "structure": lungs & (coarse > _STRUCTURE_ABOVE_HU),
        }
        places: dict[Place, NDArray[np.float32]] = {}

        def clear(index: NDArray[np.float32]) -> NDArray[np.float32]:
            for nodule in nodules_zyx:
                gap_mm = (index - np.asarray(nodule)) * volume.geometry.spacing_zyx_mm
                index = index[np.linalg.norm(gap_mm, axis=1) > clear_mm]
            return index

        for place, where in chosen.items():
            index = (np.argwhere(where) * steps).astype(np.float32)
            index = clear(np.random.default_rng(0).permutation(index)[:_PLACES])
            if not len(index):
                raise InputError(f"a scan has no {place} to learn from", code="NO_LUNG")
            places[place] = index
        mistakes = clear(np.asarray(marks_zyx, np.float32).reshape(-1, 3))
        if len(mistakes):
            places["mistake"] = mistakes
        return cls(
            hu=NETWORK_WINDOW.clip(volume.array_zyx).astype(np.int16),
            spacing_zyx_mm=volume.geometry.spacing_zyx_mm,
            places=places,
        )

    def block(
        self, center_zyx: NDArray[np.floating], *, half_mm: Sequence[float]
    ) -> tuple[NDArray[np.float32], Vector]:
        """Cut a box around a place; return its HU and the place's index within it."""
        center = np.asarray(center_zyx, float)
        half = np.asarray(half_mm) / np.asarray(self.spacing_zyx_mm)
        low = np.clip(np.floor(center - half), 0, None).astype(int)
        high = np.clip(np.ceil(center + half) + 1, None, self.hu.shape).astype(int)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        return self.hu[box].astype(np.float32), as_vector(center - low)


def _lung_field(hu: NDArray[np.float32], spacing_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return lungs with all that is in and on them: good enough to draw places from."""
    air = hu < _AIR_BELOW_HU
    parts, count = ndimage.label(air)
    sides = (parts[:, 0], parts[:, -1], parts[:, :, 0], parts[:, :, -1])
    outside = np.unique(np.concatenate([side.ravel() for side in sides]))
    sizes = np.bincount(parts.ravel(), minlength=count + 1) * float(np.prod(spacing_mm))
    inside = sizes >= _LUNG_ABOVE_MM3
    inside[outside] = False
    inside[0] = False
    lungs = inside[parts]
    # a distance transform closes with a ball in millimetres, whatever the spacing
    grown = ndimage.distance_transform_edt(~lungs, sampling=spacing_mm) <= _CLOSING_MM
    closed: NDArray[np.bool_] = (
        ndimage.distance_transform_edt(grown, sampling=spacing_mm) > _CLOSING_MM
    )
    return np.asarray(closed | lungs, dtype=np.bool_)


def open_background(scan: WholeScan, *, marks: Marks = _NO_MARKS) -> Background:
    """Read a scan; what its readings or LUNA16's tables mark is avoided.

    Parameters
    ----------
    scan : its LUNA16 candidates of class 0, where it has such, are mistakes to learn from.
    marks : so are a detector's marks, if they are on no nodule.

    Raises
    ------
    InputError : as :func:`nodule.ct.read_ct` and :meth:`Background.from_volume`.
    """
    volume, nodules_zyx = _read(scan)
    marked = [
        places[scan.patient] for places in (marks, _negatives(scan)) if scan.patient in places
    ]
    return Background.from_volume(
        volume,
        nodules_zyx=nodules_zyx,
        marks_zyx=volume.geometry.lps_to_index(np.concatenate(marked)) if marked else (),
    )


def _negatives(scan: WholeScan) -> Marks:
    return _NO_MARKS if scan.candidates is None else negatives_by_series(scan.candidates)


def _read(scan: WholeScan) -> tuple[Volume, list[Vector]]:
    """Return a scan and the indices of all that anybody marked as a nodule in it."""
    if scan.readings is None:
        return read_ct(scan.path).volume, []
    if scan.readings.suffix.lower() == ".xml":
        readings = read_lidc_xml(scan.readings)
        volume = read_ct(scan.path, series_uid=readings.series_instance_uid or None).volume
        return volume, _marked_zyx(readings, volume)
    volume = read_ct(scan.path).volume
    return volume, [
        as_vector(volume.geometry.lps_to_index(finding.center_lps_mm))
        for table in (scan.readings, scan.excluded)
        if table is not None
        for finding in findings_by_series(table).get(scan.patient, ())
    ]


def _marked_zyx(readings: LidcReadings, volume: Volume) -> list[Vector]:
    """Return where any reader marked a nodule, one index per outline or point."""
    top_zyx = volume.geometry.lps_to_index((0.0, 0.0, 0.0))
    per_mm = 1.0 / volume.geometry.spacing_zyx_mm[0]
    outlines = [(c.z_mm, *c.edge_rc.mean(axis=0)) for n in readings.nodules for c in n.contours]
    points = [(m.z_mm, m.row, m.column) for m in readings.small_nodules]
    return [
        (float(top_zyx[0] + z_mm * per_mm), float(row), float(column))
        for z_mm, row, column in (*outlines, *points)
    ]
