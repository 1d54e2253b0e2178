"""The card states every figure with its interval and what it rests on."""

import pytest
from runs import FIGURES

from nodule.evaluate.malignancy_rating._malignancy_card import card_rows


def test_states_each_defined_figure_with_its_interval_and_number() -> None:
    rows = [row.cells() for row in card_rows(FIGURES, folds=(4,)).figures]
    assert rows == [
        ("AUC, benign against malignant", "0.900", "0.800 to 0.950", "7"),
        ("calibration error (ECE), before calibration", "0.120", "0.100 to 0.200", "7"),
        ("mean absolute error of the mean rating", "0.400", "0.300 to 0.500", "10"),
        ("mean absolute error of the others", "0.300", "0.200 to 0.400", "8"),
        ("AUC of the readers' diameter alone (baseline)", "0.850", "0.800 to 0.900", "7"),
        ("AUC among pairs within 10 % of diameter", "0.800", "0.700 to 0.900", "10"),
        ("mean rating where the readers' is 4.5 and more", "4.500", "4.200 to 4.700", "3"),
        ("spiculation: kappa with the readers", "0.500", "0.400 to 0.600", "10"),
        ("AUC, nodule against its surroundings", "0.990", "0.980 to 1.000", "2"),
        ("<6 mm: AUC, benign against malignant", "0.700", "0.500 to 0.900", "3"),
    ]


@pytest.mark.parametrize(("folds", "named"), [((), "all patients"), ((0, 4), "fold 0, 4")])
def test_the_heading_names_the_folds(folds: tuple[int, ...], named: str) -> None:
    assert card_rows(FIGURES, folds=folds).heading == f"Agreement with readers, {named}"


def test_notes_state_what_was_left_out_and_the_threshold() -> None:
    left_out, around = card_rows(FIGURES, folds=()).notes
    assert left_out.startswith("3 nodules")
    assert "0.28 to 0.33, by fold" in left_out
    assert "2 views" in around
    assert "6 dense places" in around
