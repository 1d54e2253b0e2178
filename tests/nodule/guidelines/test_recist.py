"""RECIST 1.1: measurability and response by arithmetic."""

import pytest

from nodule.errors import InputError
from nodule.guidelines.facts import Size
from nodule.guidelines.recist import eligibility, respond


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
    ("baseline", "smallest", "now", "expected"),
    [
        (100, 100, 70, "PR"),
        (100, 100, 70.1, "SD"),
        (100, 50, 60, "PD"),  # 20 % and 10 mm over the smallest
        (100, 50, 59.9, "PR"),
        (100, 20, 24, "PR"),  # 20 % but 4 mm
        (100, 20, 25, "PD"),
        (100, 100, 119.9, "SD"),
        (100, 100, 120, "PD"),
        (100, 0, 5, "PD"),
    ],
)
def test_response(baseline: float, smallest: float, now: float, expected: str) -> None:
    result = respond(
        baseline_sum_mm=baseline,
        smallest_sum_mm=smallest,
        sum_mm=now,
        new_lesion=False,
        all_gone=False,
    )
    assert result.answer == expected
    assert result.figure("change from baseline").value == pytest.approx(now - baseline)


def test_complete_response_is_stated_and_a_new_lesion_outweighs_it() -> None:
    sums = {"baseline_sum_mm": 60.0, "smallest_sum_mm": 8.0, "sum_mm": 8.0}
    assert respond(**sums, new_lesion=False, all_gone=True).answer == "CR"
    assert respond(**sums, new_lesion=True, all_gone=True).answer == "PD"
    assert respond(**sums, new_lesion=None, all_gone=None).missing == ("new lesion", "all gone")


def test_refuses_a_smallest_sum_above_baseline() -> None:
    with pytest.raises(InputError, match="BAD_SIZE"):
        respond(baseline_sum_mm=50, smallest_sum_mm=60, sum_mm=60, new_lesion=False, all_gone=False)
