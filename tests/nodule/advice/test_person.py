"""The age of a person, at the days and in the units that decide it."""

import pytest
from pydantic import ValidationError

from nodule.advice._person import age_in_years, known_person
from nodule.advice.context import Context
from nodule.study import PatientHeader


@pytest.mark.parametrize(
    ("stated", "years"),
    [
        ("061Y", 61),
        ("023M", 1),
        ("024M", 2),
        ("104W", 1),  # 728 days
        ("105W", 2),  # 735 days
        ("730D", 1),  # two years have 730.5 days
        ("731D", 2),
        ("61", None),
        ("061X", None),
    ],
)
def test_a_stated_age_counts_in_completed_years(stated: str, years: int | None) -> None:
    assert age_in_years(PatientHeader(age=stated)) == years


@pytest.mark.parametrize(
    ("study_date", "years"),
    [("20260301", 49), ("20260302", 50), ("20260303", 50), ("19760302", 0), ("19760301", None)],
)
def test_a_year_is_completed_on_the_birthday(study_date: str, years: int | None) -> None:
    assert age_in_years(PatientHeader(birth_date="19760302", study_date=study_date)) == years


@pytest.mark.parametrize(
    ("age_years", "allowed"), [(-1, False), (0, True), (130, True), (131, False)]
)
def test_a_person_is_0_to_130_years_old(age_years: int, allowed: bool) -> None:
    if allowed:
        person = known_person(Context(age_years=age_years), PatientHeader()).person
        assert person.age_years == age_years
    else:
        with pytest.raises(ValidationError):
            Context(age_years=age_years)
