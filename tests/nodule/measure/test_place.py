import numpy as np
import pytest

from nodule.geometry import Geometry, Vector
from nodule.masks import NoduleMask
from nodule.measure.place import lung_zone, nearest_lung, pleura_distance_mm
from nodule.volume import LungMask


@pytest.fixture(scope="module")
def lungs() -> LungMask:
    """Right from x = -31.5 to -4.5, left from 4.5 to 31.5; y 10 to 57, z 5 to 64."""
    geometry = Geometry(
        shape_zyx=(60, 48, 64), spacing_zyx_mm=(1, 1, 1), origin_lps_mm=(-31.5, 10.0, 5.0)
    )
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    labels[:, :, :28] = LungMask.RIGHT  # -x is the patient's right
    labels[:, :, 36:] = LungMask.LEFT
    return LungMask(labels_zyx=labels, geometry=geometry)


@pytest.mark.parametrize(
    ("point", "side"),
    [
        ((-20.0, 30.0, 20.0), "right"),
        ((-2.0, 30.0, 20.0), "right"),
        ((2.5, 30.0, 20.0), "left"),
        ((20.0, 30.0, 20.0), "left"),
        ((20.0, 30.0, 90.0), None),
        ((20.0, 30.0, -500.0), None),
    ],
)
def test_names_the_nearest_lung(lungs: LungMask, point: Vector, side: str | None) -> None:
    assert nearest_lung(lungs, point, margin_mm=10.0) == side


@pytest.mark.parametrize(("z", "side"), [(73.9, "left"), (74.0, "left"), (74.1, None)])
def test_the_margin_belongs_to_the_lung(lungs: LungMask, z: float, side: str | None) -> None:
    """The last voxels lie at z = 64."""
    assert nearest_lung(lungs, (20.5, 30.0, z), margin_mm=10.0) == side


@pytest.mark.parametrize(
    ("z", "third"),
    [
        (6.0, "lower"),
        (24.6, "lower"),  # 5 + 59 / 3 = 24.67
        (24.7, "middle"),
        (34.0, "middle"),
        (44.3, "middle"),
        (44.4, "upper"),  # 5 + 2 / 3 x 59 = 44.33
        (63.0, "upper"),
    ],
)
def test_names_the_third_of_the_height(lungs: LungMask, z: float, third: str) -> None:
    assert lung_zone(lungs, "left", (20.0, 30.0, z)) == third


def test_there_is_no_third_without_a_lung(lungs: LungMask) -> None:
    bare = LungMask(labels_zyx=np.zeros_like(lungs.labels_zyx), geometry=lungs.geometry)
    assert lung_zone(bare, "left", (20.0, 30.0, 30.0)) is None


def _cube(low_lps_mm: Vector, edge_mm: int) -> NoduleMask:
    geometry = Geometry(
        shape_zyx=(edge_mm + 1,) * 3, spacing_zyx_mm=(1, 1, 1), origin_lps_mm=low_lps_mm
    )
    return NoduleMask(
        array_zyx=np.ones(geometry.shape_zyx, bool),
        start_zyx=(0, 0, 0),
        geometry=geometry,
        texture="solid",
    )


def test_measures_the_way_to_the_pleura(lungs: LungMask) -> None:
    # the surface between x = 3.5 and 4.5 lies at 4; the cube begins at x = 9.5
    cube = _cube((9.5, 30.0, 30.0), 4)
    assert pleura_distance_mm(lungs, "left", cube) == pytest.approx(5.5)


def test_a_nodule_that_reaches_the_pleura_touches_it(lungs: LungMask) -> None:
    assert pleura_distance_mm(lungs, "left", _cube((2.5, 30.0, 30.0), 6)) == 0.0


def test_a_hole_at_the_nodule_is_no_pleura(lungs: LungMask) -> None:
    labels = lungs.labels_zyx.copy()
    labels[24:31, 19:26, 40:47] = 0
    holed = LungMask(labels_zyx=labels, geometry=lungs.geometry)
    cube = _cube((9.5, 30.0, 30.0), 4)
    assert pleura_distance_mm(holed, "left", cube) == pytest.approx(5.5)


@pytest.mark.parametrize(("low_mm", "distance_mm"), [(39.0, 38.5), (40.0, 39.5)])
def test_distances_up_to_40_mm_are_exact(low_mm: float, distance_mm: float) -> None:
    """A lung between two planes, its surface at x = 0.5."""
    geometry = Geometry(shape_zyx=(90, 90, 160), spacing_zyx_mm=(1, 1, 1))
    labels = np.full(geometry.shape_zyx, LungMask.LEFT, np.uint8)
    labels[:, :, [0, -1]] = 0
    cube = _cube((low_mm, 44.0, 44.0), 2)
    found = pleura_distance_mm(LungMask(labels_zyx=labels, geometry=geometry), "left", cube)
    assert found == pytest.approx(distance_mm)
