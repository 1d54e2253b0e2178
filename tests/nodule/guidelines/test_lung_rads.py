"""Lung-RADS by hand: both sides of every limit, every decision."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodule.errors import InputError
from nodule.guidelines.facts import NoduleFacts, Size
from nodule.guidelines.lung_rads import (
    AirwayNodule,
    Cyst,
    Lesion,
    Prior,
    ScreenedNodule,
    classify_lesion,
)

RANK = ["1", "2", "3", "4A", "4B"]
DIAMETERS = st.floats(1.0, 60.0)
COURSES = ("baseline", "new", "growing")


def _mm(diameter_mm: float) -> Size:
    return Size(axes_mm=(diameter_mm, diameter_mm))


def _mm3(volume_mm3: float) -> Size:
    return Size(volume_mm3=volume_mm3)


def _nodule(
    composition: str, size: Size, course: str, solid: Size | None = None, **rest: Prior | str
) -> ScreenedNodule:
    prior = rest.pop("prior", None)
    nodule = NoduleFacts(composition=composition, size=size, solid_component=solid, **rest)
    return ScreenedNodule(nodule=nodule, temporal_status=course, prior=prior)


def _category(lesion: Lesion, version: str = "v2022") -> str | None:
    return classify_lesion(lesion, version=version).answer


@pytest.mark.parametrize("version", ["v2022", "v1.1"])
@pytest.mark.parametrize(
    ("course", "mm", "mm3", "below", "from_it_on"),
    [
        ("baseline", 6, 113, "2", "3"),
        ("baseline", 8, 268, "3", "4A"),
        ("baseline", 15, 1767, "4A", "4B"),
        ("new", 4, 34, "2", "3"),
        ("new", 6, 113, "3", "4A"),
        ("new", 8, 268, "4A", "4B"),
        ("growing", 8, 268, "4A", "4B"),
    ],
)
def test_solid_limits_by_diameter_and_by_volume(
    version: str, course: str, mm: float, mm3: int, below: str, from_it_on: str
) -> None:
    sizes = (_mm(mm - 0.1), _mm(mm), _mm3(mm3 - 1), _mm3(mm3))
    got = [_category(_nodule("solid", size, course), version) for size in sizes]
    assert got == [below, from_it_on, below, from_it_on]


@pytest.mark.parametrize(
    ("course", "total_mm", "solid_mm", "expected"),
    [
        ("baseline", 5.9, 5.9, "2"),
        ("baseline", 6.0, 5.9, "3"),
        ("baseline", 6.0, 6.0, "4A"),
        ("baseline", 8.0, 7.9, "4A"),
        ("baseline", 8.0, 8.0, "4B"),
        ("new", 5.9, 3.9, "3"),
        ("new", 5.9, 4.0, "4B"),  # meets 3 and 4B
        ("new", 6.0, 3.9, "4A"),
        ("new", 6.0, 4.0, "4B"),
        ("growing", 5.9, 3.9, "4A"),
        ("growing", 12.0, 3.9, "4A"),
        ("growing", 12.0, 4.0, "4B"),
    ],
)
def test_part_solid_limits(course: str, total_mm: float, solid_mm: float, expected: str) -> None:
    assert _category(_nodule("part-solid", _mm(total_mm), course, _mm(solid_mm))) == expected


@pytest.mark.parametrize(
    ("course", "size", "expected"),
    [
        ("baseline", _mm(29.9), "2"),
        ("new", _mm3(14136), "2"),
        ("growing", _mm(29.9), "2"),
        ("baseline", _mm(30.0), "3"),
        ("new", _mm3(14137), "3"),
        ("growing", _mm(30.0), "3"),  # listed nowhere
        ("stable", _mm(30.0), "2"),
        ("slowly growing", _mm(45.0), "2"),
    ],
)
def test_ground_glass_limits(course: str, size: Size, expected: str) -> None:
    assert _category(_nodule("ground-glass", size, course)) == expected


def test_a_tie_of_the_mean_goes_up_and_an_even_float_does_not_matter() -> None:
    assert _category(_nodule("solid", Size(axes_mm=(5.9, 6.0)), "baseline")) == "3"
    assert _category(_nodule("solid", Size(axes_mm=(5.9, 5.9)), "baseline")) == "2"


def test_a_lymph_node_shape_counts_strictly_below_10_mm() -> None:
    def shaped(mm: float, course: str = "baseline", feature: str = "juxtapleural") -> Lesion:
        return _nodule("solid", _mm(mm), course, benign_feature=feature)

    assert [_category(shaped(mm)) for mm in (9.9, 10.0)] == ["2", "4A"]
    assert _category(shaped(9.9, "new")) == "2"
    assert _category(shaped(9.9, "stable")) == "2"
    assert _category(shaped(9.9, "growing")) == "4B"
    assert _category(shaped(9.9), "v1.1") == "4A"
    assert _category(shaped(9.9, feature="perifissural"), "v1.1") == "2"


@pytest.mark.parametrize(
    ("feature", "expected"), [("calcification", "1"), ("fat", "1"), ("proven", "2")]
)
def test_benign_features_stand_at_any_size(feature: str, expected: str) -> None:
    assert _category(_nodule("solid", _mm(25), "baseline", benign_feature=feature)) == expected


@pytest.mark.parametrize(
    ("before_mm", "now_mm", "months", "v2022", "v11"),
    [
        (5.0, 6.5, 12, "3", "3"),  # 1.5 is no growth, but a higher size class
        (5.0, 6.6, 12, "4A", "4A"),
        (7.0, 8.5, 12, "4A", "4A"),  # no growth; 7.0 + 1.5 in decimals
        (7.0, 8.6, 3, "4B", "4B"),
        (5.0, 7.0, 24, "3", "4A"),  # 2.0 in 24 months is 1.0 in 12
        (5.0, 8.1, 24, "4B", "4B"),  # 3.1 in 24 months is 1.55 in 12
        (5.0, 8.0, 24, "4A", "4B"),  # exactly 1.5 in 12 months
    ],
)
def test_growth_is_more_than_1_5_mm_within_12_months(
    before_mm: float, now_mm: float, months: float, v2022: str, v11: str
) -> None:
    lesion = _nodule(
        "solid", _mm(now_mm), "followed", prior=Prior(size=_mm(before_mm), months=months)
    )
    assert _category(lesion) == v2022
    assert _category(lesion, "v1.1") == v11


def test_volumes_grow_by_the_diameters_of_their_spheres() -> None:
    """5.0 mm is 65 mm³; 6.5 mm is 144 mm³ and 6.6 mm 151 mm³."""
    prior = Prior(size=_mm3(65), months=12)
    assert _category(_nodule("solid", _mm3(144), "followed", prior=prior)) == "3"
    assert _category(_nodule("solid", _mm3(151), "followed", prior=prior)) == "4A"


def test_slow_growth_is_read_by_size_and_4b_is_offered() -> None:
    prior = Prior(size=_mm(5.0), months=24, category="2")
    result = classify_lesion(_nodule("solid", _mm(7.0), "followed", prior=prior))
    assert result.answer == "3"
    assert "4B" in [offer.answer for offer in result.offers]
    glass = _nodule("ground-glass", _mm(20), "followed", prior=Prior(size=_mm(18), months=24))
    assert not classify_lesion(glass).offers


@pytest.mark.parametrize(
    ("mm", "category", "months", "expected"),
    [
        (6.8, "3", 6, "2"),
        (6.8, "3", 5.5, "2"),  # six whole months
        (6.8, "3", 5.4, "3"),
        (6.8, "3", None, "3"),
        (9.0, "4A", 3, "3"),
        (9.0, "4A", 2.4, "4A"),
        (9.0, "4A", 12, "3"),  # one step an exam
        (9.0, "3", 6, "2"),  # stepped before
        (16.0, "4B", 12, "4B"),
        (16.0, "4X", 12, "4B"),  # 4X is the reader's, every time
        (6.8, "2", 12, "3"),  # nothing earned below 3
    ],
)
def test_stable_nodules_step_down_when_due(
    mm: float, category: str, months: float | None, expected: str
) -> None:
    prior = Prior(size=_mm(mm), months=months, category=category)
    assert _category(_nodule("solid", _mm(mm), "followed", prior=prior)) == expected


def test_v11_sends_unchanged_nodules_to_2_after_three_months() -> None:
    for category in ("3", "4A", "4B"):
        prior = Prior(size=_mm(9), months=3, category=category)
        assert _category(_nodule("solid", _mm(9), "followed", prior=prior), "v1.1") == "2"
    early = Prior(size=_mm(9), months=2, category="4A")
    assert _category(_nodule("solid", _mm(9), "followed", prior=early), "v1.1") == "4A"


def test_a_higher_size_class_without_growth_takes_no_step_down() -> None:
    prior = Prior(size=_mm(7.9), months=6, category="3")
    assert _category(_nodule("solid", _mm(8.1), "followed", prior=prior)) == "4A"


def test_a_nodule_that_shrank_keeps_its_step_and_offers_its_size() -> None:
    prior = Prior(size=_mm(9.0), months=3, category="4A")
    result = classify_lesion(_nodule("solid", _mm(5.0), "followed", prior=prior))
    assert result.answer == "3"
    assert "2" in [offer.answer for offer in result.offers]


def test_a_part_solid_nodule_goes_by_its_solid_component() -> None:
    grown_glass = _nodule(
        "part-solid",
        _mm(15),
        "followed",
        _mm(3),
        prior=Prior(size=_mm(10), solid_component=_mm(3), composition="part-solid", months=12),
    )
    assert _category(grown_glass) == "3"
    appeared = _nodule(
        "part-solid",
        _mm(10),
        "followed",
        _mm(2),
        prior=Prior(size=_mm(10), composition="ground-glass", months=12),
    )
    assert _category(appeared) == "4A"
    unknown = replace(appeared, prior=Prior(size=_mm(10), composition="part-solid", months=12))
    assert classify_lesion(unknown).missing == ("earlier solid component",)


@pytest.mark.parametrize(
    ("level", "course", "v2022"),
    [
        ("subsegmental", "baseline", "2"),
        ("subsegmental", "new", "2"),
        ("subsegmental", "stable", "2"),
        ("proximal", "baseline", "4A"),
        ("proximal", "new", "4A"),
        ("proximal", "stable", "4B"),
        ("proximal", "growing", "4B"),
    ],
)
def test_airway_nodules_go_up_when_they_persist(level: str, course: str, v2022: str) -> None:
    lesion = AirwayNodule(level=level, temporal_status=course)  # type: ignore[arg-type]
    assert _category(lesion) == v2022
    assert _category(lesion, "v1.1") == "4A"


def test_a_growing_subsegmental_airway_nodule_is_read_as_a_growing_solid_one() -> None:
    growing = AirwayNodule(level="subsegmental", temporal_status="growing", size=_mm(5))
    assert _category(growing) == "4A"
    assert classify_lesion(replace(growing, size=None)).missing == ("size",)


def test_persisting_airway_nodules_are_referred() -> None:
    result = classify_lesion(AirwayNodule(level="proximal", temporal_status="stable"))
    assert result.management is not None
    assert "Referral for clinical evaluation" in result.management


@pytest.mark.parametrize(
    ("wall", "multilocular", "changes", "expected"),
    [
        ("thin", False, (), "not classified"),
        ("thick", False, (), "4A"),
        ("thin", True, (), "4A"),
        ("thick", False, ("cyst growing",), "3"),
        ("thick", False, ("wall growing",), "4B"),
        ("thick", False, ("wall growing", "cyst growing"), "4B"),
        ("thin", True, ("became multilocular",), "4A"),
        ("thin", True, ("cyst growing",), "4B"),
        ("thin", True, ("more loculation or opacity",), "4B"),
    ],
)
def test_cysts_take_the_highest_category_they_meet(
    wall: str, multilocular: bool, changes: tuple[str, ...], expected: str
) -> None:
    cyst = Cyst(
        wall=wall,  # type: ignore[arg-type]
        multilocular=multilocular,
        temporal_status="changed" if changes else "baseline",
        changes=frozenset(changes),  # type: ignore[arg-type]
    )
    assert _category(cyst) == expected
    assert classify_lesion(cyst, version="v1.1").outcome == "out of scope"


def test_a_stable_cyst_steps_down_and_fluid_is_set_aside() -> None:
    prior = Prior(months=3, category="4A")
    stable = Cyst(wall="thick", multilocular=False, temporal_status="stable", prior=prior)
    assert _category(stable) == "3"
    assert _category(replace(stable, set_aside=True)) == "not classified"
    with pytest.raises(InputError, match="BAD_CYST"):
        Cyst(wall="thick", multilocular=False, temporal_status="changed")


def test_asks_for_what_it_lacks_and_only_for_that() -> None:
    unjudged = ScreenedNodule(nodule=NoduleFacts(id="N1"), temporal_status="baseline")
    assert classify_lesion(unjudged).missing == ("composition", "size")
    small = ScreenedNodule(
        nodule=NoduleFacts(composition="part-solid", size=_mm(5)), temporal_status="baseline"
    )
    assert _category(small) == "2"
    large = ScreenedNodule(
        nodule=NoduleFacts(composition="part-solid", size=_mm(6)), temporal_status="baseline"
    )
    assert classify_lesion(large).missing == ("solid component",)
    undated = _nodule("solid", _mm(7), "followed", prior=Prior(size=_mm(5)))
    assert classify_lesion(undated).missing == ("months between the scans",)
    still = _nodule("solid", _mm(5), "followed", prior=Prior(size=_mm(5)))
    assert _category(still) == "2"
    assert classify_lesion(_nodule("solid", _mm(5), "followed")).missing == ("earlier scan",)
    mixed = _nodule("solid", _mm(5), "followed", prior=Prior(size=_mm3(65)))
    assert classify_lesion(mixed).missing == ("earlier size by the same method",)


def test_names_its_rule_inputs_and_citation() -> None:
    result = classify_lesion(_nodule("solid", Size(axes_mm=(7.1, 6.0)), "baseline"))
    assert (result.rule_set, result.version) == ("Lung-RADS", "v2022")
    assert "Christensen" in result.citation
    assert result.rule.id == "solid-baseline-3"
    assert result.rule.text == (
        "Solid nodule, at baseline, 6 to < 8 mm (113 to < 268 mm³): category 3."
    )
    assert result.rule.where == "table, category 3"
    assert dict(result.inputs) == {
        "composition": "solid",
        "course": "baseline",
        "mean diameter (mm)": 6.6,
    }


def test_says_when_the_volume_would_decide_otherwise() -> None:
    size = Size(axes_mm=(6.2, 6.2), volume_mm3=100)
    (caveat,) = classify_lesion(_nodule("solid", size, "baseline")).caveats
    assert "category 2" in caveat
    agreeing = Size(axes_mm=(6.2, 6.2), volume_mm3=120)
    assert not classify_lesion(_nodule("solid", agreeing, "baseline")).caveats


@given(small=DIAMETERS, large=DIAMETERS, course=st.sampled_from(COURSES))
def test_a_larger_solid_nodule_never_gets_a_lower_category(
    small: float, large: float, course: str
) -> None:
    small, large = sorted((small, large))
    first, second = (_category(_nodule("solid", _mm(mm), course)) for mm in (small, large))
    assert RANK.index(first or "") <= RANK.index(second or "")


@given(mm=DIAMETERS)
def test_a_new_or_growing_solid_nodule_is_never_below_the_same_one_at_baseline(mm: float) -> None:
    baseline, new, growing = (_category(_nodule("solid", _mm(mm), c)) for c in COURSES)
    assert RANK.index(baseline or "") <= RANK.index(new or "") <= RANK.index(growing or "")


@given(
    total=st.floats(4, 40),
    shares=st.tuples(st.floats(0.1, 1), st.floats(0.1, 1)),
    course=st.sampled_from(COURSES),
)
def test_a_larger_solid_component_never_gets_a_lower_category(
    total: float, shares: tuple[float, float], course: str
) -> None:
    small, large = sorted(shares)
    first, second = (
        _category(_nodule("part-solid", _mm(total), course, _mm(share * total)))
        for share in (small, large)
    )
    assert RANK.index(first or "") <= RANK.index(second or "")


@given(
    before=DIAMETERS,
    small=DIAMETERS,
    large=DIAMETERS,
    months=st.floats(0.5, 60),
    category=st.sampled_from([None, "2", "3", "4A", "4B", "4X"]),
    version=st.sampled_from(["v2022", "v1.1"]),
)
def test_more_growth_never_gets_a_lower_category(
    before: float, small: float, large: float, months: float, category: str | None, version: str
) -> None:
    small, large = sorted((small, large))
    prior = Prior(size=_mm(before), months=months, category=category)
    first, second = (
        _category(_nodule("solid", _mm(mm), "followed", prior=prior), version)
        for mm in (small, large)
    )
    assert RANK.index(first or "") <= RANK.index(second or "")


def test_a_growing_nodule_is_never_below_its_earlier_category() -> None:
    prior = Prior(size=_mm(5.0), months=12, category="4X")
    result = classify_lesion(_nodule("solid", _mm(7.0), "followed", prior=prior))
    assert (result.answer, result.rule.id) == ("4B", "history-held")


@pytest.mark.parametrize(
    ("course", "total_mm3", "solid_mm3", "expected"),
    [
        ("baseline", 112, 100, "2"),
        ("baseline", 113, 112, "3"),
        ("baseline", 300, 113, "4A"),
        ("baseline", 300, 267, "4A"),
        ("baseline", 300, 268, "4B"),
        ("new", 112, 33, "3"),
        ("new", 113, 33, "4A"),
        ("new", 113, 34, "4B"),
        ("growing", 300, 33, "4A"),
        ("growing", 300, 34, "4B"),
    ],
)
def test_part_solid_limits_by_volume(
    course: str, total_mm3: float, solid_mm3: float, expected: str
) -> None:
    """The spheres of 6 mm in all, and of 4, 6 and 8 mm of the solid component."""
    assert _category(_nodule("part-solid", _mm3(total_mm3), course, _mm3(solid_mm3))) == expected


@pytest.mark.parametrize(("mm3", "expected"), [(523, "2"), (524, "4A"), (525, "4A")])
def test_a_lymph_node_shape_counts_strictly_below_524_mm3(mm3: float, expected: str) -> None:
    assert _category(_nodule("solid", _mm3(mm3), "baseline", benign_feature="juxtapleural")) == (
        expected
    )


@pytest.mark.parametrize(
    ("size", "due_months"),
    [
        (_mm(5.9), (12, 12)),  # category 2
        (_mm(6.0), (6, 6)),  # 3
        (_mm(8.0), (3, 3)),  # 4A
        (_mm(15.0), None),  # 4B is no question of the next CT
    ],
)
def test_the_next_ct_is_due_when_the_category_says(
    size: Size, due_months: tuple[int, int] | None
) -> None:
    assert classify_lesion(_nodule("solid", size, "baseline")).due_months == due_months


@pytest.mark.parametrize(
    ("earlier", "months", "expected"),
    [
        ("3", 5.49, "3"),
        ("3", 5.5, "2"),
        ("3", 6.0, "2"),
        ("4A", 2.49, "4A"),
        ("4A", 2.5, "3"),
        ("4A", 3.0, "3"),
    ],
)
def test_a_step_down_is_due_by_whole_months(earlier: str, months: float, expected: str) -> None:
    """Six months after category 3, three after 4A; the earlier scan had the same size."""
    size = {"3": _mm(7.0), "4A": _mm(9.0)}[earlier]
    prior = Prior(size=size, months=months, category=earlier)
    assert _category(_nodule("solid", size, "followed", prior=prior)) == expected


@pytest.mark.parametrize(
    ("months", "expected"), [(11.9, "4A"), (12.0, "4A"), (12.7, "4A"), (12.8, "3"), (12.9, "3")]
)
def test_1_6_mm_within_12_8_months_are_growth(months: float, expected: str) -> None:
    """Growth is strictly more than 1.5 mm in 12 months, which 1.6 mm in 12.8 just are not."""
    prior = Prior(size=_mm(5.0), months=months)
    assert _category(_nodule("solid", _mm(6.6), "followed", prior=prior)) == expected


@pytest.mark.parametrize(("rise_mm", "offered"), [(-0.1, False), (0.0, False), (0.1, True)])
def test_4b_is_offered_where_a_stable_nodule_is_larger_by_any_amount(
    rise_mm: float, offered: bool
) -> None:
    prior = Prior(size=_mm(6.5), months=12)
    result = classify_lesion(_nodule("solid", _mm(6.5 + rise_mm), "followed", prior=prior))
    assert ("4B" in [offer.answer for offer in result.offers]) == offered


@pytest.mark.parametrize(("component_mm", "expected"), [(5.9, "2"), (6.0, "4A")])
def test_a_solid_component_in_a_higher_class_takes_no_step_down(
    component_mm: float, expected: str
) -> None:
    """From 5.0 mm neither has grown by more than 1.5 mm."""
    prior = Prior(
        size=_mm(10.0),
        solid_component=_mm(5.0),
        composition="part-solid",
        months=6,
        category="3",
    )
    lesion = _nodule("part-solid", _mm(10.0), "followed", _mm(component_mm), prior=prior)
    assert _category(lesion) == expected


@pytest.mark.parametrize(("months", "rule"), [(3, "history-held"), (6, "history-stepped")])
def test_says_whether_a_category_is_held_or_stepped_down(months: float, rule: str) -> None:
    prior = Prior(size=_mm(7.0), months=months, category="3")
    assert classify_lesion(_nodule("solid", _mm(7.0), "followed", prior=prior)).rule.id == rule
