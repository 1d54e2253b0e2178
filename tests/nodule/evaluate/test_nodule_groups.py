"""Sizes are classes closed below."""

import pytest

from nodule.evaluate._nodule_groups import size_class


@pytest.mark.parametrize(
    ("diameter_mm", "name"),
    [
        (5.99, "<6"), (6.0, "6-<10"), (9.99, "6-<10"), (10.0, "10-<20"), (19.99, "10-<20"),
        (20.0, ">=20"),
    ],
)  # fmt: skip
def test_a_size_is_of_the_class_that_begins_with_it(diameter_mm: float, name: str) -> None:
    assert size_class(diameter_mm) == name
