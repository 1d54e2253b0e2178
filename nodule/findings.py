"""What the stages hand on: candidates, scored candidates, findings.

Everything here is in LPS millimetres, never voxels, so that it survives resampling.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Annotated, Literal

from annotated_types import Ge, Le

from nodule.errors import InputError
from nodule.geometry import Vector
from nodule.masks import NoduleMask
from nodule.nodules import Nodule, check_positive_size
from nodule.printed import Digits

Probability = Annotated[float, Ge(0), Le(1), Digits(4)]
_ROUNDED_SHARES = 1e-3  # by which rounded shares may miss 1


def _check_probability(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise InputError(
            f"{name} is not a probability", code="BAD_PROBABILITY", expected="0 to 1", got=value
        )


def _check_distribution(name: str, shares: tuple[float, ...], *, levels: int = 5) -> None:
    for p in shares:
        _check_probability(name, p)
    if len(shares) != levels or abs(sum(shares) - 1.0) > _ROUNDED_SHARES:
        raise InputError(
            f"{name} is not a distribution over 1 to {levels}",
            code="BAD_DISTRIBUTION",
            expected=f"{levels} numbers with sum 1",
            got=shares,
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
        check_positive_size("diameter_mm", self.diameter_mm)


@dataclass(frozen=True, kw_only=True)
class Malignancy:
    """Radiologist-rated suspicion on LIDC's scale, not pathology.

    Parameters
    ----------
    distribution : probabilities of the ratings 1 (highly unlikely) to 5 (highly suspicious),
        summing to 1.
    ensemble_sd : standard deviation of the mean rating over the networks that were asked; 0 for
        one.
    suspicion : calibrated probability that a panel of radiologists would on average rate it above
        3; None where nothing calibrates it.
    rating : on the scale of the readers' means, 1 to 5; None where nothing calibrates it, and the
        mean of the distribution stands for it. That mean draws towards the middle of the scale, as
        means of what is uncertain do.
    indeterminate : whether the networks abstain, because they disagree or the distribution says
        next to nothing: then it should not be relied on.

    Raises
    ------
    InputError : ``BAD_PROBABILITY``, ``BAD_DISTRIBUTION`` or ``BAD_RATING``.
    """

    distribution: tuple[Probability, Probability, Probability, Probability, Probability]
    ensemble_sd: Annotated[float, Ge(0), Digits(3)] = 0.0
    suspicion: Probability | None = None
    rating: Annotated[float, Digits(3)] | None = None
    indeterminate: bool = False

    def __post_init__(self) -> None:
        _check_distribution("malignancy", self.distribution)
        if self.suspicion is not None:
            _check_probability("suspicion", self.suspicion)
        if self.rating is not None and not 1.0 <= self.rating <= 5.0:
            raise InputError(
                "a rating is outside its scale",
                code="BAD_RATING",
                expected="1 to 5",
                got=self.rating,
            )

    @property
    def score(self) -> float:
        """The rating, between 1 and 5; without a calibrated one the distribution's mean."""
        if self.rating is not None:
            return self.rating
        return sum(rating * p for rating, p in enumerate(self.distribution, start=1))


Ordinal = tuple[Probability, Probability, Probability, Probability, Probability]
"""Shares of the ratings 1 to 5."""
RatedOnAScale = Literal["subtlety", "sphericity", "margin", "lobulation", "spiculation", "texture"]
INTERNAL_STRUCTURES = ("soft tissue", "fluid", "fat", "air")
CALCIFICATIONS = ("popcorn", "laminated", "solid", "non-central", "central", "absent")
_LEVELS = {
    "internal_structure": len(INTERNAL_STRUCTURES),
    "calcification": len(CALCIFICATIONS),
}
_MIDDLE_RATING = 3.0
_CLEARLY = 0.5  # a rating away from the middle of the scale


@dataclass(frozen=True, kw_only=True)
class Characteristics:
    """What the networks expect radiologists to say of a nodule's look, on LIDC-IDRI's scales.

    Each is a distribution over the scale's ratings, the mean over the networks that were asked; it
    is not calibrated. Nothing here is measured, and a reader has to confirm it.

    Parameters
    ----------
    subtlety : 1 extremely subtle to 5 obvious.
    sphericity : 1 linear, 3 ovoid, 5 round.
    margin : 1 poorly defined to 5 sharp.
    lobulation, spiculation : 1 none to 5 marked.
    texture : 1 ground-glass, 3 part-solid, 5 solid.
    internal_structure : shares of :data:`INTERNAL_STRUCTURES`.
    calcification : shares of :data:`CALCIFICATIONS`.

    Raises
    ------
    InputError : ``BAD_PROBABILITY`` or ``BAD_DISTRIBUTION``.
    """

    subtlety: Ordinal
    sphericity: Ordinal
    margin: Ordinal
    lobulation: Ordinal
    spiculation: Ordinal
    texture: Ordinal
    internal_structure: tuple[Probability, Probability, Probability, Probability]
    calcification: tuple[
        Probability, Probability, Probability, Probability, Probability, Probability
    ]

    def __post_init__(self) -> None:
        for each in fields(self):
            levels = _LEVELS.get(each.name, 5)
            _check_distribution(each.name, getattr(self, each.name), levels=levels)

    def mean(self, name: RatedOnAScale) -> float:
        """Return the mean rating, between 1 and 5."""
        shares: Ordinal = getattr(self, name)
        return sum(rating * p for rating, p in enumerate(shares, start=1))

    @property
    def likely_structure(self) -> str:
        """The most probable internal structure."""
        return INTERNAL_STRUCTURES[self.internal_structure.index(max(self.internal_structure))]

    @property
    def likely_calcification(self) -> str:
        """The most probable pattern of calcification."""
        return CALCIFICATIONS[self.calcification.index(max(self.calcification))]

    @property
    def suggests_spiculation(self) -> bool | None:
        """Whether its margin looks spiculated; None near the middle of the scale."""
        away = self.mean("spiculation") - _MIDDLE_RATING
        return None if abs(away) < _CLEARLY else away > 0


@dataclass(frozen=True, kw_only=True)
class ScoredCandidate:
    """A candidate that the malignancy classifier has assessed.

    Parameters
    ----------
    candidate : where, and the detector's own score.
    probability : that it is a nodule, in [0, 1].
    malignancy : how suspicious a radiologist would call it, were it a nodule.
    characteristics : how a radiologist would describe it; None where no network says so.
    """

    candidate: Candidate
    probability: float
    malignancy: Malignancy
    characteristics: Characteristics | None = None

    def __post_init__(self) -> None:
        _check_probability("probability", self.probability)


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What the networks think of a nodule.

    Parameters
    ----------
    probability : that it is a nodule, in [0, 1].
    malignancy : rated suspicion.
    characteristics : its look; None where no network says so.

    Raises
    ------
    InputError : ``BAD_PROBABILITY``.
    """

    probability: Probability
    malignancy: Malignancy
    characteristics: Characteristics | None = None

    def __post_init__(self) -> None:
        _check_probability("probability", self.probability)


@dataclass(frozen=True, kw_only=True)
class AssessedNodule:
    """A nodule and what the networks think of it.

    Parameters
    ----------
    nodule : where it lies and what was measured.
    assessment : None for a nodule that a reader found.
    """

    nodule: Nodule
    assessment: Assessment | None


@dataclass(frozen=True, kw_only=True)
class Finding(AssessedNodule):
    """A nodule as it was found, with its voxels.

    Parameters
    ----------
    mask : the voxels that were measured, None where no mask could be grown.

    Raises
    ------
    InputError : ``MASK_WITHOUT_SIZE`` for a mask without a measurement or the reverse.
    """

    mask: NoduleMask | None

    def __post_init__(self) -> None:
        if (self.mask is None) != (self.nodule.measurement is None):
            raise InputError(
                f"{self.nodule.id} has only one of a mask and a measurement",
                code="MASK_WITHOUT_SIZE",
                expected="both or neither",
            )


def without_mask(finding: Finding) -> AssessedNodule:
    """Return what can be stated of a finding in words and numbers."""
    return AssessedNodule(nodule=finding.nodule, assessment=finding.assessment)


def masks_of(findings: Iterable[Finding]) -> dict[str, NoduleMask]:
    """Return the masks of those findings that have one, by their ids and in their order."""
    return {each.nodule.id: each.mask for each in findings if each.mask is not None}
