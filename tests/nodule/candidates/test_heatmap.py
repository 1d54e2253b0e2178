"""Centres and sizes survive the way into maps and back."""

import numpy as np
import pytest

from nodule.candidates._heatmap import decode_centers, decode_diameters
from nodule.candidates.training._heatmap_targets import Target, encode
from nodule.geometry import Geometry

NODULES = (
    Target(center_zyx=(10.3, 21.9, 40.0), diameter_mm=5.0),
    Target(center_zyx=(33.0, 50.5, 8.2), diameter_mm=22.0),
)


def test_a_nodule_comes_back_from_its_own_cell() -> None:
    maps = encode(NODULES, cells_zyx=(12, 16, 14))
    for nodule, cell in zip(NODULES, ((3, 5, 10), (8, 13, 2)), strict=True):
        assert maps.heat[cell] == 1.0
        center = decode_centers(np.array([cell]), maps.offset[:, *cell][None])
        np.testing.assert_allclose(center[0], nodule.center_zyx, atol=1e-4)
        diameter = decode_diameters(maps.log_diameter[cell])
        assert float(diameter) == pytest.approx(nodule.diameter_mm, rel=1e-5)


def test_a_neighbouring_cell_points_to_the_same_centre() -> None:
    maps = encode(NODULES, cells_zyx=(12, 16, 14))
    for step in ((0, 0, 1), (0, -1, 0), (1, 0, 0)):
        cell = tuple(np.add((3, 5, 10), step))
        center = decode_centers(np.array([cell]), maps.offset[:, *cell][None])
        np.testing.assert_allclose(center[0], NODULES[0].center_zyx, atol=1e-4)


def test_peaks_are_one_and_fall_with_distance_as_a_gaussian() -> None:
    maps = encode([Target(center_zyx=(16.0, 16.0, 16.0), diameter_mm=24.0)], cells_zyx=(9, 9, 9))
    # sigma is 24 mm / 6 = 4 mm, one cell
    assert maps.heat[4, 4, 4] == 1.0
    assert maps.heat[4, 4, 5] == pytest.approx(np.exp(-0.5))
    assert maps.heat[4, 5, 5] == pytest.approx(np.exp(-1.0))
    assert (maps.heat == 1.0).sum() == 1


def test_the_nearer_of_two_nodules_owns_a_cell() -> None:
    pair = [
        Target(center_zyx=(16.0, 16.0, 8.0), diameter_mm=6.0),
        Target(center_zyx=(16.0, 16.0, 24.0), diameter_mm=9.0),
    ]
    maps = encode(pair, cells_zyx=(9, 9, 9))
    assert decode_diameters(maps.log_diameter[4, 4, 3]) == pytest.approx(6.0)
    assert decode_diameters(maps.log_diameter[4, 4, 5]) == pytest.approx(9.0)


def test_no_nodule_leaves_the_map_cold() -> None:
    assert encode([], cells_zyx=(4, 5, 6)).heat.max() == 0.0


def test_a_centre_in_the_patient_comes_back_within_a_hundredth_of_a_millimetre() -> None:
    geometry = Geometry(
        shape_zyx=(64, 48, 80), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(-31.5, 12.0, -207.25)
    )
    # 40.7 columns to the left, 11.2 rows to the back and 30.1 slices up from the origin
    center_lps_mm = (-31.5 + 40.7, 12.0 + 11.2, -207.25 + 30.1)
    z, y, x = geometry.lps_to_index(center_lps_mm)
    maps = encode([Target(center_zyx=(z, y, x), diameter_mm=7.0)], cells_zyx=(16, 12, 20))
    cell = np.argwhere(maps.heat == 1.0)
    found = geometry.index_to_lps(decode_centers(cell, maps.offset[:, *cell[0]][None]))
    np.testing.assert_allclose(found[0], center_lps_mm, atol=0.01)


def test_wild_answers_stay_within_bounds() -> None:
    assert decode_diameters(np.array([99.0, -99.0], np.float32)) == pytest.approx(
        [8 * np.e**2, 8 / np.e**2]
    )
    far = decode_centers(np.array([[5, 5, 5]]), np.array([[9.0, -9.0, 0.0]], np.float32))
    np.testing.assert_allclose(far, [[28.0, 12.0, 20.0]])


@pytest.mark.parametrize(
    ("diameter_mm", "sigma_mm"), [(6.0, 3.0), (17.9, 3.0), (18.0, 3.0), (19.2, 3.2)]
)
def test_a_peak_is_a_sixth_of_its_nodule_wide_and_3_mm_at_least(
    diameter_mm: float, sigma_mm: float
) -> None:
    nodule = Target(center_zyx=(16.0, 16.0, 16.0), diameter_mm=diameter_mm)
    heat = encode([nodule], cells_zyx=(9, 9, 9)).heat
    assert heat[4, 4, 5] == pytest.approx(np.exp(-(4.0**2) / (2 * sigma_mm**2)), rel=1e-5)


@pytest.mark.parametrize(("cells", "moved"), [(1.99, 1.99), (2.0, 2.0), (2.01, 2.0)])
def test_a_cell_points_two_cells_away_at_most(cells: float, moved: float) -> None:
    (center,) = decode_centers(np.array([[5, 5, 5]]), np.array([[cells, -cells, 0.0]], np.float32))
    assert center == pytest.approx((4 * (5 + moved), 4 * (5 - moved), 20.0), rel=1e-6)


@pytest.mark.parametrize(("log", "kept"), [(1.99, 1.99), (2.0, 2.0), (2.01, 2.0)])
def test_diameters_lie_within_e_squared_of_8_mm(log: float, kept: float) -> None:
    found = decode_diameters(np.array([log, -log], np.float32))
    assert found == pytest.approx([8.0 * np.exp(kept), 8.0 * np.exp(-kept)], rel=1e-5)
