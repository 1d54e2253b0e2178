"""Limits of a volume: sizes from arithmetic and from published repeatability."""

import math
from collections.abc import Callable

import pytest

from nodule.geometry import Geometry, as_vector
from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.measure.volume_error import volume_ci95_mm3, volume_error_share
from nodule.volume import Volume


def _sphere_mm3(diameter_mm: float) -> float:
    return math.pi / 6 * diameter_mm**3


def _factor(diameter_mm: float, slice_mm: float) -> float:
    limits = volume_ci95_mm3(_sphere_mm3(diameter_mm), slice_mm=slice_mm)
    assert limits is not None
    return limits[1] / _sphere_mm3(diameter_mm)


def test_limits_lie_about_the_volume_by_one_factor() -> None:
    limits = volume_ci95_mm3(200.0, slice_mm=1.0)
    assert limits is not None
    low, high = limits
    assert low < 200.0 < high
    assert low * high == pytest.approx(200.0**2)


def test_small_nodules_and_thick_slices_are_less_certain() -> None:
    assert _factor(5.0, 1.0) > _factor(8.0, 1.0) > _factor(20.0, 1.0)
    assert _factor(8.0, 3.5) > _factor(8.0, 2.5) > _factor(8.0, 0.6)


@pytest.mark.parametrize("diameter_mm", [5.0, 8.0, 20.0])
def test_limits_are_wider_than_between_two_scans_of_one_nodule(diameter_mm: float) -> None:
    # Marchiano 2009: differences of repeated scans lie within 27 %
    assert _factor(diameter_mm, 1.0) > 1.27


def test_a_large_nodule_in_thin_slices_is_as_certain_as_its_outline() -> None:
    # what remains is the outline's standard deviation of 0.30 in log volume
    assert _factor(400.0, 0.5) == pytest.approx(math.exp(1.96 * 0.30), rel=1e-4)


@pytest.mark.parametrize(("slice_mm", "stated"), [(2.999, True), (3.001, False), (5.0, False)])
def test_no_volume_is_stated_of_a_nodule_thinner_than_two_slices(
    slice_mm: float, stated: bool
) -> None:
    limits = volume_ci95_mm3(_sphere_mm3(6.0), slice_mm=slice_mm)
    assert (limits is not None) == stated


def test_repeatability_is_that_of_two_scans_in_screening() -> None:
    """Marchiano 2009: two scans of a nodule of 98 mm3 differ by 27 % at most, 95 times of 100."""
    limits = volume_ci95_mm3(98.0, slice_mm=1e-6)
    assert limits is not None
    deviation = math.log(limits[1] / 98.0) / 1.96
    repeated = math.sqrt(deviation**2 - 0.30**2)
    assert 1.96 * math.sqrt(2) * repeated == pytest.approx(0.27, abs=0.001)


def test_the_part_of_the_slices_is_half_their_share_of_the_diameter_squared() -> None:
    """A large nodule in slices half as thick: 0.5 (1 / 2)^2 beside the outline's 0.30."""
    expected = math.exp(1.96 * math.hypot(0.30, 0.125))
    assert _factor(4000.0, 2000.0 - 1e-6) == pytest.approx(expected, rel=1e-4)


def test_a_second_measurement_errs_as_the_limits_say_but_for_the_outline() -> None:
    """Two errors in quadrature, as logarithms, make the difference that Marchiano 2009 found."""
    share = volume_error_share(98.0, slice_mm=1e-6)
    assert math.sqrt(2) * math.log1p(share) == pytest.approx(0.27, abs=0.001)
    in_limits = math.log(_factor(8.0, 2.0)) / 1.96
    repeated = math.log1p(volume_error_share(_sphere_mm3(8.0), slice_mm=2.0)) / 1.96
    assert math.hypot(0.30, repeated) == pytest.approx(in_limits)


def test_an_error_is_at_most_the_whole_volume() -> None:
    assert volume_error_share(0.1, slice_mm=1.0) == 1.0


def test_no_volume_is_stated_of_what_the_scan_cuts_off() -> None:
    assert volume_ci95_mm3(_sphere_mm3(10.0), slice_mm=1.0, cut_off=True) is None


@pytest.mark.parametrize("slice_mm", [1.25, 2.5, 5.0])
@pytest.mark.parametrize("diameter_mm", [6.0, 10.0])
@pytest.mark.parametrize("offset", [0.0, 0.25, 0.5])
def test_limits_hold_the_volume_of_a_ball_scanned_again_elsewhere(
    draw_ellipsoid: Callable[..., Volume], diameter_mm: float, slice_mm: float, offset: float
) -> None:
    geometry = Geometry(
        shape_zyx=(math.ceil(30 / slice_mm), 42, 42), spacing_zyx_mm=(slice_mm, 0.75, 0.75)
    )
    middle = geometry.shape_zyx[0] // 2
    center = as_vector(geometry.index_to_lps((middle + offset, 21 - offset, 21 + offset / 2)))
    volume = draw_ellipsoid(
        geometry, center_lps_mm=center, semi_axes_mm=(diameter_mm / 2,) * 3, core_hu=30.0
    )
    mask = segment_nodule(
        volume, center_lps_mm=center, diameter_mm=diameter_mm, rules=GrowthRules()
    )
    assert mask is not None
    limits = volume_ci95_mm3(mask.volume_mm3, slice_mm=slice_mm)
    if slice_mm <= diameter_mm / 2.5:
        assert limits is not None
    if limits is not None:
        assert limits[0] < _sphere_mm3(diameter_mm) < limits[1]
