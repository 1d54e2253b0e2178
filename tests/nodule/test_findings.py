"""What stages hand on is whole from the start, or refused."""

from dataclasses import replace

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.findings import Assessment, Candidate, Characteristics, Finding, Malignancy
from nodule.geometry import Geometry
from nodule.masks import NoduleMask
from nodule.nodules import Measurement, Nodule, Seed
from nodule.study import ImageReference

HERE = (1.0, 2.0, 3.0)
EVEN = Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, 0.2))
SIZE = Measurement(
    center_lps_mm=HERE,
    long_axis_mm=2.0,
    short_axis_mm=1.0,
    effective_diameter_mm=1.2,
    volume_mm3=1.0,
)


@pytest.mark.parametrize(
    ("probability", "refused"),
    [(-0.001, True), (0.0, False), (1.0, False), (1.001, True), (float("nan"), True)],
)
def test_a_probability_lies_between_0_and_1(probability: float, refused: bool) -> None:
    makers = (
        lambda: Candidate(center_lps_mm=HERE, score=probability, diameter_mm=5.0),
        lambda: Assessment(probability=probability, malignancy=EVEN),
        lambda: replace(EVEN, suspicion=probability),
    )
    for make in makers:
        if refused:
            with pytest.raises(InputError, match="BAD_PROBABILITY"):
                make()
        else:
            make()


@pytest.mark.parametrize("mm", [0.0, -1.0, float("inf"), float("nan")])
def test_a_size_is_a_positive_number(mm: float) -> None:
    for make in (
        lambda: Candidate(center_lps_mm=HERE, score=0.5, diameter_mm=mm),
        lambda: Seed(center_lps_mm=HERE, diameter_mm=mm),
        lambda: replace(SIZE, volume_mm3=mm),
        lambda: replace(SIZE, short_axis_mm=mm),
    ):
        with pytest.raises(InputError, match="BAD_SIZE"):
            make()


@pytest.mark.parametrize(
    ("last", "refused"), [(0.2009, False), (0.1991, False), (0.2011, True), (0.1989, True)]
)
def test_a_distribution_sums_to_one_within_a_thousandth(last: float, refused: bool) -> None:
    if refused:
        with pytest.raises(InputError, match="BAD_DISTRIBUTION"):
            Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, last))
    else:
        Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, last))


@pytest.mark.parametrize(
    ("distribution", "score"),
    [((1.0, 0.0, 0.0, 0.0, 0.0), 1.0), ((0.0, 0.5, 0.0, 0.5, 0.0), 3.0), ((0, 0, 0, 0, 1), 5.0)],
)
def test_the_score_is_the_mean_rating_from_1_to_5(
    distribution: tuple[float, float, float, float, float], score: float
) -> None:
    assert Malignancy(distribution=distribution).score == pytest.approx(score)


def test_a_finding_has_a_mask_if_and_only_if_it_was_measured() -> None:
    grid = Geometry(shape_zyx=(1, 1, 1), spacing_zyx_mm=(1.0, 1.0, 1.0))
    mask = NoduleMask(array_zyx=np.ones((1, 1, 1), bool), start_zyx=(0, 0, 0), geometry=grid)
    image = ImageReference(number=1, count=1)
    bare = Nodule(id="N1", center_lps_mm=HERE, image=image, lung="left")
    measured = replace(bare, measurement=SIZE)
    Finding(nodule=bare, assessment=None, mask=None)
    Finding(nodule=measured, assessment=None, mask=mask)
    for nodule, its_mask in ((bare, mask), (measured, None)):
        with pytest.raises(InputError, match="MASK_WITHOUT_SIZE"):
            Finding(nodule=nodule, assessment=None, mask=its_mask)


@pytest.mark.parametrize(
    "name",
    ["effective_diameter_mm", "volume_ci95_mm3", "volume_error_share", "solid_volume_mm3"],
)
def test_nothing_follows_from_a_volume_that_is_not_stated(name: str) -> None:
    without = replace(SIZE, volume_mm3=None, effective_diameter_mm=None)
    with pytest.raises(InputError, match=f"UNSTATED_VOLUME: {name}"):
        replace(without, **{name: (0.5, 2.0) if name == "volume_ci95_mm3" else 0.5})


@pytest.mark.parametrize("id_", ["N0", "n1", "N01", "X1", "N1 ", "", "R"])
def test_a_nodule_is_called_n_or_r_and_a_number(id_: str) -> None:
    image = ImageReference(number=1, count=1)
    with pytest.raises(InputError, match="BAD_FINDING_ID"):
        Nodule(id=id_, center_lps_mm=HERE, image=image, lung=None)
    for known in ("N1", "R10"):
        Nodule(id=known, center_lps_mm=HERE, image=image, lung=None)


def test_the_key_point_is_the_middle_of_the_long_axis_or_else_the_centre() -> None:
    image = ImageReference(number=1, count=1)
    bare = Nodule(id="N1", center_lps_mm=HERE, image=image, lung="left")
    assert bare.key_point_lps_mm == HERE
    drawn = replace(SIZE, long_axis_ends_lps_mm=((0.0, 2.0, 4.0), (2.0, 4.0, 4.0)))
    assert replace(bare, measurement=drawn).key_point_lps_mm == (1.0, 3.0, 4.0)


LOOK = Characteristics(
    subtlety=(0.0, 0.0, 0.0, 0.0, 1.0),
    sphericity=(0.0, 0.0, 0.5, 0.5, 0.0),
    margin=(0.0, 0.0, 0.0, 1.0, 0.0),
    lobulation=(1.0, 0.0, 0.0, 0.0, 0.0),
    spiculation=(0.2, 0.2, 0.2, 0.2, 0.2),
    texture=(0.0, 0.0, 0.0, 0.0, 1.0),
    internal_structure=(0.7, 0.1, 0.1, 0.1),
    calcification=(0.1, 0.1, 0.1, 0.1, 0.1, 0.5),
)


def test_a_characteristic_has_a_mean_rating_or_a_likely_kind() -> None:
    assert LOOK.mean("sphericity") == pytest.approx(3.5)
    assert LOOK.likely_structure == "soft tissue"
    assert LOOK.likely_calcification == "absent"


@pytest.mark.parametrize("name", ["margin", "internal_structure", "calcification"])
def test_every_characteristic_is_a_distribution(name: str) -> None:
    with pytest.raises(InputError, match="BAD_DISTRIBUTION"):
        replace(LOOK, **{name: (0.5, 0.5)})


@pytest.mark.parametrize(
    ("two", "three", "four", "suggested"),
    [
        (0.0, 0.49, 0.51, True),  # a mean of 3.51
        (0.0, 0.51, 0.49, None),
        (0.49, 0.51, 0.0, None),
        (0.51, 0.49, 0.0, False),
    ],
)
def test_spiculation_is_suggested_half_a_rating_from_the_middle(
    two: float, three: float, four: float, suggested: bool | None
) -> None:
    rated = replace(LOOK, spiculation=(0.0, two, three, four, 0.0))
    assert rated.suggests_spiculation is suggested
