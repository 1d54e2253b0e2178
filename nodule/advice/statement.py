"""What a rule set says, in the form in which a report states it."""

from __future__ import annotations

import calendar
import math
from datetime import date

from nodule.guidelines.result import Fact, Figure, Outcome, Result
from nodule.guidelines.words import in_words
from nodule.report.parts import Part

# facts whose value reads better after another name than that of the fact when it is missing
_AS_INPUT = {
    "female": "female",
    "upper_lobe": "upper lobe",
    "smoker": "ever smoked",
    "known_cancer": "known cancer",
    "immunosuppressed": "immunosuppressed",
}


class RulePart(Part):
    """The rule that fired, or the clause that refused, in our own words."""

    id: str
    text: str
    where: str


class NumberPart(Part):
    """A number with its 95 % interval, where one is known; null also stands for endless."""

    name: str
    unit: str
    value: float | None
    low: float | None
    high: float | None


class OfferPart(Part):
    """An answer that only the reader may give."""

    answer: str
    when: str


class AdvicePart(Part):
    """What one rule set says of a finding or of the exam, for a reader to confirm.

    ``subject`` is the finding that decided, ``due`` the earliest and latest day of the next CT,
    counted from the exam's; null where the rules name none or the exam has no date.
    """

    rule_set: str
    version: str
    citation: str
    outcome: Outcome
    rule: RulePart
    answer: str | None
    management: str | None
    due: tuple[date, date] | None
    figures: tuple[NumberPart, ...]
    inputs: dict[str, Fact]
    missing: tuple[str, ...]
    offers: tuple[OfferPart, ...]
    caveats: tuple[str, ...]
    subject: str | None


def advice_part(result: Result, *, exam_date: date | None) -> AdvicePart:
    """State a result; dates count from the exam that is read."""
    due = None
    if exam_date is not None and result.due_months is not None:
        first, last = result.due_months
        due = months_after(exam_date, first), months_after(exam_date, last)
    return AdvicePart(
        rule_set=result.rule_set,
        version=result.version,
        citation=result.citation,
        outcome=result.outcome,
        rule=RulePart(**vars(result.rule)),
        answer=result.answer,
        management=result.management,
        due=due,
        figures=tuple(_number(figure) for figure in result.figures),
        inputs={
            _AS_INPUT.get(name, in_words(name)): _shown(value) for name, value in result.inputs
        },
        missing=tuple(in_words(name) for name in result.missing),
        offers=tuple(OfferPart(**vars(offer)) for offer in result.offers),
        caveats=result.caveats,
        subject=result.subject or None,
    )


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return day.replace(year=year, month=month, day=min(day.day, _last_day(year, month)))


def _last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _shown(value: Fact) -> Fact:
    return round(value, 4) if isinstance(value, float) else value


def _number(figure: Figure) -> NumberPart:
    value, low, high = (
        None if each is None or math.isinf(each) else round(each, 4)
        for each in (figure.value, figure.low, figure.high)
    )
    return NumberPart(name=figure.name, unit=figure.unit, value=value, low=low, high=high)
