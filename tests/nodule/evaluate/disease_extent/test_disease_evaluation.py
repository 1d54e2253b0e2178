"""Diseased phantoms and what is summed of them."""

import pytest

from nodule.evaluate.disease_extent._disease_evaluation import (
    disease_figures,
    diseased_spec,
    lung_extent,
)
from nodule.lung_disease import DiseasedLung


def measured(glass: float, dense: float, left_out: float) -> DiseasedLung:
    return DiseasedLung(
        lung="left",
        aerated_ml=1000.0,
        ground_glass_ml=glass,
        consolidation_ml=dense,
        left_out_ml=left_out,
    )


def test_what_was_found_is_a_share_of_the_truth_of_phantoms_alone() -> None:
    lungs = [
        lung_extent("phantom 1", measured(90.0, 10.0, 30.0), (100.0, 50.0)),
        lung_extent("phantom 2", measured(60.0, 0.0, 0.0), (50.0, 0.0)),
        lung_extent("A", measured(500.0, 500.0, 0.0), None),
    ]
    figures = disease_figures(lungs, patients=3)
    assert figures.ground_glass_found == pytest.approx(150 / 150)
    assert figures.consolidation_found == pytest.approx(40 / 50)
    assert lungs[0].true_ml == 150
    assert lungs[2].true_ml is None
    assert lungs[2].diffuse


def test_without_disease_there_is_no_share() -> None:
    figures = disease_figures([lung_extent("0", measured(0, 0, 0), (0.0, 0.0))], patients=1)
    assert figures.ground_glass_found is None
    assert figures.consolidation_found is None


def test_the_first_phantom_is_healthy_and_the_others_are_not() -> None:
    assert diseased_spec(0, 0).patches == ()
    for number in (1, 2, 3):
        patches = diseased_spec(0, number).patches
        assert 1 <= len(patches) <= 3
        assert all(20 <= each.radius_mm <= 55 for each in patches)
    assert diseased_spec(0, 1) == diseased_spec(0, 1)
