"""What the rules read: sizes, nodules and the person, as plain numbers in mm and mm³.

Decisions
---------
* **One reading of a length.** A rule with limits reads a length as it is printed: to 0.1 mm, ties
  upwards, in decimal arithmetic. Who recomputes a rule from the page gets the same answer. The mean
  of two axes is taken of the printed axes and rounded once more the same way, so 5.9 x 6.0 is
  6.0 mm. Volumes are read to whole mm³, ties upwards. Logistic models and growth in volume compute
  on the numbers as given.
* **Unknown is never taken for no.** A fact that was not stated is ``None``; a rule that needs it
  says so instead of answering.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NoReturn

from nodule.errors import InputError
from nodule.sphere import sphere_diameter_mm

Composition = Literal["solid", "part-solid", "ground-glass"]
Route = Literal["screening", "incidental"]
Setting = Literal[
    "screening",
    "screening-baseline",
    "screening-annual",
    "screening-interval",
    "incidental",
    "known-cancer",
]
"""Why nodules are looked for; ``screening`` alone leaves the round open, ``known-cancer`` is the
follow-up of a cancer."""
BenignFeature = Literal["calcification", "fat", "perifissural", "juxtapleural", "proven"]

ADULT_YEARS = 18  # Callister 2015; no cohort or trial behind any rule here had children
MASS_ABOVE_MM = 30  # Hansell 2008 (Fleischner glossary): a nodule measures up to 3 cm
_TENTH = Decimal("0.1")
_WHOLE = Decimal(1)


def half_up(value: float | Decimal, unit: Decimal = _TENTH) -> Decimal:
    """Round to a decimal unit, ties away from zero, by the shortest decimal form of a float."""
    number = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return number.quantize(unit, rounding=ROUND_HALF_UP)


def check_positive(name: str, value: float | None) -> None:
    """Refuse what is not a valid size.

    Raises
    ------
    InputError : ``BAD_SIZE``.
    """
    if value is not None and not (math.isfinite(value) and value > 0):
        _refuse_size(name, "a positive number", value)


def _refuse_size(name: str, expected: str, got: object) -> NoReturn:
    raise InputError(f"{name} is not a valid size", code="BAD_SIZE", expected=expected, got=got)


def unstated(facts: object, names: Iterable[str]) -> tuple[str, ...]:
    """Names of the facts that are ``None``, in the order asked for."""
    return tuple(name for name in names if getattr(facts, name) is None)


@dataclass(frozen=True, kw_only=True)
class Size:
    """A nodule's size, or its solid component's, by callipers, by volumetry, or both.

    Parameters
    ----------
    axes_mm : greatest diameter and the one across it, in the plane chosen; their order is free.
        0 for a component of which nothing can be measured.
    volume_mm3 : of the mask; likewise.

    Raises
    ------
    InputError : ``BAD_SIZE`` or ``NO_SIZE``.
    """

    axes_mm: tuple[float, float] | None = None
    volume_mm3: float | None = None

    def __post_init__(self) -> None:
        if self.axes_mm is None and self.volume_mm3 is None:
            raise InputError("a size without numbers", code="NO_SIZE", expected="axes or a volume")
        for axis_mm in self.axes_mm or ():
            if self.axes_mm != (0.0, 0.0):
                check_positive("an axis", axis_mm)
        if self.volume_mm3 != 0.0:
            check_positive("a volume", self.volume_mm3)

    @property
    def measures_nothing(self) -> bool:
        """Whether it is the size of a component that is too small to measure."""
        return not any(self.axes_mm or ()) and not self.volume_mm3

    @property
    def mean_mm(self) -> Decimal | None:
        """Mean of the printed axes, to 0.1 mm."""
        if self.axes_mm is None:
            return None
        return half_up(sum((half_up(axis) for axis in self.axes_mm), Decimal()) / 2)

    @property
    def diameter_mm(self) -> Decimal:
        """Mean of the printed axes, or else the diameter of the sphere: to tell the larger one."""
        diameter_mm = self.mean_mm if self.axes_mm is not None else self.sphere_mm
        return diameter_mm or Decimal()

    @property
    def whole_mean_mm(self) -> Decimal | None:
        """Mean of the printed axes, rounded once, to whole mm."""
        if self.axes_mm is None:
            return None
        return half_up(sum((half_up(axis) for axis in self.axes_mm), Decimal()) / 2, _WHOLE)

    @property
    def longest_mm(self) -> Decimal | None:
        """The longer axis as printed."""
        return None if self.axes_mm is None else half_up(max(self.axes_mm))

    @property
    def shortest_mm(self) -> Decimal | None:
        """The shorter axis as printed."""
        return None if self.axes_mm is None else half_up(min(self.axes_mm))

    @property
    def whole_mm3(self) -> int | None:
        """The volume as printed."""
        return None if self.volume_mm3 is None else int(half_up(self.volume_mm3, _WHOLE))

    @property
    def sphere_mm(self) -> Decimal | None:
        """Diameter of the sphere with the volume, to 0.1 mm."""
        if self.volume_mm3 is None:
            return None
        return half_up(sphere_diameter_mm(self.volume_mm3))


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Size classes: the first lies below the first limit, the last at or above the last.

    Parameters
    ----------
    below_mm, below_mm3 : exclusive upper limits of all classes but the last, ascending.
    """

    below_mm: tuple[int, ...]
    below_mm3: tuple[int, ...]

    def place(self, mm: Decimal | None, mm3: int | None) -> int:
        """Index of the class, by the diameter where there is one, else by the volume.

        Raises
        ------
        InputError : ``NO_SIZE`` where there is neither.
        """
        if mm is not None:
            return bisect_right(self.below_mm, mm)
        if mm3 is not None:
            return bisect_right(self.below_mm3, mm3)
        raise InputError(
            "a nodule without a size cannot be classified",
            code="NO_SIZE",
            expected="a diameter or a volume",
        )

    def words(self, index: int) -> str:
        """Both limits of a class, as ``6 to < 8 mm (113 to < 268 mm³)``."""
        mm, mm3 = _span(self.below_mm, index), _span(self.below_mm3, index)
        return f"{mm} mm ({mm3} mm³)"


def _span(below: tuple[int, ...], index: int) -> str:
    if index == 0:
        return f"< {below[0]}"
    if index == len(below):
        return f"≥ {below[-1]}"
    return f"{below[index - 1]} to < {below[index]}"


@dataclass(frozen=True, kw_only=True)
class NoduleFacts:
    """A nodule on the scan being read.

    Parameters
    ----------
    id : what the report calls it.
    composition : None where it was not judged.
    size : of the whole nodule; None where it could not be measured.
    solid_component : of a part-solid nodule; None where it was not measured, of size 0 where
        nothing of it could be.
    calcified : as dense as calcium. Whether its pattern is a benign one only a reader can see;
        where nobody has stated it, rules offer what would hold.
    benign_feature : what makes it benign by its look: a benign pattern of ``calcification``
        (complete, central, popcorn, concentric rings); ``fat``; the shape of a lymph node (solid,
        smooth, oval, lentiform or triangular) at a fissure (``perifissural``) or at another pleural
        surface (``juxtapleural``); or ``proven`` benign by pathology or work-up.

    Raises
    ------
    InputError : ``BAD_SOLID_COMPONENT`` where there cannot be one or it exceeds the nodule,
        ``BAD_SIZE`` for a nodule of size 0.
    """

    id: str = ""
    composition: Composition | None = None
    size: Size | None = None
    solid_component: Size | None = None
    benign_feature: BenignFeature | None = None
    calcified: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and self.size.measures_nothing:
            _refuse_size("the size of a whole nodule", "more than 0", 0)
        if self.solid_component is None:
            return
        if self.composition != "part-solid":
            self._refuse("a solid component of a part-solid nodule only", self.composition)
        if self.size is not None and _exceeds(self.solid_component, self.size):
            self._refuse("a solid component within the nodule", self.solid_component)

    @property
    def perhaps_benign(self) -> bool:
        """Whether it may be benign by a calcification that nobody has judged."""
        return self.calcified and self.benign_feature is None

    def if_benign(self) -> NoduleFacts:
        """Return it as a reader would state it who sees a benign pattern of calcification."""
        return replace(self, benign_feature="calcification") if self.perhaps_benign else self

    @staticmethod
    def _refuse(expected: str, got: object) -> None:
        raise InputError(
            "the solid component does not fit the nodule",
            code="BAD_SOLID_COMPONENT",
            expected=expected,
            got=got,
        )


def _exceeds(part: Size, whole: Size) -> bool:
    if part.mean_mm is not None and whole.mean_mm is not None and part.mean_mm > whole.mean_mm:
        return True
    return (
        part.whole_mm3 is not None
        and whole.whole_mm3 is not None
        and part.whole_mm3 > whole.whole_mm3
    )


@dataclass(frozen=True, kw_only=True)
class Person:
    """What decides whether a rule set applies. None is unknown.

    Parameters
    ----------
    age_years : completed years at the scan.
    route : the clinical setting.
    known_cancer : a malignancy that is active, under surveillance or able to have spread.
    immunosuppressed : by disease or treatment.

    Raises
    ------
    InputError : ``BAD_AGE``.
    """

    age_years: int | None = None
    route: Route | None = None
    known_cancer: bool | None = None
    immunosuppressed: bool | None = None

    def __post_init__(self) -> None:
        if self.age_years is not None and not 0 <= self.age_years <= 130:
            raise InputError(
                "an age is not valid", code="BAD_AGE", expected="0 to 130 years", got=self.age_years
            )

    def facts(self, *names: str) -> dict[str, object]:
        """Return what a rule reads of the person, by name."""
        return {name: getattr(self, name) for name in names}
