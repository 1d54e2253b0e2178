"""Masks of what a reader moved or added, segmented from the point that the reader chose."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from nodule.errors import InputError
from nodule.findings import Finding
from nodule.geometry import Vector
from nodule.masks import NoduleMask
from nodule.measure.place import lung_zone, nearest_lung, pleura_distance_mm
from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.measure.stage import measure_mask
from nodule.nodules import Lung, Measurement, Nodule, Seed, middle
from nodule.report.model import Report
from nodule.study import ImageReference, Study
from nodule.volume import LungMask

_UNSIZED_MM = 8.0  # a usual nodule, where its size is not stated
_RATIO = 2.0  # a mask further from the reader's own size is of something else
_BESIDE_MM = 2.0
_LUNG_MARGIN_MM = 15.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Resegmenter:
    """Measures what readers point at, as the stage measures what the networks propose.

    Parameters
    ----------
    study : its volume is the source grid.
    lungs : on any grid in the same frame.
    rules : how masks are grown.
    """

    study: Study
    lungs: LungMask
    rules: GrowthRules

    def mask(self, place_lps_mm: Vector, *, long_axis_mm: float | None) -> NoduleMask | None:
        """Segment the nodule at a point.

        Parameters
        ----------
        place_lps_mm : a point in the nodule.
        long_axis_mm : the reader's own, where he drew one.

        Returns
        -------
        None where nothing stands out at the point, where what does lies beside it, or where it is
        not half as long as the reader says or more than twice as long.
        """
        seed = _seed(place_lps_mm, long_axis_mm)
        mask = segment_nodule(
            self.study.volume,
            center_lps_mm=seed.center_lps_mm,
            diameter_mm=seed.diameter_mm,
            rules=self.rules,
        )
        if mask is None or _distance_mm(mask, place_lps_mm) > _BESIDE_MM:
            return None
        if long_axis_mm is None:
            return mask
        ratio = measure_mask(mask, self.study.volume).long_axis_mm / long_axis_mm
        return mask if 1 / _RATIO <= ratio <= _RATIO else None

    def finding(
        self, id_: str, place_lps_mm: Vector, *, long_axis_mm: float | None
    ) -> Finding | None:
        """Measure the nodule at a point; None where that cannot be done, or far from both lungs.

        Nobody has assessed it: the networks have not seen it there.
        """
        mask = self.mask(place_lps_mm, long_axis_mm=long_axis_mm)
        side = nearest_lung(self.lungs, place_lps_mm, margin_mm=_LUNG_MARGIN_MM)
        if mask is None or side is None:
            return None
        return self._finding(id_, mask, side, _seed(place_lps_mm, long_axis_mm))

    def _finding(self, id_: str, mask: NoduleMask, side: Lung, seed: Seed) -> Finding:
        measured = measure_mask(
            mask, self.study.volume, slice_thickness_mm=self.study.series.slice_thickness_mm
        )
        return Finding(
            nodule=Nodule(
                id=id_,
                center_lps_mm=measured.center_lps_mm,
                image=self._image(measured),
                lung=side,
                lung_zone=lung_zone(self.lungs, side, measured.center_lps_mm),
                pleura_distance_mm=pleura_distance_mm(self.lungs, side, mask),
                measurement=measured,
                seed=seed,
            ),
            assessment=None,
            mask=mask,
        )

    def _image(self, measured: Measurement) -> ImageReference:
        ends = measured.long_axis_ends_lps_mm
        return self.study.image_at(measured.center_lps_mm if ends is None else middle(ends))


def growth_rules(report: Report) -> GrowthRules:
    """Return how a report's masks were grown, so that new ones are grown alike.

    Raises
    ------
    InputError : ``NO_GROWTH_RULES`` where the report does not say.
    """
    config = report.provenance.config.get("measure", {})
    names = [field.name for field in fields(GrowthRules)]
    missing = [name for name in names if name not in config]
    if missing:
        raise InputError(
            "the report does not say how its masks were grown",
            code="NO_GROWTH_RULES",
            expected=f"{', '.join(missing)} in provenance.config.measure",
            hint="Make the report again with this version.",
        )
    return GrowthRules(**{name: config[name] for name in names})


def _seed(place_lps_mm: Vector, long_axis_mm: float | None) -> Seed:
    return Seed(center_lps_mm=place_lps_mm, diameter_mm=long_axis_mm or _UNSIZED_MM, by_reader=True)


def _distance_mm(mask: NoduleMask, place_lps_mm: Vector) -> float:
    places = mask.geometry.index_to_lps(np.argwhere(mask.array_zyx))
    return float(np.linalg.norm(places - np.asarray(place_lps_mm), axis=1).min())
