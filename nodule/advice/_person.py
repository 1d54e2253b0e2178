"""The person whom the rules ask about: what was stated, what the header says, what is unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nodule.advice.context import Context
from nodule.guidelines.facts import Person, Route, Setting
from nodule.guidelines.lung_rads import ReaderStatement
from nodule.study import PatientHeader, dicom_day

Source = Literal["stated", "DICOM header"]

_YEARS_PER = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_ROUTES: dict[Setting, Route] = {
    "screening": "screening",
    "screening-baseline": "screening",
    "screening-annual": "screening",
    "screening-interval": "screening",
    "incidental": "incidental",
}
_STATED = {
    "setting": "Clinical setting",
    "smoking": "Smoking",
    "risk": "Risk of cancer",
    "known_cancer": "Known cancer",
    "prior_lung_cancer": "Earlier lung cancer",
    "cancer_within_5_years": "Cancer within 5 years",
    "extrathoracic_cancer_over_5_years_ago": "Extrathoracic cancer over 5 years ago",
    "immunosuppressed": "Immunosuppressed",
    "family_history": "Family history of lung cancer",
    "emphysema": "Emphysema on CT",
}


@dataclass(frozen=True, kw_only=True)
class PersonFact:
    """A fact about the person; null where it is not stated."""

    name: str
    value: str | None
    source: Source | None


@dataclass(frozen=True, kw_only=True)
class KnownPerson:
    """Who the rules speak about.

    Parameters
    ----------
    person : for the rule sets' scopes.
    female : None where it is not stated, or neither.
    smoker : now or formerly.
    excluding_cancer : of the last five years, or any of the lung.
    facts : everything that the rules may ask, stated or not, with its source.
    notes : where the statements and the header differ.
    """

    person: Person
    female: bool | None
    smoker: bool | None
    excluding_cancer: bool | None
    facts: tuple[PersonFact, ...]
    notes: tuple[str, ...]


def known_person(context: Context, header: PatientHeader) -> KnownPerson:
    """Put together what is stated and what the header says; the statement wins."""
    header_age = age_in_years(header)
    age_years = header_age if context.age_years is None else context.age_years
    age_source: Source = "DICOM header" if context.age_years is None else "stated"
    header_sex = {"F": "female", "M": "male"}.get((header.sex or "").strip().upper())
    sex = context.sex or header_sex
    return KnownPerson(
        person=Person(
            age_years=age_years,
            route=None if context.setting is None else _ROUTES.get(context.setting),
            known_cancer=True if context.setting == "known-cancer" else context.known_cancer,
            immunosuppressed=context.immunosuppressed,
        ),
        female=None if sex is None else sex == "female",
        smoker=None if context.smoking is None else context.smoking != "never",
        excluding_cancer=_excluding_cancer(context),
        facts=(
            _fact("Age", None if age_years is None else f"{age_years} years", age_source),
            _fact("Sex", sex, "stated" if context.sex else "DICOM header"),
            *_stated(context),
        ),
        notes=tuple(_differences(context, header_age, header_sex)),
    )


def age_in_years(header: PatientHeader) -> int | None:
    """Return completed years at the exam: the age that the header states, or else by its dates."""
    stated = re.fullmatch(r"(\d{1,3})([DWMY])", (header.age or "").strip().upper())
    if stated is not None:
        return int(int(stated[1]) * _YEARS_PER[stated[2]])
    born, examined = dicom_day(header.birth_date), dicom_day(header.study_date)
    if born is None or examined is None or born > examined:
        return None
    birthday_ahead = (examined.month, examined.day) < (born.month, born.day)
    return examined.year - born.year - birthday_ahead


def _excluding_cancer(context: Context) -> bool | None:
    known = (context.known_cancer, context.prior_lung_cancer, context.cancer_within_5_years)
    if any(known):
        return True
    return None if None in known[1:] else False


def _stated(context: Context) -> Iterator[PersonFact]:
    for name, title in _STATED.items():
        value = getattr(context, name)
        yield _fact(title, {True: "yes", False: "no"}.get(value, value), "stated")
    yield _fact("Risk factors", ", ".join(context.risk_factors) or None, "stated")
    yield _fact("Lung-RADS, by the reader", ", ".join(_said(context.reader)) or None, "stated")


def _said(reader: ReaderStatement | None) -> Iterator[str]:
    if reader is None:
        return
    if reader.upgrade_to_4x:
        yield "4X"
    if reader.significant_other_finding:
        yield "S"
    if reader.incomplete is not None:
        yield f"0: {reader.incomplete}"


def _fact(name: str, value: str | None, source: Source) -> PersonFact:
    return PersonFact(name=name, value=value, source=None if value is None else source)


def _differences(context: Context, header_age: int | None, header_sex: str | None) -> Iterator[str]:
    pairs = (("age", context.age_years, header_age), ("sex", context.sex, header_sex))
    for name, stated, header in pairs:
        if None not in (stated, header) and stated != header:
            yield f"The {name} stated differs from the DICOM header’s: check whose scan it is."
