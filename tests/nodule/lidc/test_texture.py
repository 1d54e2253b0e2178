"""Readers' textures are one class, by their mean."""

import pytest

from nodule.lidc import texture_class


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ((1, 3), "ground-glass"),
        ((2, 2, 3), "part-solid"),
        ((4, 4, 3), "part-solid"),
        ((5, 3), "solid"),
        ((), "unrated"),
    ],
)
def test_the_mean_up_to_2_is_ground_glass_and_from_4_on_solid(
    ratings: tuple[int, ...], expected: str
) -> None:
    assert texture_class(ratings) == expected
