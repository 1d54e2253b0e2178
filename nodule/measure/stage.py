"""The stage that turns scored candidates into measured findings."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from nodule.findings import Assessment, Candidate, Finding, ScoredCandidate
from nodule.geometry import as_vector
from nodule.masks import NoduleMask
from nodule.measure._joined_lesions import Grown, JoinedLesion, join_lesions
from nodule.measure.calipers import (
    Calipers,
    measure_calipers,
    sphericity,
)
from nodule.measure.place import lung_zone, nearest_lung, pleura_distance_mm
from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.measure.volume_error import volume_ci95_mm3, volume_error_share
from nodule.nodules import Lung, Measurement, Nodule, Seed, middle
from nodule.progress import Progress, silent
from nodule.ranges import Margin, Share
from nodule.sphere import sphere_diameter_mm
from nodule.study import Study
from nodule.volume import LungMask, Volume

_LOG = logging.getLogger(__name__)
_SEED_DIGITS = 3  # mm
_LEAST_CORE_MM = 2.0  # effective diameter; a speck below it may be a vessel's


@dataclass(frozen=True, kw_only=True)
class Measure(GrowthRules):
    """Keep the probable nodules, grow their masks on the source grid and measure them.

    Parameters
    ----------
    probability_threshold : candidates below it are dropped. On the two whole scans of LIDC-IDRI at
        hand 0.45 gave 0 and 1 false findings, 0.4 gave 0 and 3, by networks that had not seen
        them; of 498 crops of nodules inserted into these 0.45 kept 91 %, 0.4 kept 93 %.
    lung_margin_mm : a candidate further than this from both lungs is not a lung nodule.
    edge_fraction, opening_fraction, smoothing_mm, grid_mm : inherited.

    Raises
    ------
    ConfigError : ``BAD_VALUE``.
    """

    name: ClassVar[str] = "measure"
    version: ClassVar[int] = 9

    probability_threshold: Share = 0.45
    lung_margin_mm: Margin = 15.0

    def run(
        self,
        *,
        study: Study,
        lungs: LungMask,
        scored: tuple[ScoredCandidate, ...],
        progress: Progress = silent,
    ) -> tuple[Finding, ...]:
        """Measure the probable nodules of a study.

        Parameters
        ----------
        study : its volume is the source grid.
        lungs : on any grid in the same frame.
        scored : in any order.
        progress : called with the share done.

        Returns
        -------
        Findings by falling probability, ``N1`` first. No two of their masks share a voxel: what
        is one lesion is one finding (:mod:`nodule.measure._joined_lesions`). A nodule that cannot
        be separated from its surroundings has no measurement.
        """
        probable = sorted(
            (s for s in scored if s.probability >= self.probability_threshold),
            key=lambda s: -s.probability,
        )
        sided = list(self._sided(probable, lungs))
        sides = {id(each): side for each, side in sided}
        grown: list[Grown] = []
        for number, (each, _) in enumerate(sided, start=1):
            grown.append((each, self._grow(study.volume, each)))
            progress(number / len(sided))
        progress(1.0)
        lesions = join_lesions(grown, grid=study.volume.geometry)
        return tuple(
            _finding(f"N{number}", each, side=sides[id(each.lead)], study=study, lungs=lungs)
            for number, each in enumerate(lesions, start=1)
        )

    def _sided(
        self, scored: Iterable[ScoredCandidate], lungs: LungMask
    ) -> Iterator[tuple[ScoredCandidate, Lung]]:
        for each in scored:
            side = nearest_lung(lungs, each.candidate.center_lps_mm, margin_mm=self.lung_margin_mm)
            if side is None:
                _LOG.info("a candidate lies more than %g mm from the lungs", self.lung_margin_mm)
            else:
                yield each, side

    def _grow(self, volume: Volume, each: ScoredCandidate) -> NoduleMask | None:
        seed = _seed(each.candidate)
        return segment_nodule(
            volume,
            center_lps_mm=seed.center_lps_mm,
            diameter_mm=seed.diameter_mm,
            rules=self,
        )


def _seed(candidate: Candidate) -> Seed:
    """Return where a candidate's mask is grown from, in digits that a report can state."""
    return Seed(
        center_lps_mm=as_vector(np.round(candidate.center_lps_mm, _SEED_DIGITS)),
        diameter_mm=round(candidate.diameter_mm, _SEED_DIGITS),
    )


def _finding(
    id_: str, lesion: JoinedLesion, *, side: Lung, study: Study, lungs: LungMask
) -> Finding:
    each, mask = lesion.lead, lesion.mask
    measurement = None
    if mask is not None:
        measurement = measure_mask(
            mask, study.volume, slice_thickness_mm=study.series.slice_thickness_mm
        )
    center = each.candidate.center_lps_mm if measurement is None else measurement.center_lps_mm
    ends = None if measurement is None else measurement.long_axis_ends_lps_mm
    return Finding(
        nodule=Nodule(
            id=id_,
            center_lps_mm=center,
            image=study.image_at(center if ends is None else middle(ends)),
            lung=side,
            lung_zone=lung_zone(lungs, side, center),
            pleura_distance_mm=None if mask is None else pleura_distance_mm(lungs, side, mask),
            measurement=measurement,
            seed=None if lesion.grown_from is None else _seed(lesion.grown_from),
        ),
        assessment=Assessment(
            probability=each.probability,
            malignancy=each.malignancy,
            characteristics=each.characteristics,
        ),
        mask=mask,
    )


def measure_mask(
    mask: NoduleMask, volume: Volume, *, slice_thickness_mm: float | None = None
) -> Measurement:
    """Measure a nodule's mask in the volume on whose grid it was grown.

    Parameters
    ----------
    mask : of the nodule, and of its solid core where it has one.
    volume : HU on the source grid.
    slice_thickness_mm : as the scanner states it; where slices overlap it exceeds their spacing.
    """
    calipers = measure_calipers(mask.array_zyx, mask.geometry)
    core = _measure_core(mask, calipers)
    slice_mm = max(volume.geometry.spacing_zyx_mm[0], slice_thickness_mm or 0.0)
    limits_mm3 = volume_ci95_mm3(mask.volume_mm3, slice_mm=slice_mm, cut_off=_at_end(mask, volume))
    measured = Measurement(
        center_lps_mm=mask.center_lps_mm,
        long_axis_mm=calipers.long_axis_mm,
        short_axis_mm=calipers.short_axis_mm,
        long_axis_ends_lps_mm=calipers.long_ends_lps_mm,
        short_axis_ends_lps_mm=calipers.short_ends_lps_mm,
        solid_axes_mm=None if core is None else core[0],
        texture=mask.texture,
        mean_hu=float(volume.array_zyx[mask.box][mask.array_zyx].mean(dtype=np.float64)),
        sphericity=sphericity(mask.array_zyx, mask.geometry),
    )
    if limits_mm3 is None:  # no volume can be stated
        return measured
    return replace(
        measured,
        volume_mm3=mask.volume_mm3,
        effective_diameter_mm=sphere_diameter_mm(mask.volume_mm3),
        volume_ci95_mm3=limits_mm3,
        volume_error_share=volume_error_share(mask.volume_mm3, slice_mm=slice_mm),
        solid_volume_mm3=None if core is None else core[1],
    )


def _measure_core(mask: NoduleMask, whole: Calipers) -> tuple[tuple[float, float], float] | None:
    """Return axes and volume of the solid core, None where there is none or it is a mere speck.

    A core's axis is at most the nodule's: both are read on the slice where each is longest, so
    that a flat nodule's short axis may else be less than its core's.
    """
    if mask.core_zyx is None:
        return None
    volume_mm3 = float(mask.core_zyx.sum()) * mask.geometry.voxel_volume_mm3
    if sphere_diameter_mm(volume_mm3) < _LEAST_CORE_MM:
        return None
    core = measure_calipers(mask.core_zyx, mask.geometry)
    axes_mm = (
        min(core.long_axis_mm, whole.long_axis_mm),
        min(core.short_axis_mm, whole.short_axis_mm),
    )
    return axes_mm, volume_mm3


def _at_end(mask: NoduleMask, volume: Volume) -> bool:
    """Whether a mask holds a voxel of the scan's first or last plane along any axis."""
    ends = zip(mask.start_zyx, mask.shape_zyx, volume.geometry.shape_zyx, strict=True)
    return any(start == 0 or start + size == end for start, size, end in ends)
