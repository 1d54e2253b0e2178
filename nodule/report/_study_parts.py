"""What a report says of the study: who was scanned, how, and how well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge

from nodule.geometry import Geometry, Vector
from nodule.printed import Digits, as_printed
from nodule.study import PatientHeader, SeriesHeader, Study
from nodule.volume import LungMask

_DIRECTIONS = (("right to left", "left to right"), ("front to back", "back to front"))
_ALONG_BODY = ("foot to head", "head to foot")


@dataclass(frozen=True, kw_only=True)
class ImageGrid:
    """The grid of the images as read.

    Parameters
    ----------
    shape_zyx, spacing_zyx_mm : along the source's index axes.
    slice_direction : where slice numbers rise to, such as ``foot to head``.
    """

    shape_zyx: tuple[int, int, int]
    spacing_zyx_mm: Annotated[Vector, Digits(4)]
    slice_direction: str


@dataclass(frozen=True, kw_only=True)
class LungVolumes:
    """Volumes of the segmented lungs."""

    right_ml: Annotated[float, Ge(0), Digits(0)]
    left_ml: Annotated[float, Ge(0), Digits(0)]


@dataclass(frozen=True, kw_only=True)
class ReportedStudy:
    """What was examined."""

    series: SeriesHeader
    patient: PatientHeader
    grid: ImageGrid
    lungs: LungVolumes

    @property
    def slice_mm(self) -> float:
        """How thick the slices are as stated, or else how far apart they lie."""
        return self.series.slice_thickness_mm or self.grid.spacing_zyx_mm[0]


@dataclass(frozen=True, kw_only=True)
class QualityCheck:
    """Something about the images that limits what can be said of them.

    ``limit`` is what the software was made for; ``kept`` is None where nobody can tell.
    """

    name: str
    value: str
    limit: str
    kept: bool | None


def reported_study(study: Study, lungs: LungMask, patient: PatientHeader) -> ReportedStudy:
    """Return what a report says of a study, its numbers as they are printed."""
    geometry = study.volume.geometry
    right_ml, left_ml = lungs.volume_ml
    return as_printed(
        ReportedStudy(
            series=study.series,
            patient=patient,
            grid=ImageGrid(
                shape_zyx=geometry.shape_zyx,
                spacing_zyx_mm=geometry.spacing_zyx_mm,
                slice_direction=slice_direction(geometry),
            ),
            lungs=LungVolumes(right_ml=right_ml, left_ml=left_ml),
        )
    )


def slice_direction(geometry: Geometry) -> str:
    """Return where slice numbers rise to, by the nearest axis of the body."""
    step = np.asarray(geometry.direction)[:, 0]
    axis = int(np.abs(step).argmax())
    return (*_DIRECTIONS, _ALONG_BODY)[axis][int(step[axis] < 0)]
