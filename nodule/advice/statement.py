"""What a rule set says, in the form in which a report states it."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, replace
from datetime import date

from nodule.guidelines.result import Result
from nodule.guidelines.words import in_words
from nodule.printed import as_printed

# facts whose value reads better after another name than that of the fact when it is missing
_AS_INPUT = {
    "female": "female",
    "upper_lobe": "upper lobe",
    "smoker": "ever smoked",
    "known_cancer": "known cancer",
    "immunosuppressed": "immunosuppressed",
}


@dataclass(frozen=True, kw_only=True)
class Advice(Result):
    """What one rule set says of a finding or of the exam, for a reader to confirm.

    Numbers are as they are printed, facts are named as a reader would name them.

    Parameters
    ----------
    due : the earliest and latest day of the next CT, counted from the exam's; None where the rules
        name none or the exam has no date.
    """

    due: tuple[date, date] | None = None


def advise(result: Result, *, exam_date: date | None) -> Advice:
    """State a result; dates count from the exam that is read."""
    due = None
    if exam_date is not None and result.due_months is not None:
        first, last = result.due_months
        due = months_after(exam_date, first), months_after(exam_date, last)
    printed = as_printed(result)
    inputs = {_AS_INPUT.get(name, in_words(name)): fact for name, fact in printed.inputs.items()}
    stated = replace(
        printed,
        inputs=inputs,
        missing=tuple(in_words(name) for name in printed.missing),
        subject=printed.subject or None,
    )
    return Advice(**vars(stated), due=due)


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return day.replace(year=year, month=month, day=min(day.day, _last_day(year, month)))


def _last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
