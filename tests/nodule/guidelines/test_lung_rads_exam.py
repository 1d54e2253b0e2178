"""A screening exam: what decides it, when it is refused, what only the reader may do."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodule.errors import InputError
from nodule.guidelines.facts import NoduleFacts, Person, Size
from nodule.guidelines.lung_rads import (
    AirwayNodule,
    ReaderStatement,
    ScreenedNodule,
    classify_exam,
)

SCREENED = Person(age_years=60, route="screening")
DIAMETERS = st.floats(1.0, 60.0)


def _mm(diameter_mm: float) -> Size:
    return Size(axes_mm=(diameter_mm, diameter_mm))


def _nodule(composition: str, size: Size, course: str) -> ScreenedNodule:
    nodule = NoduleFacts(composition=composition, size=size)  # type: ignore[arg-type]
    return ScreenedNodule(nodule=nodule, temporal_status=course)  # type: ignore[arg-type]


def test_the_most_suspicious_lesion_decides_the_exam() -> None:
    lesions = [
        ScreenedNodule(
            nodule=NoduleFacts(id=i, composition="solid", size=_mm(mm)), temporal_status="baseline"
        )
        for i, mm in (("N1", 5.0), ("N2", 9.0), ("N3", 7.0))
    ]
    result = classify_exam(lesions, person=SCREENED)
    assert (result.answer, result.subject) == ("4A", "N2")
    assert dict(result.inputs)["lesions"] == 3


def test_the_largest_of_several_lesions_of_the_highest_category_decides() -> None:
    """ACR: solid at baseline from 15 mm on is 4B; a mass of 47 mm is more suspicious than 25.7."""
    sizes = [
        ("N1", _mm(7.0)),
        ("N7", _mm(25.7)),
        ("N9", Size(volume_mm3=4 / 3 * math.pi * 23**3)),  # a sphere of 46 mm
        ("N11", _mm(47.0)),
        ("N12", _mm(30.0)),
    ]
    for order in (sizes, sizes[::-1]):
        lesions = [
            ScreenedNodule(
                nodule=NoduleFacts(id=i, composition="solid", size=size), temporal_status="baseline"
            )
            for i, size in order
        ]
        result = classify_exam(lesions, person=SCREENED)
        assert (result.answer, result.subject) == ("4B", "N11")
        without = classify_exam(
            [each for each in lesions if each.nodule.id != "N11"], person=SCREENED
        )
        assert (without.answer, without.subject) == ("4B", "N9")


def test_a_lesion_without_a_size_comes_after_one_that_has_it() -> None:
    airway = AirwayNodule(id="N1", level="proximal", temporal_status="baseline")
    nodule = ScreenedNodule(
        nodule=NoduleFacts(id="N2", composition="solid", size=_mm(9)), temporal_status="baseline"
    )
    for lesions in ([airway, nodule], [nodule, airway]):
        result = classify_exam(lesions, person=SCREENED)
        assert (result.answer, result.subject) == ("4A", "N2")


def test_an_exam_without_nodules_is_1() -> None:
    assert classify_exam([], person=SCREENED).answer == "1"


def test_a_lesion_without_facts_withholds_the_exam_unless_another_is_4b() -> None:
    unknown = ScreenedNodule(nodule=NoduleFacts(id="N2"), temporal_status="baseline")
    withheld = classify_exam([_nodule("solid", _mm(9), "baseline"), unknown], person=SCREENED)
    assert withheld.outcome == "insufficient"
    assert withheld.missing == ("N2: composition", "N2: size")
    assert "4A or higher" in withheld.caveats[0]
    certain = classify_exam([_nodule("solid", _mm(15), "baseline"), unknown], person=SCREENED)
    assert certain.answer == "4B"
    assert "N2 is left out" in certain.caveats[0]


@pytest.mark.parametrize(
    ("person", "outcome"),
    [
        (Person(route="incidental"), "out of scope"),
        (Person(route="screening", known_cancer=True), "out of scope"),
        (Person(route="screening", age_years=12), "out of scope"),
        (Person(route="screening", age_years=17), "out of scope"),
        (Person(route="screening", age_years=18), "applied"),
        (Person(age_years=60), "insufficient"),
        (Person(route="screening"), "applied"),
    ],
)
def test_speaks_of_screened_adults_only_and_names_what_it_read(
    person: Person, outcome: str
) -> None:
    result = classify_exam([], person=person)
    assert result.outcome == outcome
    known = {name: value for name, value in vars(person).items() if value is not None}
    assert dict(result.inputs).items() >= known.items()


def test_an_unusual_age_is_a_caveat() -> None:
    young = classify_exam([], person=replace(SCREENED, age_years=49))
    assert "50 to 80" in young.caveats[0]
    assert not classify_exam([], person=replace(SCREENED, age_years=50)).caveats


def test_4x_s_and_0_are_offered_and_never_set_alone() -> None:
    lesion = _nodule("solid", _mm(9), "baseline")
    result = classify_exam([lesion], person=SCREENED)
    assert result.answer == "4A"
    assert {offer.answer for offer in result.offers} == {"4X", "S", "0"}
    benign = classify_exam([_nodule("solid", _mm(5), "baseline")], person=SCREENED)
    assert {offer.answer for offer in benign.offers} == {"S", "0"}


def test_the_reader_sets_4x_s_and_0() -> None:
    lesion = _nodule("solid", _mm(9), "baseline")

    def read(**said: object) -> str | None:
        statement = ReaderStatement(**said)  # type: ignore[arg-type]
        return classify_exam([lesion], person=SCREENED, reader=statement).answer

    assert read(upgrade_to_4x=True) == "4X"
    assert read(significant_other_finding=True) == "4AS"
    assert read(upgrade_to_4x=True, significant_other_finding=True) == "4XS"
    assert read(incomplete="suspected infection") == "0"
    assert read(incomplete="suspected infection", significant_other_finding=True) == "0S"


def test_a_0_keeps_what_the_exam_would_have_been() -> None:
    said = ReaderStatement(incomplete="prior being located")
    lesion = _nodule("solid", _mm(9), "baseline")
    result = classify_exam([lesion], person=SCREENED, reader=said)
    assert "Without it: category 4A." in result.caveats
    upgraded = replace(said, upgrade_to_4x=True)
    both = classify_exam([lesion], person=SCREENED, reader=upgraded)
    assert (both.answer, both.caveats[0]) == ("0", "Without it: category 4X.")


def test_what_the_reader_decided_is_named_and_waits_where_facts_are_missing() -> None:
    said = ReaderStatement(upgrade_to_4x=True, significant_other_finding=True)
    known = classify_exam([_nodule("solid", _mm(9), "baseline")], person=SCREENED, reader=said)
    stated = {"reader: upgrade to 4X": True, "reader: significant other finding": True}
    assert dict(known.inputs).items() >= stated.items()
    unknown = ScreenedNodule(nodule=NoduleFacts(id="N2"), temporal_status="baseline")
    withheld = classify_exam([unknown], person=SCREENED, reader=said)
    assert withheld.answer is None
    assert (
        withheld.caveats[-1]
        == "The reader states 4X and S, which can be added only once there is a category."
    )


def test_4x_needs_a_category_from_3_on() -> None:
    said = ReaderStatement(upgrade_to_4x=True)
    with pytest.raises(InputError, match="LUNG_RADS_4X_BELOW_3"):
        classify_exam([_nodule("solid", _mm(5), "baseline")], person=SCREENED, reader=said)


@given(sizes=st.lists(DIAMETERS, min_size=1, max_size=6), seed=st.randoms(use_true_random=False))
def test_the_order_of_the_lesions_does_not_matter(sizes: list[float], seed: object) -> None:
    lesions = [_nodule("solid", _mm(mm), "baseline") for mm in sizes]
    one = classify_exam(lesions, person=SCREENED)
    seed.shuffle(lesions)  # type: ignore[attr-defined]
    assert classify_exam(lesions, person=SCREENED).answer == one.answer


@pytest.mark.parametrize(
    ("age_years", "said"),
    [(49, True), (50, False), (51, False), (79, False), (80, False), (81, True)],
)
def test_screening_is_meant_for_50_to_80_years(age_years: int, said: bool) -> None:
    """USPSTF 2021."""
    result = classify_exam([], person=replace(SCREENED, age_years=age_years))
    assert any("50 to 80 years" in caveat for caveat in result.caveats) == said


@pytest.mark.parametrize(("age_years", "outcome"), [(17, "out of scope"), (18, "applied")])
def test_screening_is_for_adults(age_years: int, outcome: str) -> None:
    assert classify_exam([], person=replace(SCREENED, age_years=age_years)).outcome == outcome


def test_an_exam_without_nodules_is_due_after_a_year() -> None:
    assert classify_exam([], person=SCREENED).due_months == (12, 12)


def test_an_incomplete_exam_is_repeated_in_1_to_3_months() -> None:
    reader = ReaderStatement(incomplete="lungs not evaluable")
    assert classify_exam([], person=SCREENED, reader=reader).due_months == (1, 3)


def test_4x_raises_category_3_and_not_2() -> None:
    reader = ReaderStatement(upgrade_to_4x=True)
    third = [_nodule("solid", _mm(6.0), "baseline")]
    assert classify_exam(third, person=SCREENED, reader=reader).answer == "4X"
    second = [_nodule("solid", _mm(5.9), "baseline")]
    with pytest.raises(InputError, match="LUNG_RADS_4X_BELOW_3"):
        classify_exam(second, person=SCREENED, reader=reader)


@pytest.mark.parametrize(("course", "category"), [("baseline", "3"), ("new", "4A")])
def test_a_solid_part_that_measures_nothing_is_below_every_limit(
    course: str, category: str
) -> None:
    """The table's rows for a solid component below 6 mm at baseline, and below 4 mm that is new."""
    nodule = NoduleFacts(
        composition="part-solid",
        size=_mm(12),
        solid_component=Size(axes_mm=(0.0, 0.0), volume_mm3=0.0),
    )
    lesion = ScreenedNodule(nodule=nodule, temporal_status=course)  # type: ignore[arg-type]
    result = classify_exam([lesion], person=SCREENED)
    assert result.answer == category
    assert "too small to measure" in result.caveats[0]


def _dense(id_: str, mm: float) -> ScreenedNodule:
    nodule = NoduleFacts(id=id_, composition="solid", size=_mm(mm), calcified=True)
    return ScreenedNodule(nodule=nodule, temporal_status="baseline")


def test_calcium_keeps_its_category_and_category_1_is_offered() -> None:
    result = classify_exam([_dense("N1", 9)], person=SCREENED)
    assert result.answer == "4A"
    offered = {offer.answer: offer for offer in result.offers if offer.suggested}
    assert offered.keys() == {"1"}
    assert "N1" in offered["1"].when
    assert "popcorn" in offered["1"].when


def test_what_is_offered_for_calcium_counts_the_other_lesions() -> None:
    other = _nodule("solid", _mm(7), "baseline")
    result = classify_exam([_dense("N1", 9), other], person=SCREENED)
    assert result.answer == "4A"
    assert [offer.answer for offer in result.offers if offer.suggested] == ["3"]


def test_calcium_that_decides_nothing_offers_nothing() -> None:
    larger = _nodule("solid", _mm(16), "baseline")
    result = classify_exam([_dense("N1", 9), larger], person=SCREENED)
    assert result.answer == "4B"
    assert not [offer for offer in result.offers if offer.suggested]


def test_a_reader_s_benign_calcification_is_no_open_question() -> None:
    dense = _dense("N1", 9)
    stated = replace(dense, nodule=replace(dense.nodule, benign_feature="calcification"))
    result = classify_exam([stated], person=SCREENED)
    assert result.answer == "1"
    assert not [offer for offer in result.offers if offer.suggested]


def test_what_the_others_make_an_exam_is_said_only_where_there_are_others() -> None:
    unknown = ScreenedNodule(nodule=NoduleFacts(id="N2"), temporal_status="baseline")
    alone = classify_exam([unknown], person=SCREENED)
    assert (alone.outcome, alone.caveats, alone.offers) == ("insufficient", (), ())
    beside = classify_exam([_nodule("solid", _mm(9), "baseline"), unknown], person=SCREENED)
    assert [(o.answer, o.suggested) for o in beside.offers] == [("4A", True)]
    assert "N2" in beside.offers[0].when
