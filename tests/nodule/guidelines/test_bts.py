"""BTS 2015: discharge, surveillance, Brock, Herder, growth."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodule.guidelines.bts import assess, follow_up
from nodule.guidelines.facts import NoduleFacts, Person, Size
from nodule.guidelines.growth import Volumetry
from nodule.guidelines.result import Result

ADULT = Person(age_years=60)


def _nodule(
    *,
    longest_mm: float | None = None,
    mm3: float | None = None,
    composition: str = "solid",
    benign_feature: str | None = None,
) -> NoduleFacts:
    axes = None if longest_mm is None else (longest_mm, 0.5 * longest_mm)
    return NoduleFacts(
        composition=composition,  # type: ignore[arg-type]
        size=Size(axes_mm=axes, volume_mm3=mm3),
        benign_feature=benign_feature,  # type: ignore[arg-type]
    )


def _followed(
    nodule: NoduleFacts,
    *,
    before: float,
    after: float,
    days: float,
    method: str = "automated volumetry",
    person: Person = ADULT,
) -> Result:
    return follow_up(
        nodule,
        person=person,
        before=Volumetry(volume_mm3=before),
        after=Volumetry(volume_mm3=after),
        days=days,
        method=method,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("longest_mm", "expected"),
    [
        (4.9, "discharge"),
        (5.0, "CT 1 y"),
        (5.9, "CT 1 y"),
        (6.0, "CT 3 mo"),
        (7.9, "CT 3 mo"),
        (8.0, "CT surveillance"),
    ],
)
def test_diameters_are_the_longest_axis(longest_mm: float, expected: str) -> None:
    result = assess(_nodule(longest_mm=longest_mm), person=ADULT, brock_probability=0.05)
    assert result.answer == expected


@pytest.mark.parametrize(
    ("mm3", "expected"),
    [
        (79, "discharge"),
        (80, "CT 3 mo"),
        (299, "CT 3 mo"),
        (300, "CT surveillance"),
    ],
)
def test_volumes_come_before_diameters(mm3: float, expected: str) -> None:
    nodule = _nodule(mm3=mm3, longest_mm=20.0)
    assert assess(nodule, person=ADULT, brock_probability=0.05).answer == expected


@pytest.mark.parametrize(
    ("brock", "herder", "expected"),
    [
        (0.099, None, "CT surveillance"),
        (0.10, None, "PET-CT, then Herder"),
        (0.10, 0.099, "CT surveillance"),
        (0.10, 0.10, "image-guided biopsy; excision or surveillance by risk and preference"),
        (0.10, 0.70, "image-guided biopsy; excision or surveillance by risk and preference"),
        (0.10, 0.701, "excision or non-surgical treatment"),
    ],
)
def test_large_solid_nodules_go_by_risk(brock: float, herder: float | None, expected: str) -> None:
    result = assess(
        _nodule(mm3=400), person=ADULT, brock_probability=brock, herder_probability=herder
    )
    assert result.answer == expected


def test_brock_is_asked_for_where_it_decides() -> None:
    assert assess(_nodule(mm3=400), person=ADULT).missing == ("brock_probability",)
    assert assess(_nodule(mm3=200), person=ADULT).answer == "CT 3 mo"


@pytest.mark.parametrize(
    ("persists", "brock", "expected"),
    [
        (None, None, "CT 3 mo"),
        (False, None, "discharge"),
        (True, 0.099, "CT 1, 2 and 4 y"),
        (True, 0.10, "discuss surveillance, biopsy or resection"),
        (True, None, None),
    ],
)
def test_subsolid_nodules(persists: bool | None, brock: float | None, expected: str | None) -> None:
    for composition in ("part-solid", "ground-glass"):
        result = assess(
            _nodule(longest_mm=5.0, composition=composition),
            person=ADULT,
            brock_probability=brock,
            persists_at_3_months=persists,
        )
        assert result.answer == expected


@pytest.mark.parametrize(
    ("feature", "longest_mm", "expected"),
    [
        ("calcification", 25, "discharge"),
        ("fat", 25, "discharge"),
        ("perifissural", 9.9, "discharge"),
        ("juxtapleural", 9.9, "discharge"),
        ("perifissural", 10.0, "CT surveillance"),
    ],
)
def test_benign_looks_are_discharged(feature: str, longest_mm: float, expected: str) -> None:
    nodule = _nodule(longest_mm=longest_mm, benign_feature=feature)
    assert assess(nodule, person=ADULT, brock_probability=0.05).answer == expected


def test_refuses_children_and_masses_and_asks_for_the_age() -> None:
    nodule = _nodule(longest_mm=7)
    assert assess(nodule, person=Person(age_years=17)).rule.id == "scope-age"
    assert assess(nodule, person=Person(age_years=18)).answer == "CT 3 mo"
    assert assess(nodule, person=Person()).missing == ("age_years",)
    assert assess(_nodule(longest_mm=30.1), person=ADULT).rule.id == "scope-mass"
    assert assess(_nodule(longest_mm=30.0), person=ADULT).outcome == "insufficient"


def test_asks_for_what_was_not_measured() -> None:
    assert assess(NoduleFacts(id="N1"), person=ADULT).missing == ("composition", "size")


@pytest.mark.parametrize(
    ("after", "days", "method", "expected"),
    [
        (200, 400, "automated volumetry", "work-up"),
        (200, 401, "automated volumetry", "biopsy or surveillance"),
        (200, 600, "diameters", "biopsy or surveillance"),
        (200, 601, "automated volumetry", "discharge or surveillance"),
        (200, 601, "other volumetry", "surveillance"),
        (110, 364, "automated volumetry", "surveillance"),
        (110, 365, "automated volumetry", "discharge"),
        (110, 365, "diameters", "surveillance"),
        (110, 730, "diameters", "discharge"),
        (50, 90, "automated volumetry", "surveillance"),
    ],
)
def test_follow_up_goes_by_growth(after: float, days: float, method: str, expected: str) -> None:
    result = _followed(_nodule(mm3=10 * after), before=100, after=after, days=days, method=method)
    assert result.answer == expected
    assert result.figures


def test_growth_of_subsolid_nodules_is_the_readers() -> None:
    for composition in ("part-solid", "ground-glass"):
        nodule = _nodule(mm3=200, composition=composition)
        assert _followed(nodule, before=100, after=200, days=90).rule.id == "scope-subsolid"


@pytest.mark.parametrize(
    ("feature", "mm3", "before", "expected"),
    [
        (None, 79, 70, "discharge"),  # small, + 13 %
        (None, 79, 60, "work-up"),  # small, + 32 % in 90 days
        ("calcification", 200, 100, "discharge"),
        ("fat", 200, 100, "discharge"),
        ("proven", 200, 100, "discharge"),
        ("perifissural", 200, 190, "discharge"),
        ("perifissural", 200, 100, "work-up"),
        (None, 80, 79, "surveillance"),
    ],
)
def test_what_is_benign_or_small_is_discharged_on_follow_up_too(
    feature: str | None, mm3: float, before: float, expected: str
) -> None:
    nodule = _nodule(mm3=mm3, longest_mm=9.0, benign_feature=feature)
    assert _followed(nodule, before=before, after=mm3, days=90).answer == expected


def test_follow_up_has_the_scope_of_first_sight() -> None:
    solid = _nodule(mm3=200)
    child = _followed(solid, before=100, after=200, days=90, person=Person(age_years=17))
    assert child.rule.id == "scope-age"
    assert dict(child.inputs) == {"age_years": 17}
    unknown = _followed(solid, before=100, after=200, days=90, person=Person())
    assert unknown.missing == ("age_years",)
    mass = _followed(_nodule(longest_mm=30.1, mm3=9000), before=8000, after=9000, days=90)
    assert mass.rule.id == "scope-mass"


def test_names_the_age_and_the_look_that_were_read() -> None:
    first = assess(_nodule(mm3=200), person=ADULT)
    assert dict(first.inputs) == {"composition": "solid", "volume (mm³)": 200, "age_years": 60}
    later = dict(_followed(_nodule(mm3=200), before=100, after=200, days=90).inputs)
    assert (later["age_years"], later["composition"], later["interval (days)"]) == (60, "solid", 90)


def test_the_scans_of_a_persisting_subsolid_nodule_count_from_the_first() -> None:
    result = assess(
        _nodule(mm3=200, composition="ground-glass"),
        person=ADULT,
        brock_probability=0.05,
        persists_at_3_months=True,
    )
    assert result.due_months is None
    assert "The years count from the first scan." in result.caveats


@given(small=st.floats(1, 14000), large=st.floats(1, 14000))
def test_a_larger_solid_nodule_is_never_managed_less(small: float, large: float) -> None:
    order = ["discharge", "CT 3 mo", "PET-CT, then Herder"]
    small, large = sorted((small, large))
    first, second = (
        assess(_nodule(mm3=mm3), person=ADULT, brock_probability=0.2).answer
        for mm3 in (small, large)
    )
    assert order.index(first or "") <= order.index(second or "")


@pytest.mark.parametrize(("mm3", "expected"), [(523, "discharge"), (524, "CT surveillance")])
def test_a_lymph_node_shape_counts_below_524_mm3(mm3: float, expected: str) -> None:
    """The sphere of 10 mm."""
    nodule = _nodule(mm3=mm3, benign_feature="perifissural")
    assert assess(nodule, person=ADULT, brock_probability=0.05).answer == expected


@pytest.mark.parametrize(
    ("longest_mm", "due_months"), [(4.9, None), (5.0, (12, 12)), (6.0, (3, 3)), (7.9, (3, 3))]
)
def test_the_next_ct_is_due_when_the_algorithm_says(
    longest_mm: float, due_months: tuple[int, int] | None
) -> None:
    assert assess(_nodule(longest_mm=longest_mm), person=ADULT).due_months == due_months


@pytest.mark.parametrize(("mm3", "mass"), [(14137, False), (14207, False), (14208, True)])
def test_a_volume_is_a_mass_beyond_the_sphere_of_30_mm(mm3: float, mass: bool) -> None:
    """Read to 0.1 mm: pi / 6 x 30.05^3 is 14 207.97 mm3."""
    result = assess(_nodule(mm3=mm3), person=ADULT, brock_probability=0.05)
    assert (result.rule.id == "scope-mass") == mass


def test_calcium_is_assessed_as_any_solid_nodule_and_discharge_is_offered() -> None:
    dense = replace(_nodule(longest_mm=7.0), calcified=True)
    result = assess(dense, person=ADULT)
    assert result.answer == "CT 3 mo"
    assert [(o.answer, o.suggested) for o in result.offers] == [("discharge", True)]
    small = assess(replace(dense, size=Size(axes_mm=(4.0, 3.0))), person=ADULT)
    assert (small.answer, small.offers) == ("discharge", ())
