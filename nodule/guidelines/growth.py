"""Change of a nodule's volume between two scans, and what its errors leave of it.

``VDT = ln 2 · days / ln(V2 / V1)`` is the time in which the volume doubles at a constant rate.

Decisions
---------
* A change of less than 25 % either way is ``stable`` and gets no growth class: automated volumetry
  repeats itself within about that much. Exactly 25 % is growth. It is judged in decimals on the
  volumes as given, so 80 -> 100 mm³ is growth although binary floats may not say so.
* A nodule that shrank has no doubling time, never a negative one; an equal one never doubles (inf).
* Classes of growing nodules follow BTS 2015: up to 400 days, over 400 to 600, over 600.
* The interval works in logarithms, where an error of a share e is ± ln(1 + e). Two stated errors
  add in quadrature; unless both are stated, the ratio itself carries ± ln 1.25. An interval that
  holds no growth makes the upper end of the doubling time infinite. The class is that of the
  estimate; a caveat says when the interval reaches into another class.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from nodule.errors import InputError
from nodule.guidelines.facts import check_positive
from nodule.guidelines.result import Figure, Result, Rule, RuleSet

GrowthClass = Literal[
    "decreasing",
    "stable",
    "growing, VDT over 600 days",
    "growing, VDT over 400 to 600 days",
    "growing, VDT up to 400 days",
]

GROWTH = RuleSet(
    name="Volume growth",
    version="BTS 2015",
    citation="Callister et al., Thorax 2015;70(Suppl 2):ii1-ii54",
)
SIGNIFICANT_SHARE = Decimal("0.25")  # Callister 2015
REPEATABILITY_SHARE = 0.25  # 95 % limits of automated volumetry, Marchianò 2009
FAST_DAYS, SLOW_DAYS = 400.0, 600.0  # Callister 2015

_WHERE = "growth and volume doubling time"
_TEXTS: dict[GrowthClass, str] = {
    "decreasing": "The volume fell by 25 % or more.",
    "stable": "The volume changed by less than 25 %, which measurement alone may do.",
    "growing, VDT over 600 days": "The volume rose by 25 % or more and doubles in over 600 days.",
    "growing, VDT over 400 to 600 days": (
        "The volume rose by 25 % or more and doubles in over 400 and up to 600 days."
    ),
    "growing, VDT up to 400 days": (
        "The volume rose by 25 % or more and doubles in 400 days or less."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Volumetry:
    """One volume with its error.

    Parameters
    ----------
    volume_mm3 : as measured.
    error_share : half width of its 95 % interval as a share of it, such as 0.15; None if unknown.

    Raises
    ------
    InputError : ``BAD_SIZE`` or ``BAD_ERROR``.
    """

    volume_mm3: float
    error_share: float | None = None

    def __post_init__(self) -> None:
        check_positive("a volume", self.volume_mm3)
        error = self.error_share
        if error is not None and not (math.isfinite(error) and error >= 0):
            raise InputError(
                "the error of a volume is not valid",
                code="BAD_ERROR",
                expected="a share of 0 or more",
                got=error,
            )


def doubling_time_days(before_mm3: float, after_mm3: float, days: float) -> float | None:
    """Volume doubling time; inf for equal volumes, None for a nodule that shrank.

    Raises
    ------
    InputError : ``BAD_SIZE`` or ``BAD_INTERVAL``.
    """
    check_positive("a volume", before_mm3)
    check_positive("a volume", after_mm3)
    _check_days(days)
    return _doubling(math.log(after_mm3 / before_mm3), days)


def classify_growth(before_mm3: float, after_mm3: float, days: float) -> GrowthClass:
    """Class of a change, as the module's docstring decides.

    Raises
    ------
    InputError : ``BAD_SIZE`` or ``BAD_INTERVAL``.
    """
    vdt_days = doubling_time_days(before_mm3, after_mm3, days)
    change = significant_change(before_mm3, after_mm3)
    if change == "stable" or vdt_days is None:
        return "stable" if change == "stable" else "decreasing"
    if vdt_days <= FAST_DAYS:
        return "growing, VDT up to 400 days"
    if vdt_days <= SLOW_DAYS:
        return "growing, VDT over 400 to 600 days"
    return "growing, VDT over 600 days"


def significant_change(
    before_mm3: float, after_mm3: float
) -> Literal["decreasing", "stable", "growing"]:
    """Whether the volume changed by 25 % or more of the earlier one, and which way."""
    before = Decimal(repr(float(before_mm3)))
    change = Decimal(repr(float(after_mm3))) - before
    if abs(change) < SIGNIFICANT_SHARE * before:
        return "stable"
    return "growing" if change > 0 else "decreasing"


def judge_growth(*, before: Volumetry, after: Volumetry, days: float) -> Result:
    """Growth class, volume change and doubling time with 95 % intervals.

    Parameters
    ----------
    before, after : one nodule on two scans.
    days : from the earlier to the later scan.

    Returns
    -------
    Result : figures ``volume change`` (%) and, unless the nodule shrank, ``volume doubling time``.

    Raises
    ------
    InputError : ``BAD_INTERVAL``.
    """
    _check_days(days)
    answer = classify_growth(before.volume_mm3, after.volume_mm3, days)
    log_ratio = math.log(after.volume_mm3 / before.volume_mm3)
    half_width, missing = _half_width(before, after)
    figures = [_change(log_ratio, half_width)]
    vdt_days = _doubling(log_ratio, days)
    if vdt_days is not None:
        fastest = _doubling(log_ratio + half_width, days)
        slowest = _doubling(log_ratio - half_width, days)
        figures.append(
            Figure(
                name="volume doubling time",
                unit="days",
                value=vdt_days,
                low=fastest,
                high=math.inf if slowest is None else slowest,
            )
        )
    return GROWTH.applied(
        Rule(id=answer, text=_TEXTS[answer], where=_WHERE),
        answer,
        figures=tuple(figures),
        inputs={
            "earlier volume (mm³)": before.volume_mm3,
            "later volume (mm³)": after.volume_mm3,
            "interval (days)": days,
            "earlier error (share)": before.error_share,
            "later error (share)": after.error_share,
        },
        missing=missing,
        caveats=_caveats(answer, before, days, log_ratio=log_ratio, half_width=half_width),
    )


def _check_days(days: float) -> None:
    if not (math.isfinite(days) and days > 0):
        raise InputError(
            "the interval between two scans is not valid",
            code="BAD_INTERVAL",
            expected="days above 0",
            got=days,
            hint="Give the earlier scan first.",
        )


def _doubling(log_ratio: float, days: float) -> float | None:
    if log_ratio < 0:
        return None
    return math.inf if log_ratio == 0 else math.log(2) * days / log_ratio


def _half_width(before: Volumetry, after: Volumetry) -> tuple[float, tuple[str, ...]]:
    if before.error_share is None or after.error_share is None:
        return math.log1p(REPEATABILITY_SHARE), ("error of both volumes",)
    return math.hypot(math.log1p(before.error_share), math.log1p(after.error_share)), ()


def _change(log_ratio: float, half_width: float) -> Figure:
    return Figure(
        name="volume change",
        unit="%",
        value=100 * math.expm1(log_ratio),
        low=100 * math.expm1(log_ratio - half_width),
        high=100 * math.expm1(log_ratio + half_width),
    )


def _caveats(
    answer: GrowthClass, before: Volumetry, days: float, *, log_ratio: float, half_width: float
) -> tuple[str, ...]:
    ends = {
        classify_growth(before.volume_mm3, before.volume_mm3 * math.exp(log_ratio + shift), days)
        for shift in (-half_width, half_width)
    }
    caveats = []
    if answer == "stable" and log_ratio > 0:
        caveats.append("The doubling time lies within measurement error: not to be acted on.")
    if ends != {answer}:
        caveats.append(f"The 95 % interval reaches: {', '.join(sorted(ends | {answer}))}.")
    return tuple(caveats)
