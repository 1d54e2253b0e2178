"""The stage that measures how much of the lungs is diseased beyond nodules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray
from scipy import ndimage

from nodule.disease._coarse_chest import CoarseChest
from nodule.disease._dense_areas import CONSOLIDATION, GROUND_GLASS, LEFT_OUT, dense_areas
from nodule.disease._rib_gap import rib_gap
from nodule.findings import Finding
from nodule.lung_disease import DiseasedLung, LungDisease
from nodule.nodules import Lung
from nodule.progress import Progress, silent
from nodule.ranges import check_fields
from nodule.volume import LungMask, Volume

Level = Annotated[float, Interval(ge=-1100, le=100)]

_SIDES: tuple[tuple[Lung, int], ...] = (("right", LungMask.RIGHT), ("left", LungMask.LEFT))
_INSIDE_SHARE = 0.5  # of a finding that lies in diseased lung
_BESIDE = 2  # blocks around diseased lung that belong to it


@dataclass(frozen=True, kw_only=True)
class MeasureDisease:
    """Measure ground glass, consolidation, and what the lungs' masks leave out beside the ribs.

    Parameters
    ----------
    ground_glass_hu, consolidation_hu : levels from which on lung, averaged over some millimetres,
        counts as such. Healthy lung lies near -860 HU; half-way from there to soft tissue is where
        the border of consolidation lies, whatever the blur.
    least_width_mm : diameter of the ball that an area must hold. What is thinner is a vessel, a
        hilum, the lung's edge or lung that lies lowest.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """

    name: ClassVar[str] = "disease"
    version: ClassVar[int] = 1

    ground_glass_hu: Level = -700.0
    consolidation_hu: Level = -400.0
    least_width_mm: Annotated[float, Interval(ge=3, le=100)] = 21.0

    def __post_init__(self) -> None:
        check_fields(self)

    def run(
        self,
        *,
        volume: Volume,
        lungs: LungMask,
        findings: tuple[Finding, ...],
        progress: Progress = silent,
    ) -> LungDisease:
        """Measure a study's lungs.

        Parameters
        ----------
        volume : on the canonical 1 mm grid.
        lungs : on the same grid.
        findings : of the study; those that are dense areas themselves do not count as disease.
        progress : called with the share done.
        """
        chest = CoarseChest.of(volume, lungs)
        labels = dense_areas(
            chest,
            ground_glass_hu=self.ground_glass_hu,
            consolidation_hu=self.consolidation_hu,
            least_width_mm=self.least_width_mm,
            nodules=chest.covered(each.mask for each in findings if each.mask is not None),
        )
        progress(0.6)
        gap = rib_gap(chest)
        labels[gap] = LEFT_OUT
        right, left = (_measured(chest, labels, gap, *side) for side in _SIDES)
        near = _near(labels > 0)
        inside = tuple(e.nodule.id for e in findings if _lies_in(chest, near, e))
        progress(1.0)
        return LungDisease(right=right, left=left, inside=inside)


def _measured(
    chest: CoarseChest, labels: NDArray[np.uint8], gap: NDArray[np.bool_], lung: Lung, label: int
) -> DiseasedLung:
    own = chest.sides == label
    middle = np.argwhere(chest.sides > 0).mean(axis=0)[2] if gap.any() else 0.0
    beside = gap & ((np.arange(gap.shape[2]) < middle) == (label == LungMask.RIGHT))
    glass, dense = (
        float((own & (labels == kind)).sum()) * chest.voxel_ml
        for kind in (GROUND_GLASS, CONSOLIDATION)
    )
    return DiseasedLung(
        lung=lung,
        aerated_ml=float(own.sum()) * chest.voxel_ml - glass - dense,
        ground_glass_ml=glass,
        consolidation_ml=dense,
        left_out_ml=float(beside.sum()) * chest.voxel_ml,
    )


def _near(diseased: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not diseased.any():
        return diseased
    return np.asarray(ndimage.distance_transform_edt(~diseased) <= _BESIDE)


def _lies_in(chest: CoarseChest, near: NDArray[np.bool_], finding: Finding) -> bool:
    """Whether half of a finding, or its place where it has no mask, is diseased lung."""
    if finding.mask is None:
        points = np.asarray([finding.nodule.center_lps_mm])
    else:
        mask = finding.mask
        points = mask.geometry.index_to_lps(np.argwhere(mask.array_zyx))
    places = chest.places(points)
    return bool(len(places)) and bool(near[tuple(places.T)].mean() >= _INSIDE_SHARE)
