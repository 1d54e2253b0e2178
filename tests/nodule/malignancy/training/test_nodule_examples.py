"""Votes are counted by rating, and what most readers marked is the nodule."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from nodule.malignancy.training import NoduleExample, majority, views_deeper_than
from nodule.malignancy.training._nodule_examples import count_votes, patients


def test_votes_are_counted_from_the_rating_one_up(example: Callable[..., NoduleExample]) -> None:
    votes = count_votes(example(ratings=(2, 5, 5)).record)
    assert votes["malignancy"] == (0, 1, 0, 0, 2)
    assert votes["calcification"] == (0,) * 6  # unrated


@pytest.mark.parametrize(("readers", "share"), [(1, 0.25), (4, 1.0), (6, 1.0)])
def test_the_share_of_readers_is_of_four(
    readers: int, share: float, example: Callable[..., NoduleExample]
) -> None:
    made = example()
    assert replace(made, record=replace(made.record, n_readers=readers)).reader_share == share


def test_the_majority_is_half_of_the_readers_who_marked_anything() -> None:
    # readers 0, 1 and 3; voxels by nobody, one, two and three of them
    bits = np.array([[[0b0000, 0b0001, 0b1001, 0b1011]]], np.uint8)
    assert majority(bits).tolist() == [[[False, False, True, True]]]


def test_readers_who_do_not_overlap_all_count() -> None:
    bits = np.array([[[0b0001, 0b0010, 0b0100, 0b0000]]], np.uint8)
    assert majority(bits).tolist() == [[[True, True, True, False]]]


def test_a_view_is_as_deep_as_its_slices(example: Callable[..., NoduleExample]) -> None:
    thin, deep = example(slices=3), example(slices=7)  # of 2 mm
    assert [view.depth_mm for view in (*thin.views, *deep.views)] == [6.0, 14.0]
    assert views_deeper_than([thin, deep], 14.0) == deep.views


def test_distances_are_measured_from_what_any_reader_marked(
    example: Callable[..., NoduleExample],
) -> None:
    (view,) = example().views
    assert (view.distance.array_mm[view.packed.reader_bits > 0] == 0).all()
    assert view.distance.array_mm[2, 34, 69] == pytest.approx((69 - 39) * 0.8, abs=0.2)


def test_patients_are_named_once(example: Callable[..., NoduleExample]) -> None:
    assert patients([example(), example()]) == ("MADE-UP",)
