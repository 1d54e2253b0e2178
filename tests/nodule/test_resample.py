import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from nodule.errors import InputError
from nodule.geometry import AXIAL_DIRECTION, Geometry, as_matrix
from nodule.hu import HuWindow
from nodule.resample import (
    Resample,
    bin_average,
    canonical_geometry,
    geometry_of,
    resample_labels,
    resample_mask,
    resample_to_geometry,
    resample_to_spacing,
    to_sitk,
)
from nodule.volume import LungMask, Volume

CENTRE_LPS_MM = np.array([-31.3, 22.7, -118.4])
RADIUS_MM = 8.0


def _sphere(geometry: Geometry) -> Volume:
    """Draw a ball of 100 HU with a 1 mm soft rim in air of -1000 HU, from its LPS formula."""
    index = np.moveaxis(np.indices(geometry.shape_zyx), 0, -1)
    distance = np.linalg.norm(geometry.index_to_lps(index) - CENTRE_LPS_MM, axis=-1)
    share = np.clip(RADIUS_MM + 1.0 - distance, 0.0, 2.0) / 2.0
    return Volume(array_zyx=(-1000.0 + 1100.0 * share).astype(np.float32), geometry=geometry)


def _around_the_sphere(direction, shape_zyx=(22, 48, 40), spacing_zyx_mm=(1.7, 0.6, 0.8)):
    """Place a grid so that the sphere lies off its middle."""
    affine = np.asarray(direction) * spacing_zyx_mm
    origin = CENTRE_LPS_MM - affine @ (np.asarray(shape_zyx) * [0.55, 0.45, 0.5])
    return Geometry(
        shape_zyx=shape_zyx,
        spacing_zyx_mm=spacing_zyx_mm,
        origin_lps_mm=tuple(origin.tolist()),
        direction=as_matrix(direction),
    )


AXIAL = np.asarray(AXIAL_DIRECTION)
OBLIQUE = Rotation.from_euler("xyz", [12, -7, 25], degrees=True).as_matrix() @ AXIAL
PRONE = AXIAL @ np.diag([1.0, -1.0, -1.0])
FEET_FIRST = AXIAL @ np.diag([-1.0, 1.0, -1.0])
SAGITTAL = AXIAL[:, [2, 0, 1]]


def _centroid_lps_mm(volume: Volume) -> np.ndarray:
    weight = volume.array_zyx.astype(float) + 1000.0
    return volume.geometry.index_to_lps(ndimage.center_of_mass(weight))


@pytest.mark.parametrize("direction", [AXIAL, OBLIQUE, PRONE, FEET_FIRST, SAGITTAL])
@pytest.mark.parametrize("spacing_mm", [1.0, 0.7])
def test_keeps_the_place_and_size_of_a_sphere(direction, spacing_mm):
    source = _sphere(_around_the_sphere(direction))
    fine = Resample(spacing_mm=spacing_mm).run(volume=source)
    assert np.abs(_centroid_lps_mm(fine) - CENTRE_LPS_MM).max() < 0.05
    volume_mm3 = (fine.array_zyx > -450).sum() * spacing_mm**3
    assert volume_mm3 == pytest.approx(4 / 3 * np.pi * RADIUS_MM**3, rel=0.02)


@pytest.mark.parametrize("direction", [OBLIQUE, PRONE, FEET_FIRST, SAGITTAL])
def test_the_grid_is_canonical_and_covers_the_source(direction):
    source = _around_the_sphere(direction)
    grid = canonical_geometry(source, spacing_mm=1.0)
    assert grid.direction == AXIAL_DIRECTION
    assert grid.spacing_zyx_mm == (1.0, 1.0, 1.0)
    borders = [
        source.index_to_lps([z, y, x]) for z in (-0.5, 21.5) for y in (-0.5, 47.5)
        for x in (-0.5, 39.5)
    ]  # fmt: skip
    index = grid.lps_to_index(borders)
    assert (index >= -0.5 - 1e-3).all()
    assert (index <= np.asarray(grid.shape_zyx) - 0.5 + 1e-3).all()
    # no larger than it must be: less than one voxel to spare along each axis
    assert (np.asarray(grid.shape_zyx) - np.ptp(index, axis=0) < 1.0).all()


def test_a_canonical_grid_is_left_as_it_is():
    source = _sphere(_around_the_sphere(AXIAL, (30, 25, 27), (1.0, 1.0, 1.0)))
    fine = Resample().run(volume=source)
    assert fine.geometry.is_close(source.geometry)
    np.testing.assert_allclose(fine.array_zyx, source.array_zyx, atol=0.51)


def test_stored_flips_do_not_change_the_result():
    source = _sphere(_around_the_sphere(AXIAL))
    g = source.geometry
    flipped = Volume(
        array_zyx=np.ascontiguousarray(source.array_zyx[:, ::-1, ::-1]),
        geometry=Geometry(
            shape_zyx=g.shape_zyx,
            spacing_zyx_mm=g.spacing_zyx_mm,
            origin_lps_mm=tuple(g.index_to_lps([0, g.shape_zyx[1] - 1, g.shape_zyx[2] - 1])),
            direction=as_matrix(PRONE),
        ),
    )
    a, b = Resample().run(volume=source), Resample().run(volume=flipped)
    assert a.geometry.is_close(b.geometry)
    np.testing.assert_allclose(a.array_zyx, b.array_zyx, atol=1.0)


def test_clips_to_the_window_and_rounds_to_whole_hu():
    array = np.full((6, 6, 6), 12.4, np.float32)
    array[0], array[5] = 3000.0, -3024.0
    grid = Geometry(shape_zyx=(6, 6, 6), spacing_zyx_mm=(1.0, 1.0, 1.0))
    fine = Resample(window=HuWindow(low_hu=-900.0, high_hu=300.0)).run(
        volume=Volume(array_zyx=array, geometry=grid)
    )
    assert fine.array_zyx.dtype == np.int16
    assert np.unique(fine.array_zyx).tolist() == [-900.0, 12.0, 300.0]
    assert array[0, 0, 0] == 3000.0


def test_is_air_outside_the_source():
    warm = Volume(
        array_zyx=np.full((10, 10, 10), 50.0, np.float32),
        geometry=_around_the_sphere(OBLIQUE, (10, 10, 10), (2.0, 2.0, 2.0)),
    )
    fine = resample_to_spacing(warm, spacing_mm=1.0)
    assert fine.array_zyx[0, 0, 0] == -1000.0
    assert (fine.array_zyx == 50.0).sum() == pytest.approx(20**3, rel=0.01)


def test_adds_no_layer_of_air_to_an_axis_aligned_source():
    warm = Volume(
        array_zyx=np.full((5, 7, 9), 50.0, np.float32),
        geometry=Geometry(shape_zyx=(5, 7, 9), spacing_zyx_mm=(2.5, 0.7, 0.7)),
    )
    assert (resample_to_spacing(warm, spacing_mm=1.0).array_zyx == 50.0).all()


def test_interpolates_a_linear_ramp_exactly():
    grid = Geometry(shape_zyx=(8, 8, 8), spacing_zyx_mm=(2.0, 1.5, 1.0), origin_lps_mm=(5, 6, 7))
    index = np.moveaxis(np.indices(grid.shape_zyx), 0, -1)
    slope = np.array([3.0, -2.0, 5.0])
    ramp = Volume(array_zyx=(grid.index_to_lps(index) @ slope).astype(np.float32), geometry=grid)
    inner = Geometry(shape_zyx=(4, 4, 4), spacing_zyx_mm=(1.1, 0.9, 0.7), origin_lps_mm=(6, 7, 8))
    got = resample_to_geometry(ramp, geometry=inner).array_zyx
    index = np.moveaxis(np.indices(inner.shape_zyx), 0, -1)
    np.testing.assert_allclose(got, inner.index_to_lps(index) @ slope, atol=1e-3)


def test_labels_survive_the_way_to_a_finer_grid_and_back():
    coarse = Geometry(shape_zyx=(6, 7, 8), spacing_zyx_mm=(2.0, 2.0, 2.0), origin_lps_mm=(1, 2, 3))
    labels = np.random.default_rng(0).integers(0, 3, coarse.shape_zyx).astype(np.uint8)
    fine = canonical_geometry(coarse, spacing_mm=1.0)
    there = resample_labels(labels, source=coarse, target=fine)
    np.testing.assert_array_equal(there, np.kron(labels, np.ones((2, 2, 2))))
    back = resample_mask(LungMask(labels_zyx=there, geometry=fine), geometry=coarse)
    np.testing.assert_array_equal(back.labels_zyx, labels)


@pytest.mark.parametrize("spacing_mm", [0.0, -1.0, float("nan")])
def test_refuses_a_spacing_that_is_no_length(spacing_mm):
    volume = _sphere(_around_the_sphere(AXIAL))
    with pytest.raises(InputError, match="BAD_SPACING"):
        resample_to_spacing(volume, spacing_mm=spacing_mm)


@pytest.mark.parametrize("direction", [AXIAL, OBLIQUE, PRONE, FEET_FIRST, SAGITTAL])
def test_an_image_of_the_library_keeps_its_grid(direction):
    grid = _around_the_sphere(direction)
    image = to_sitk(np.zeros(grid.shape_zyx, np.int16), grid)
    assert geometry_of(image).is_close(grid, tolerance_mm=1e-9)


@pytest.mark.parametrize(("edge_mm", "count"), [(1.000009, 10), (1.00002, 11)])
def test_a_ten_thousandth_of_a_voxel_adds_no_layer(edge_mm, count):
    """Ten voxels that together measure 10.00009 and 10.0002 mm."""
    source = Geometry(shape_zyx=(10, 10, 10), spacing_zyx_mm=(edge_mm, 1.0, 1.0))
    assert canonical_geometry(source, spacing_mm=1.0).shape_zyx == (count, 10, 10)


@pytest.mark.parametrize("slab", [1, 2, 7, 1000])
@pytest.mark.parametrize("direction", [AXIAL, OBLIQUE])
def test_averages_and_oblique_grids_do_not_depend_on_slabs(direction, slab, monkeypatch):
    source = _sphere(_around_the_sphere(direction))
    stored = Volume(array_zyx=np.rint(source.array_zyx).astype(np.int16), geometry=source.geometry)
    averaged, fine = bin_average(stored, (3, 2, 2)), resample_to_spacing(stored, spacing_mm=1.0)
    monkeypatch.setattr("nodule.resample._SLAB", slab)
    again = bin_average(stored, (3, 2, 2))
    assert again.geometry.is_close(averaged.geometry, tolerance_mm=1e-9)
    np.testing.assert_array_equal(again.array_zyx, averaged.array_zyx)
    other = resample_to_spacing(stored, spacing_mm=1.0)
    np.testing.assert_allclose(other.array_zyx, fine.array_zyx, atol=1e-2)


def test_an_average_is_that_of_whole_bins_and_lies_at_their_middle():
    source = _around_the_sphere(OBLIQUE)
    array = np.random.default_rng(5).integers(-1000, 1000, source.shape_zyx).astype(np.int16)
    found = bin_average(Volume(array_zyx=array, geometry=source), (3, 2, 2))
    assert found.geometry.shape_zyx == (7, 24, 20)
    assert found.array_zyx[6, 23, 19] == pytest.approx(array[18:21, 46:48, 38:40].mean(), abs=1e-3)
    np.testing.assert_allclose(
        found.geometry.index_to_lps((0, 0, 0)), source.index_to_lps((1, 0.5, 0.5)), atol=1e-6
    )
