"""Whole scans as a source of what is not a nodule, and of lung to fill in with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodule.errors import InputError
from nodule.geometry import Vector, as_vector
from nodule.lidc import WholeScan
from nodule.training import LungField, Region, index_mm, read_annotated_scan

BackgroundKind = Literal["parenchyma", "structure", "hard negative"]

_PARENCHYMA_BELOW_HU = -780.0
_STRUCTURE_ABOVE_HU = -600.0
_CLEAR_MM = 20.0  # from the middle of what may be a nodule
_CLEAR_OF_EDGE_MM = 5.0
_PLACES = 20_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Background:
    """A scan without nodules at the places that it offers.

    Parameters
    ----------
    hu : int16 [z, y, x], clipped to the canonical range.
    spacing_zyx_mm : voxel spacing.
    places : indices zyx, float32 [place, 3]: within aerated lung (``parenchyma``), on vessels,
        walls and whatever else is dense in or beside a lung (``structure``), and, where such are
        known, what was taken for a nodule and is none (``hard negative``).
    """

    hu: NDArray[np.int16]
    spacing_zyx_mm: Vector
    places: Mapping[BackgroundKind, NDArray[np.float32]]

    @classmethod
    def of(cls, scan: Region, *, detections_mm: ArrayLike = ()) -> Background:
        """Find the places of a whole scan, none near what anybody marked as a nodule.

        Parameters
        ----------
        scan : its hard places are hard negatives.
        detections_mm : so are a detector's, (n, 3) index mm, where they are on no nodule.

        Raises
        ------
        InputError : ``NO_LUNG`` where a kind of place does not occur.
        """
        field = LungField.of(scan.array_hu, scan.spacing_zyx_mm)
        kinds: dict[BackgroundKind, NDArray[np.bool_]] = {
            "parenchyma": field.lungs & (field.hu < _PARENCHYMA_BELOW_HU),
            "structure": field.lungs & (field.hu > _STRUCTURE_ABOVE_HU),
        }
        places: dict[BackgroundKind, NDArray[np.float32]] = {}
        for kind, where in kinds.items():
            points = np.random.default_rng(0).permutation(field.points_mm(where))[:_PLACES]
            places[kind] = _clear_index(scan, points)
            if not len(places[kind]):
                raise InputError(f"a scan has no {kind} to train on", code="NO_LUNG")
        detections = np.asarray(detections_mm, np.float64).reshape(-1, 3)
        hard = _clear_index(scan, np.concatenate([detections, scan.hard_mm]))
        if len(hard):
            places["hard negative"] = hard
        return cls(hu=scan.array_hu, spacing_zyx_mm=scan.spacing_zyx_mm, places=places)

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


def read_background(scan: WholeScan, *, detections_lps_mm: ArrayLike = ()) -> Background:
    """Read a scan; what its readings or LUNA16's tables mark as a nodule is avoided.

    Parameters
    ----------
    scan : its LUNA16 candidates of class 0, where it has such, are hard negatives.
    detections_lps_mm : so are a detector's, (n, 3), if they are on no nodule.

    Raises
    ------
    InputError : as :func:`~nodule.training.read_annotated_scan` and
        :meth:`Background.of`.
    """
    annotated = read_annotated_scan(scan)
    points = np.asarray(detections_lps_mm, np.float64).reshape(-1, 3)
    return Background.of(
        Region.of_annotated(annotated),
        detections_mm=index_mm(annotated.study.volume.geometry, points),
    )


def _clear_index(scan: Region, points_mm: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the indices of the points at which no nodule is in sight."""
    clear = scan.off_annotations(
        points_mm, rejected=False, margin_mm=_CLEAR_OF_EDGE_MM, least_mm=_CLEAR_MM
    )
    index = points_mm[clear] / np.asarray(scan.spacing_zyx_mm)
    return np.asarray(index, dtype=np.float32)
