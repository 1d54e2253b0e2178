"""When so much is diseased that rules for nodules do not apply, and how that is said."""

import pytest

from nodule.errors import InputError
from nodule.lung_disease import DiseasedLung, LungDisease
from nodule.nodules import Lung


def lung(
    aerated: float,
    glass: float = 0.0,
    dense: float = 0.0,
    left_out: float = 0.0,
    side: Lung = "right",
) -> DiseasedLung:
    return DiseasedLung(
        lung=side,
        aerated_ml=aerated,
        ground_glass_ml=glass,
        consolidation_ml=dense,
        left_out_ml=left_out,
    )


@pytest.mark.parametrize(("glass", "diffuse"), [(49.0, False), (50.0, True), (51.0, True)])
def test_a_twentieth_of_a_lung_is_diffuse(glass: float, diffuse: bool) -> None:
    assert lung(1000.0 - glass, glass).diffuse is diffuse


@pytest.mark.parametrize(("left_out", "diffuse"), [(24.9, False), (25.0, True)])
def test_25_ml_between_ribs_and_lung_are_diffuse(left_out: float, diffuse: bool) -> None:
    assert lung(3000.0, left_out=left_out).diffuse is diffuse


def test_either_lung_makes_the_disease_diffuse_and_findings_in_it_are_held() -> None:
    healthy, ill = lung(2000.0), lung(1500.0, 300.0, 200.0, side="left")
    disease = LungDisease(right=healthy, left=ill, inside=("N2",))
    assert disease.diffuse
    assert disease.holds("N2")
    assert not disease.holds("N1")
    little = LungDisease(right=healthy, left=lung(2000.0, 9.0, side="left"), inside=("N2",))
    assert not little.holds("N2")


def test_the_extent_is_said_by_lung_in_ml_and_as_a_share() -> None:
    disease = LungDisease(right=lung(2000.0), left=lung(1500.0, 300.0, 200.0, side="left"))
    assert disease.in_words == (
        "right lung 0 %; left lung 25 % (300 ml ground-glass, 200 ml consolidation)"
    )


def test_no_lung_has_no_share_and_no_extent_is_negative() -> None:
    assert lung(0.0).share == 0.0
    with pytest.raises(InputError, match="BAD_EXTENT"):
        lung(-1.0)
