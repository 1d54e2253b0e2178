"""Whether the figures of the cards hold for a study, by its images, its lungs and its findings.

The networks' figures were measured on LIDC-IDRI. A study is on home ground where all that is
measured of it lies within what LIDC-IDRI shows. The ranges are those that ``nodule evaluate home``
prints: of the exact volumes about nodules, percentiles 1 and 99; of whole scans, which are few,
their extremes and a fifth beyond. Whole scans with and without contrast medium are among them, so
that it decides nothing and is only stated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from nodule.home_ground._image_measures import ImageMeasures, measure_image
from nodule.lung_disease import LungDisease
from nodule.printed import Digits
from nodule.study import Study
from nodule.volume import LungMask

Limits = tuple[float | None, float | None]

# 803 volumes of 444 patients
_SLICE_MM: Limits = (0.5, 2.6)
_PIXEL_MM: Limits = (0.49, 0.98)
_NOISE_HU: Limits = (5.9, 151.0)
_GRAIN: Limits = (0.37, 1.16)
NOISE_OF_GRAIN = (4.437, 2.441)  # natural logarithms: intercept and slope
_NOISE_EXCESS: Limits = (-0.61, 0.75)
# 6 whole scans
_EDGE_HU_MM: Limits = (386.0, 874.0)
_GRAVITY_HU: Limits = (0.0, 100.0)
_BLOCK_EDGES: Limits = (None, 1.05)
_MOST_FINDINGS: Limits = (None, 20.0)
_HIGHEST_HU: Limits = (1000.0, None)  # bone and its cortex
_CUT_SHARE: Limits = (None, 0.05)


@dataclass(frozen=True, kw_only=True)
class HomeReason:
    """One thing that a study must have in common with those of the figures.

    Parameters
    ----------
    name : what it is.
    value : of this study; None where it could not be measured.
    low, high : limits at home, None where there is none.
    met : whether the value lies within; None where nobody can tell.
    """

    name: str
    value: Annotated[float | None, Digits(3)]
    low: float | None
    high: float | None
    met: bool | None

    @property
    def in_words(self) -> str:
        """Say what it is and what it should be."""
        value = "not measurable" if self.value is None else f"{self.value:.4g}"
        if self.low is None:
            return f"{self.name} {value} (at home up to {self.high:g})"
        if self.high is None:
            return f"{self.name} {value} (at home from {self.low:g})"
        return f"{self.name} {value} (at home {self.low:g} to {self.high:g})"


@dataclass(frozen=True, kw_only=True)
class HomeGround:
    """Whether the networks' figures hold for a study, and why not.

    Parameters
    ----------
    is_home : whether everything that could be compared lies within.
    statement : the same in a sentence, with what does not.
    measures : of the images.
    reasons : all that was compared.
    """

    is_home: bool
    statement: str
    measures: ImageMeasures
    reasons: tuple[HomeReason, ...]

    @property
    def unmet(self) -> tuple[HomeReason, ...]:
        """What lies outside the limits."""
        return tuple(each for each in self.reasons if each.met is False)

    @property
    def distance(self) -> float:
        """How far the study lies from home: 1 at the first limit that it meets, more beyond it."""
        return max((_distance(each) for each in self.reasons), default=0.0)


def state_home_ground(
    study: Study,
    lungs: LungMask,
    *,
    whole: bool,
    finding_count: int | None,
    disease: LungDisease | None,
) -> HomeGround:
    """Compare a study with those of the figures.

    Parameters
    ----------
    study : as read.
    lungs : on any grid in the same frame.
    whole : whether the scan holds the lungs whole, from top to bottom.
    finding_count : how many findings there are; None where nobody searched.
    disease : how much of the lungs is diseased beyond nodules, None where nobody measured it.
    """
    seen = measure_image(study, lungs)
    compared = (
        ("slice thickness (mm)", seen.slice_mm, _SLICE_MM),
        ("pixels (mm)", seen.pixel_mm, _PIXEL_MM),
        ("noise (HU)", seen.noise_hu, _NOISE_HU),
        ("grain, the kernel’s sharpness", seen.grain, _GRAIN),
        ("noise for its kernel (log)", noise_excess(seen), _NOISE_EXCESS),
        ("steepness of the lungs’ edge (HU/mm)", seen.edge_hu_mm, _EDGE_HU_MM),
        ("blocks of lossy compression", seen.block_edges, _BLOCK_EDGES),
        ("highest density (HU)", seen.highest_hu, _HIGHEST_HU),
        ("lungs at the sides of the image (share)", seen.cut_share, _CUT_SHARE),
        ("lungs cut by the ends of the scan", float(not whole), (None, 0.0)),
        ("back of the lungs denser than the front (HU)", seen.gravity_hu, _GRAVITY_HU),
        ("findings", None if finding_count is None else float(finding_count), _MOST_FINDINGS),
        ("diffuse disease", None if disease is None else float(disease.diffuse), (None, 0.0)),
    )
    reasons = tuple(_reason(name, value, *both) for name, value, both in compared)
    unmet = [each.in_words for each in reasons if each.met is False]
    return HomeGround(is_home=not unmet, statement=_sentence(unmet), measures=seen, reasons=reasons)


def _sentence(unmet: Sequence[str]) -> str:
    if not unmet:
        return (
            "The images, as far as can be measured, are like those of LIDC-IDRI on which the "
            "networks’ figures were measured."
        )
    return f"The networks’ figures do not hold for this study: {'; '.join(unmet)}."


def noise_excess(seen: ImageMeasures) -> float | None:
    """Return by how much noise exceeds what goes with its grain at home, natural logarithm."""
    if not seen.noise_hu or not seen.grain:
        return None
    intercept, slope = NOISE_OF_GRAIN
    return math.log(seen.noise_hu) - intercept - slope * math.log(seen.grain)


def _reason(name: str, value: float | None, low: float | None, high: float | None) -> HomeReason:
    met = None
    if value is not None:
        met = (low is None or value >= low) and (high is None or value <= high)
    return HomeReason(name=name, value=value, low=low, high=high, met=met)


def _distance(reason: HomeReason) -> float:
    """Return the distance from the middle of the limits in half widths; one-sided limits are 1.

    What is positive by nature, as noise, is compared by its logarithm.
    """
    value, low, high = reason.value, reason.low, reason.high
    if value is None:
        return 0.0
    if low is None or high is None:
        if reason.met:
            return 0.0
        limit = high if high is not None else low
        return 1.0 + abs(value - (limit or 0.0)) / max(abs(limit or 0.0), 1.0)
    if low > 0 and value > 0:
        value, low, high = (math.log(each) for each in (value, low, high))
    return abs(value - 0.5 * (low + high)) / (0.5 * (high - low))
