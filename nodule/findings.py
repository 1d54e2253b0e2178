"""What the stages hand on: candidates, scored candidates, findings.

Everything here is in LPS millimetres, never voxels, so that it survives resampling.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nodule.errors import InputError
from nodule.geometry import Vector
from nodule.masks import NoduleMask, Texture

Lung = Literal["right", "left"]
LungZone = Literal["upper", "middle", "lower"]


def _check_probability(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise InputError(
            f"{name} is no probability", code="BAD_PROBABILITY", expected="0 to 1", got=value
        )


def _check_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InputError(
            f"{name} is no size", code="BAD_SIZE", expected="a positive number", got=value
        )


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A place that may be a nodule.

    Parameters
    ----------
    center_lps_mm : LPS position.
    score : the detector's confidence in [0, 1].
    diameter_mm : its estimate of the size.

    Raises
    ------
    InputError : ``BAD_PROBABILITY`` or ``BAD_SIZE``.
    """

    center_lps_mm: Vector
    score: float
    diameter_mm: float

    def __post_init__(self) -> None:
        _check_probability("score", self.score)
        _check_positive("diameter_mm", self.diameter_mm)


@dataclass(frozen=True, kw_only=True)
class Malignancy:
    """Radiologist-rated suspicion on LIDC's scale, not pathology.

    Parameters
    ----------
    distribution : probabilities of the ratings 1 (highly unlikely) to 5 (highly suspicious),
        summing to 1.
    spread : standard deviation of the mean rating over the networks that were asked; 0 for one.
    suspicion : calibrated probability that a panel of radiologists would on average rate it above
        3; None where nothing calibrates it.
    indeterminate : whether the networks abstain, because they disagree or the distribution says
        next to nothing.

    Raises
    ------
    InputError : ``BAD_PROBABILITY`` or ``BAD_DISTRIBUTION``.
    """

    distribution: tuple[float, float, float, float, float]
    spread: float = 0.0
    suspicion: float | None = None
    indeterminate: bool = False

    def __post_init__(self) -> None:
        for p in self.distribution:
            _check_probability("malignancy", p)
        if self.suspicion is not None:
            _check_probability("suspicion", self.suspicion)
        if len(self.distribution) != 5 or abs(sum(self.distribution) - 1.0) > 1e-3:
            raise InputError(
                "malignancy is no distribution over 1 to 5",
                code="BAD_DISTRIBUTION",
                expected="five numbers with sum 1",
                got=self.distribution,
            )

    @property
    def score(self) -> float:
        """The mean rating, between 1 and 5."""
        return sum(rating * p for rating, p in enumerate(self.distribution, start=1))


@dataclass(frozen=True, kw_only=True)
class ScoredCandidate:
    """A candidate that the second network has judged.

    Parameters
    ----------
    candidate : where, and the detector's own score.
    probability : that it is a nodule, in [0, 1].
    malignancy : how suspicious a radiologist would call it, were it a nodule.
    """

    candidate: Candidate
    probability: float
    malignancy: Malignancy

    def __post_init__(self) -> None:
        _check_probability("probability", self.probability)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Size of a nodule, from its mask on the source grid.

    Parameters
    ----------
    center_lps_mm : the mask's centroid.
    long_axis_mm : greatest diameter on the axial slice where it is greatest.
    short_axis_mm : longest chord perpendicular to it on the same slice.
    effective_diameter_mm : of the sphere with the mask's volume.
    volume_mm3 : voxels times voxel volume.
    long_axis_ends_lps_mm, short_axis_ends_lps_mm : where the two axes begin and end, to draw them.
    volume_limits_mm3 : limits that hold the volume in 95 of 100 measurements, from size and slice
        thickness; None where no volume can be stated.
    solid_axes_mm : long and short axis of the solid core of a part-solid nodule, None where it has
        none that can be measured.
    solid_volume_mm3 : of that core.
    texture : what it is made of.
    mean_hu : mean over the mask.
    sphericity : surface of the sphere of equal volume over the mask's own (IBSI QCFX); about 0.9
        for a ball of voxels.

    Raises
    ------
    InputError : ``BAD_SIZE``.
    """

    center_lps_mm: Vector
    long_axis_mm: float
    short_axis_mm: float
    effective_diameter_mm: float
    volume_mm3: float
    long_axis_ends_lps_mm: tuple[Vector, Vector] | None = None
    short_axis_ends_lps_mm: tuple[Vector, Vector] | None = None
    volume_limits_mm3: tuple[float, float] | None = None
    solid_axes_mm: tuple[float, float] | None = None
    solid_volume_mm3: float | None = None
    texture: Texture | None = None
    mean_hu: float | None = None
    sphericity: float | None = None

    def __post_init__(self) -> None:
        for name in ("long_axis_mm", "short_axis_mm", "effective_diameter_mm", "volume_mm3"):
            _check_positive(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Seed:
    """Where a nodule's mask was grown from; from it the same mask grows again.

    Parameters
    ----------
    center_lps_mm : a point in the nodule.
    diameter_mm : rough size.
    by_reader : whether a reader chose the point.

    Raises
    ------
    InputError : ``BAD_SIZE``.
    """

    center_lps_mm: Vector
    diameter_mm: float
    by_reader: bool = False

    def __post_init__(self) -> None:
        _check_positive("diameter_mm", self.diameter_mm)


@dataclass(frozen=True, kw_only=True)
class Nodule:
    """What is known of a nodule from the images, whoever found it.

    Parameters
    ----------
    id : ``N1``, ``N2``, … by falling probability; ``R1``, ``R2``, … what a reader added.
    center_lps_mm : the measured centroid, or the point where it was found where nothing was
        measured.
    lung : the patient's own side, None outside both lungs.
    lung_zone : third of that lung's height, where no lobes are known.
    pleura_distance_mm : from the lung's surface to the mask's nearest voxel, 0 where they touch.
    measurement : None where no mask could be grown; the report then says so.
    seed : of the mask that was measured.
    """

    id: str
    center_lps_mm: Vector
    lung: Lung | None
    lung_zone: LungZone | None = None
    pleura_distance_mm: float | None = None
    measurement: Measurement | None = None
    seed: Seed | None = None


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What the networks think of a nodule.

    Parameters
    ----------
    probability : that it is a nodule, in [0, 1].
    malignancy : rated suspicion.

    Raises
    ------
    InputError : ``BAD_PROBABILITY``.
    """

    probability: float
    malignancy: Malignancy

    def __post_init__(self) -> None:
        _check_probability("probability", self.probability)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A nodule as it was found.

    Parameters
    ----------
    nodule : where it lies and what was measured.
    assessment : by the networks; None for a nodule that a reader found.
    mask : the voxels that were measured, None where no mask could be grown.

    Raises
    ------
    InputError : ``MASK_WITHOUT_SIZE`` for a mask without a measurement or the reverse.
    """

    nodule: Nodule
    assessment: Assessment | None
    mask: NoduleMask | None

    def __post_init__(self) -> None:
        if (self.mask is None) != (self.nodule.measurement is None):
            raise InputError(
                f"{self.nodule.id} has a mask or a measurement, but not both",
                code="MASK_WITHOUT_SIZE",
                expected="both or neither",
            )


def masks_of(findings: Iterable[Finding]) -> dict[str, NoduleMask]:
    """Return the masks of those findings that have one, by their ids and in their order."""
    return {each.nodule.id: each.mask for each in findings if each.mask is not None}
