import math

import pytest

from nodule.sphere import sphere_diameter_mm, sphere_volume_mm3


def test_a_sphere_of_six_mm_holds_36_pi_mm3() -> None:
    assert sphere_volume_mm3(6.0) == pytest.approx(36.0 * math.pi)
    assert sphere_diameter_mm(36.0 * math.pi) == pytest.approx(6.0)


def test_nothing_has_no_diameter() -> None:
    assert sphere_diameter_mm(0.0) == 0.0
