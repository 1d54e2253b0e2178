"""Pictures are written; what they show is for the eye."""

from pathlib import Path

import numpy as np
import pytest
from predictions import FOUR, PLAIN

from nodule.evaluate.malignancy_rating._calibrated_ratings import (
    CalibratedRatings,
    calibrated_ratings,
)
from nodule.evaluate.malignancy_rating._malignancy_plots import draw_figure, reader_points

NAMES = ("roc", "reliability", "confusion", "scatter")


def draw_all(folder: Path, found: CalibratedRatings) -> list[Path]:
    paths = [folder / f"{name}.{kind}" for name in NAMES for kind in ("png", "svg")]
    for path in paths:
        draw_figure(path.stem, path, found)
    return paths


def test_a_figure_that_is_drawn_twice_is_the_same(tmp_path: Path) -> None:
    found = calibrated_ratings(FOUR, lambda each: PLAIN)
    first = [path.read_bytes() for path in draw_all(tmp_path, found)]
    assert [path.read_bytes() for path in draw_all(tmp_path, found)] == first


def test_readers_are_points_against_the_mean_of_the_others() -> None:
    # readers 1 1 5: each 1 meets (1+5)/2 = 3 and is left out, the 5 meets 1, benign;
    # readers 4 4 5: each meets a mean above 3
    points = reader_points(np.array([[2, 0, 0, 0, 1], [0, 0, 0, 2, 1]]))
    assert points == pytest.approx(
        np.array([[1, 1], [1, 1], [1, 1], [1, 1 / 3]]),
    )


def test_pictures_are_drawn_of_one_class_and_of_none(tmp_path: Path) -> None:
    for cases in (FOUR[:1], FOUR[:2], FOUR[4:]):
        for path in draw_all(tmp_path, calibrated_ratings(cases, lambda each: PLAIN)):
            assert path.stat().st_size > 0
            path.unlink()


def test_readers_who_never_meet_a_class_are_no_points() -> None:
    points = reader_points(np.array([[3, 0, 0, 0, 0]]))  # each 1 meets 1, benign
    assert points[:, 0] == pytest.approx([0.0] * 4)
    assert np.isnan(points[:, 1]).all()
