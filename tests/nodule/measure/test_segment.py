import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from nodule.geometry import Geometry, as_vector
from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.sphere import sphere_diameter_mm
from nodule.volume import Volume

Draw = Callable[..., Volume]
RULES = GrowthRules()
LUNG_HU = -850.0  # as draw_ellipsoid's


@pytest.mark.parametrize("core_hu", [30.0, -600.0], ids=["solid", "ground-glass"])
@pytest.mark.parametrize("diameter_mm", [6.0, 10.0, 18.0])
def test_measures_spheres_on_an_oblique_grid(
    oblique_grid: Geometry, draw_ellipsoid: Draw, core_hu: float, diameter_mm: float
) -> None:
    center = as_vector(oblique_grid.index_to_lps((18.3, 28.4, 30.2)))
    radius = diameter_mm / 2
    volume = draw_ellipsoid(
        oblique_grid, center_lps_mm=center, semi_axes_mm=(radius,) * 3, core_hu=core_hu
    )
    mask = segment_nodule(volume, center_lps_mm=center, diameter_mm=diameter_mm, rules=RULES)
    assert mask is not None
    # under a blur of sigma a ball's half level lies about sigma**2 / radius within its surface
    assert sphere_diameter_mm(mask.volume_mm3) == pytest.approx(diameter_mm, abs=0.2)
    assert math.dist(mask.center_lps_mm, center) < 0.3
    assert mask.texture == ("solid" if core_hu > -300 else "ground-glass")


def test_measures_an_ellipsoid_from_a_point_beside_its_centre(
    oblique_grid: Geometry, draw_ellipsoid: Draw
) -> None:
    center = oblique_grid.index_to_lps((18, 28, 30))
    volume = draw_ellipsoid(
        oblique_grid, center_lps_mm=as_vector(center), semi_axes_mm=(9.0, 6.0, 7.0), core_hu=20.0
    )
    mask = segment_nodule(
        volume, center_lps_mm=as_vector(np.add(center, (3, -2, 1))), diameter_mm=11.0, rules=RULES
    )
    assert mask is not None
    exact_mm3 = 4 / 3 * math.pi * 9 * 6 * 7
    assert mask.volume_mm3 == pytest.approx(exact_mm3, rel=0.03)


def _lung_with(draw: Draw, *, radius_mm: float) -> tuple[Volume, np.ndarray]:
    geometry = Geometry(shape_zyx=(50, 60, 60), spacing_zyx_mm=(0.9, 0.7, 0.7))
    center = geometry.index_to_lps((25, 30, 30))
    volume = draw(
        geometry, center_lps_mm=as_vector(center), semi_axes_mm=(radius_mm,) * 3, core_hu=40.0
    )
    return volume, center


def test_cuts_a_vessel_away(draw_ellipsoid: Draw) -> None:
    volume, center = _lung_with(draw_ellipsoid, radius_mm=5.0)
    hu = volume.array_zyx.copy()
    hu[:, 29:32, 29:32] = 40.0  # 2.1 mm wide, right through
    mask = segment_nodule(
        replace(volume, array_zyx=hu),
        center_lps_mm=as_vector(center),
        diameter_mm=10.0,
        rules=RULES,
    )
    assert mask is not None
    assert mask.volume_mm3 == pytest.approx(math.pi / 6 * 10**3, rel=0.10)


@pytest.mark.parametrize("diameter_mm", [5.0, 6.0])
def test_cuts_a_vessel_half_as_thick_as_the_nodule_that_hangs_on_it(
    draw_ellipsoid: Draw, diameter_mm: float
) -> None:
    volume, center = _lung_with(draw_ellipsoid, radius_mm=diameter_mm / 2)
    vessel = draw_ellipsoid(
        volume.geometry,
        center_lps_mm=as_vector(np.add(center, (diameter_mm / 2 + 0.7, 0.0, 0.0))),
        semi_axes_mm=(1.5, 1.5, 500.0),
        core_hu=40.0,
    )
    both = replace(volume, array_zyx=np.maximum(volume.array_zyx, vessel.array_zyx))
    mask = segment_nodule(
        both, center_lps_mm=as_vector(center), diameter_mm=1.2 * diameter_mm, rules=RULES
    )
    assert mask is not None
    assert mask.volume_mm3 == pytest.approx(math.pi / 6 * diameter_mm**3, rel=0.15)


def test_leaves_no_stub_of_thin_vessels(draw_ellipsoid: Draw) -> None:
    volume, center = _lung_with(draw_ellipsoid, radius_mm=4.0)
    hu = volume.array_zyx
    for aside in (3.4, -3.4):  # 2 mm wide, along the nodule's flanks
        vessel = draw_ellipsoid(
            volume.geometry,
            center_lps_mm=as_vector(np.add(center, (aside, 0.0, 0.0))),
            semi_axes_mm=(1.0, 1.0, 500.0),
            core_hu=40.0,
        )
        hu = np.maximum(hu, vessel.array_zyx)
    mask = segment_nodule(
        replace(volume, array_zyx=hu), center_lps_mm=as_vector(center), diameter_mm=8.0, rules=RULES
    )
    assert mask is not None
    assert mask.volume_mm3 == pytest.approx(math.pi / 6 * 8**3, rel=0.10)


@pytest.mark.parametrize("guess", [0.8, 1.25])
def test_finds_ground_glass_whichever_way_its_size_was_guessed(
    draw_ellipsoid: Draw, guess: float
) -> None:
    geometry = Geometry(shape_zyx=(50, 64, 64), spacing_zyx_mm=(0.9, 0.7, 0.7))
    center = as_vector(geometry.index_to_lps((25, 32, 32)))
    halo = draw_ellipsoid(geometry, center_lps_mm=center, semi_axes_mm=(6.5,) * 3, core_hu=-600.0)
    core = draw_ellipsoid(
        geometry, center_lps_mm=center, semi_axes_mm=(3.25,) * 3, core_hu=LUNG_HU + 630.0
    )
    both = replace(halo, array_zyx=halo.array_zyx + core.array_zyx - np.float32(LUNG_HU))
    mask = segment_nodule(both, center_lps_mm=center, diameter_mm=guess * 13.0, rules=RULES)
    assert mask is not None
    assert mask.texture == "part-solid"
    assert mask.volume_mm3 == pytest.approx(math.pi / 6 * 13**3, rel=0.12)


def test_cuts_the_chest_wall_away(draw_ellipsoid: Draw) -> None:
    volume, center = _lung_with(draw_ellipsoid, radius_mm=5.0)
    hu = volume.array_zyx.copy()
    hu[:, 30:, :] = 40.0  # the pleura runs through the nodule's centre
    mask = segment_nodule(
        replace(volume, array_zyx=hu),
        center_lps_mm=as_vector(np.subtract(center, (0, 2, 0))),
        diameter_mm=8.0,
        rules=RULES,
    )
    assert mask is not None
    # half the sphere lies in the lung
    assert mask.volume_mm3 == pytest.approx(math.pi / 12 * 10**3, rel=0.25)


def test_a_calcified_nodule_is_named_and_no_larger(draw_ellipsoid: Draw) -> None:
    geometry = Geometry(shape_zyx=(40, 50, 50), spacing_zyx_mm=(0.9, 0.7, 0.7))
    center = as_vector(geometry.index_to_lps((20, 25, 25)))
    volume = draw_ellipsoid(geometry, center_lps_mm=center, semi_axes_mm=(5, 5, 5), core_hu=390.0)
    mask = segment_nodule(volume, center_lps_mm=center, diameter_mm=10.0, rules=RULES)
    assert mask is not None
    assert mask.texture == "calcified"
    assert mask.volume_mm3 == pytest.approx(math.pi / 6 * 10**3, rel=0.08)


@pytest.mark.parametrize(
    ("whole_mm", "core_mm", "error"),
    # a thin layer's own level drowns in the blur of both its edges
    [(16.0, 8.0, 0.10), (12.0, 6.0, 0.10), (9.0, 5.0, 0.20)],
)
def test_measures_ground_glass_and_its_solid_core(
    draw_ellipsoid: Draw, whole_mm: float, core_mm: float, error: float
) -> None:
    geometry = Geometry(shape_zyx=(50, 64, 64), spacing_zyx_mm=(0.9, 0.7, 0.7))
    center = as_vector(geometry.index_to_lps((25, 32, 32)))
    halo = draw_ellipsoid(
        geometry, center_lps_mm=center, semi_axes_mm=(whole_mm / 2,) * 3, core_hu=-600.0
    )
    # what the core adds to the ground glass, drawn on lung
    core = draw_ellipsoid(
        geometry, center_lps_mm=center, semi_axes_mm=(core_mm / 2,) * 3, core_hu=LUNG_HU + 630.0
    )
    both = replace(halo, array_zyx=halo.array_zyx + core.array_zyx - np.float32(LUNG_HU))
    mask = segment_nodule(both, center_lps_mm=center, diameter_mm=0.9 * whole_mm, rules=RULES)
    assert mask is not None
    assert mask.texture == "part-solid"
    assert mask.volume_mm3 == pytest.approx(math.pi / 6 * whole_mm**3, rel=error)
    assert mask.core_zyx is not None
    core_mm3 = float(mask.core_zyx.sum()) * geometry.voxel_volume_mm3
    assert core_mm3 == pytest.approx(math.pi / 6 * core_mm**3, rel=1.5 * error)
    assert not (mask.core_zyx & ~mask.array_zyx).any()


def test_a_solid_nodule_has_no_core_apart(draw_ellipsoid: Draw) -> None:
    volume, center = _lung_with(draw_ellipsoid, radius_mm=5.0)
    mask = segment_nodule(volume, center_lps_mm=as_vector(center), diameter_mm=10.0, rules=RULES)
    assert mask is not None
    assert mask.core_zyx is None


def test_finds_nothing_in_bare_lung(draw_ellipsoid: Draw) -> None:
    volume, _ = _lung_with(draw_ellipsoid, radius_mm=5.0)
    bare = as_vector(volume.geometry.index_to_lps((8, 8, 8)))
    assert segment_nodule(volume, center_lps_mm=bare, diameter_mm=4.0, rules=RULES) is None


def test_finds_nothing_outside_the_scan(draw_ellipsoid: Draw) -> None:
    volume, _ = _lung_with(draw_ellipsoid, radius_mm=5.0)
    assert (
        segment_nodule(volume, center_lps_mm=(500.0, 0.0, 0.0), diameter_mm=6.0, rules=RULES)
        is None
    )


def test_a_mask_knows_its_place_in_the_source(draw_ellipsoid: Draw) -> None:
    volume, center = _lung_with(draw_ellipsoid, radius_mm=4.0)
    mask = segment_nodule(volume, center_lps_mm=as_vector(center), diameter_mm=8.0, rules=RULES)
    assert mask is not None
    corner = volume.geometry.index_to_lps(mask.start_zyx)
    np.testing.assert_allclose(mask.geometry.origin_lps_mm, corner)
    part = tuple(slice(a, a + n) for a, n in zip(mask.start_zyx, mask.array_zyx.shape, strict=True))
    assert volume.array_zyx[part][mask.array_zyx].min() > -500


def test_masks_at_the_border_of_a_scan_stay_inside(draw_ellipsoid: Draw) -> None:
    geometry = Geometry(shape_zyx=(12, 40, 40), spacing_zyx_mm=(1.0, 0.7, 0.7))
    center = as_vector(geometry.index_to_lps((0, 20, 20)))
    volume = draw_ellipsoid(geometry, center_lps_mm=center, semi_axes_mm=(5, 5, 5), core_hu=40.0)
    mask = segment_nodule(volume, center_lps_mm=center, diameter_mm=10.0, rules=RULES)
    assert mask is not None
    assert mask.start_zyx[0] == 0
    # the lower half and half a voxel more are cut off by the scan
    half_mm3 = math.pi / 12 * 10**3 + 0.5 * math.pi * 5**2
    assert mask.volume_mm3 == pytest.approx(half_mm3, rel=0.06)
