"""RECIST 1.1: measurability by arithmetic."""

import pytest

from nodule.guidelines.facts import Size
from nodule.guidelines.recist import eligibility


@pytest.mark.parametrize(
    ("axes_mm", "slice_mm", "lymph_node", "expected"),
    [
        ((9.9, 9.0), 1.0, False, "non-target"),
        ((10.0, 3.0), 1.0, False, "target"),
        ((10.0, 3.0), 5.0, False, "target"),
        ((14.9, 9.0), 7.5, False, "non-target"),
        ((15.0, 9.0), 7.5, False, "target"),
        ((30.0, 9.9), 1.0, True, "normal"),
        ((30.0, 10.0), 1.0, True, "non-target"),
        ((30.0, 14.9), 1.0, True, "non-target"),
        ((16.0, 15.0), 1.0, True, "target"),
    ],
)
def test_targets(
    axes_mm: tuple[float, float], slice_mm: float, lymph_node: bool, expected: str
) -> None:
    result = eligibility(Size(axes_mm=axes_mm), slice_thickness_mm=slice_mm, lymph_node=lymph_node)
    assert result.answer == expected


def test_a_volume_has_no_axes() -> None:
    assert eligibility(Size(volume_mm3=900), slice_thickness_mm=1).missing == ("axes",)


@pytest.mark.parametrize(
    ("slice_mm", "limit_mm"), [(4.9, 10.0), (5.0, 10.0), (5.04, 10.0), (5.1, 10.2), (6.0, 12.0)]
)
def test_slices_beyond_5_mm_raise_the_limit_to_twice_their_thickness(
    slice_mm: float, limit_mm: float
) -> None:
    answers = [
        eligibility(Size(axes_mm=(mm, 5.0)), slice_thickness_mm=slice_mm).answer
        for mm in (limit_mm - 0.1, limit_mm)
    ]
    assert answers == ["non-target", "target"]
