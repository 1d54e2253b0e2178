import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodule.geometry import AXIAL_DIRECTION, Geometry, as_matrix, as_vector
from nodule.interpolation import ParallelGrids

SOURCE = Geometry(
    shape_zyx=(7, 9, 8), spacing_zyx_mm=(2.5, 0.7, 0.6), origin_lps_mm=(-3.0, 11.0, 40.0)
)
TARGET = Geometry(
    shape_zyx=(14, 6, 7), spacing_zyx_mm=(1.1, 1.0, 0.65), origin_lps_mm=(-2.9, 11.3, 41.0)
)
HU = np.random.default_rng(4).integers(-1024, 3072, SOURCE.shape_zyx).astype(np.int16)


def _onto(target: Geometry, array: np.ndarray = HU, source: Geometry = SOURCE) -> np.ndarray:
    grids = ParallelGrids.between(source, target)
    assert grids is not None
    return np.stack(list(grids.slices(array, outside_hu=-1000.0)))


def _part(grid: Geometry, first: int, count: int) -> Geometry:
    return Geometry(
        shape_zyx=(count, *grid.shape_zyx[1:]),
        spacing_zyx_mm=grid.spacing_zyx_mm,
        origin_lps_mm=as_vector(grid.index_to_lps((first, 0, 0))),
        direction=grid.direction,
    )


def test_each_voxel_is_the_mean_of_its_eight_neighbours_by_nearness() -> None:
    found = _onto(TARGET)
    for index in np.ndindex(*TARGET.shape_zyx):
        place = SOURCE.lps_to_index(TARGET.index_to_lps(index))
        low = np.floor(place).astype(int)
        expected = 0.0
        for corner in np.ndindex(2, 2, 2):
            share = np.prod([s if c else 1 - s for c, s in zip(corner, place - low, strict=True)])
            at = tuple(np.clip(low + corner, 0, np.subtract(SOURCE.shape_zyx, 1)))
            expected += share * float(HU[at])
        assert found[index] == pytest.approx(expected, abs=1e-2)


@settings(deadline=None)
@given(st.data())
def test_a_slab_holds_what_the_whole_holds_there(data: st.DataObject) -> None:
    whole = _onto(TARGET)
    depth = TARGET.shape_zyx[0]
    first = 0
    while first < depth:
        count = data.draw(st.integers(1, depth - first))
        np.testing.assert_allclose(
            _onto(_part(TARGET, first, count)), whole[first : first + count], atol=1e-3
        )
        first += count


def test_whole_numbers_and_floats_give_the_same() -> None:
    np.testing.assert_array_equal(_onto(TARGET), _onto(TARGET, HU.astype(np.float32)))


def test_turned_and_exchanged_axes_change_nothing() -> None:
    turned = Geometry(
        shape_zyx=(8, 7, 9),
        spacing_zyx_mm=(0.6, 2.5, 0.7),
        origin_lps_mm=as_vector(SOURCE.index_to_lps((6, 0, 0))),
        direction=as_matrix(np.asarray(AXIAL_DIRECTION)[:, [2, 0, 1]] * [1.0, -1.0, 1.0]),
    )
    array = np.transpose(HU[::-1], (2, 0, 1))
    np.testing.assert_allclose(_onto(TARGET, array, turned), _onto(TARGET), atol=1e-3)


def test_half_a_voxel_beyond_the_last_centre_is_still_the_source_and_more_is_not() -> None:
    ends = [SOURCE.index_to_lps((0, 0, x)) for x in (-0.51, -0.49)]
    for lps_mm, expected in zip(ends, (-1000.0, float(HU[0, 0, 0])), strict=True):
        point = Geometry(
            shape_zyx=(1, 1, 1), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=as_vector(lps_mm)
        )
        assert _onto(point)[0, 0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(("degrees", "is_parallel"), [(0.0, True), (1e-3, True), (0.1, False)])
def test_grids_are_parallel_only_where_no_voxel_is_missed(
    degrees: float, is_parallel: bool
) -> None:
    angle = np.deg2rad(degrees)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    source = Geometry(
        shape_zyx=SOURCE.shape_zyx,
        spacing_zyx_mm=SOURCE.spacing_zyx_mm,
        direction=as_matrix(turn @ np.asarray(AXIAL_DIRECTION)),
    )
    assert (ParallelGrids.between(source, TARGET) is not None) == is_parallel


def test_labels_are_those_of_the_nearest_voxel_and_none_outside() -> None:
    labels = np.random.default_rng(6).integers(1, 4, SOURCE.shape_zyx).astype(np.uint8)
    target = Geometry(
        shape_zyx=(14, 9, 8), spacing_zyx_mm=(1.3, 1.0, 0.83), origin_lps_mm=(-4.1, 9.7, 38.2)
    )
    grids = ParallelGrids.between(SOURCE, target)
    assert grids is not None
    found = grids.nearest(labels)
    for index in np.ndindex(*target.shape_zyx):
        place = target.index_to_lps(index)
        near = tuple(np.rint(SOURCE.lps_to_index(place)).astype(int))
        assert found[index] == (labels[near] if SOURCE.contains(place) else 0)
    assert (found == 0).any()
