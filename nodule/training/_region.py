"""Parts of scans that training draws patches from: whole scans, and what a crop shows of one.

Voxels are kept as int16 HU on the source's own grid, so that a training patch is interpolated once.
Points are in the source's *index millimetres*, as in :mod:`nodule.patch_pose`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nodule.geometry import Geometry, Vector, as_vector
from nodule.hu import CANONICAL_RANGE
from nodule.patch_pose import Box
from nodule.training._lung_field import LungField

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from nodule.training._annotated_scan import AnnotatedScan, Annotation

_FOCUS_APART_MM = 4.0
_IGNORED_MARGIN_MM = 8.0  # on the diameter: readers' outlines of what they do not agree on differ


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """A sphere, index mm zyx.

    Parameters
    ----------
    center_mm, diameter_mm : of the sphere.
    rejected : whether readers took it for no nodule.
    """

    center_mm: Vector
    diameter_mm: float
    rejected: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """Real lung in which everything is known but what is listed as ignored.

    Parameters
    ----------
    array_hu : int16 [z, y, x], clipped to the canonical range.
    spacing_zyx_mm : voxel spacing.
    focus_mm : (n, 3) index mm, points around which patches are drawn.
    lesions : the nodules in it.
    ignored : places where nobody knows.
    hard_mm : (n, 3) index mm, further points, which look like a nodule and are none.
    """

    array_hu: NDArray[np.int16]
    spacing_zyx_mm: Vector
    focus_mm: NDArray[np.float64]
    lesions: tuple[Lesion, ...] = ()
    ignored: tuple[Lesion, ...] = ()
    hard_mm: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))

    @classmethod
    def of_scan(
        cls,
        array_hu: NDArray[Any],
        *,
        spacing_zyx_mm: Vector,
        lesions: tuple[Lesion, ...] = (),
        ignored: tuple[Lesion, ...] = (),
        hard_mm: ArrayLike = (),
    ) -> Region:
        """Return a whole scan, HU [z, y, x], whose patches lie about the air of its lungs."""
        stored = CANONICAL_RANGE.clip(array_hu).astype(np.int16)
        lungs = LungField.of(stored, spacing_zyx_mm)
        return cls(
            array_hu=stored,
            spacing_zyx_mm=spacing_zyx_mm,
            focus_mm=lungs.points_mm(lungs.air, apart_mm=_FOCUS_APART_MM),
            lesions=lesions,
            ignored=ignored,
            hard_mm=np.asarray(hard_mm, np.float64).reshape(-1, 3),
        )

    @classmethod
    def of_annotated(cls, annotated: AnnotatedScan) -> Region:
        """Return an annotated scan.

        Nodules that three readers and more outlined are its lesions, as LIDC's readers outline
        what they hold for 3 mm and more, however small the sphere of their consensus is. All else
        that was marked is ignored, and the negatives of LUNA16's tables are hard places.
        """
        geometry = annotated.study.volume.geometry
        sure = [a for a in annotated.annotations if a.agreed and a.measured_mm]
        unsure = [a for a in annotated.annotations if not (a.agreed and a.measured_mm)]
        return cls.of_scan(
            annotated.study.volume.array_zyx,
            spacing_zyx_mm=geometry.spacing_zyx_mm,
            lesions=tuple(_lesion(each, geometry, margin_mm=0.0) for each in sure),
            ignored=tuple(_lesion(e, geometry, margin_mm=_IGNORED_MARGIN_MM) for e in unsure),
            hard_mm=index_mm(geometry, annotated.negatives_lps_mm),
        )

    @property
    def box(self) -> Box:
        """All of it."""
        return Box.whole(self.array_hu.shape, self.spacing_zyx_mm)

    def off_annotations(
        self,
        points_mm: NDArray[np.float64],
        *,
        rejected: bool = True,
        margin_mm: float = 0.0,
        least_mm: float = 0.0,
    ) -> NDArray[np.bool_]:
        """Tell which points lie on nothing that was marked.

        Parameters
        ----------
        points_mm : (n, 3) index mm.
        rejected : whether what readers took for no nodule counts as marked, too.
        margin_mm, least_mm : how far off it a point must lie: from its edge, and from its centre.
        """
        clear = np.ones(len(points_mm), np.bool_)
        for lesion in (*self.lesions, *self.ignored):
            if rejected or not lesion.rejected:
                gap_mm = np.linalg.norm(points_mm - np.asarray(lesion.center_mm), axis=1)
                clear &= gap_mm > max(lesion.diameter_mm / 2 + margin_mm, least_mm)
        return clear


def index_mm(geometry: Geometry, points_lps_mm: ArrayLike) -> NDArray[np.float64]:
    """Return points, shape (..., 3), in a grid's index mm."""
    index = geometry.lps_to_index(points_lps_mm)
    return np.asarray(index * np.asarray(geometry.spacing_zyx_mm), dtype=np.float64)


def _lesion(annotation: Annotation, geometry: Geometry, *, margin_mm: float) -> Lesion:
    """Return an annotation as a sphere; the customary 10 mm of a point need no margin."""
    measured = annotation.measured_mm
    return Lesion(
        center_mm=as_vector(index_mm(geometry, annotation.center_lps_mm)),
        diameter_mm=annotation.diameter_mm if measured is None else measured + margin_mm,
        rejected=annotation.kind == "rejected",
    )
