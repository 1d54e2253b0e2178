"""Geometry maps indices to patient space whatever the spacings, directions and origin."""

import math

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from nodule.errors import GeometryError
from nodule.geometry import AXIAL_DIRECTION, Geometry, as_matrix, lps_to_ras

coordinate = st.floats(-500, 500)
length = st.floats(0.2, 5)
angle = st.floats(-math.pi, math.pi)


def rotation(a: float, b: float) -> np.ndarray:
    about_x = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_z = np.array([[math.cos(b), -math.sin(b), 0], [math.sin(b), math.cos(b), 0], [0, 0, 1]])
    return about_x @ about_z


def oblique(a: float = 0.3, b: float = -0.5) -> Geometry:
    return Geometry(
        shape_zyx=(20, 30, 40),
        spacing_zyx_mm=(2.5, 0.7, 0.6),
        origin_lps_mm=(-12.0, 34.0, -560.0),
        direction=as_matrix(rotation(a, b) @ np.asarray(AXIAL_DIRECTION)),
    )


def test_an_axial_index_moves_along_head_back_left() -> None:
    g = Geometry(shape_zyx=(9, 9, 9), spacing_zyx_mm=(2.0, 0.5, 0.25), origin_lps_mm=(10, 20, 30))
    np.testing.assert_allclose(g.index_to_lps((1, 2, 3)), (10.75, 21.0, 32.0))


@given(
    angle, angle, st.tuples(length, length, length), st.tuples(coordinate, coordinate, coordinate)
)
def test_lps_and_index_are_inverse(
    a: float, b: float, spacing: tuple[float, float, float], point: tuple[float, float, float]
) -> None:
    g = Geometry(
        shape_zyx=(5, 6, 7),
        spacing_zyx_mm=spacing,
        origin_lps_mm=point,
        direction=as_matrix(rotation(a, b) @ np.asarray(AXIAL_DIRECTION)),
    )
    index = np.array([[0.0, 0, 0], [4, 5, 6], [1.5, -2, 3.25]])
    np.testing.assert_allclose(g.lps_to_index(g.index_to_lps(index)), index, atol=1e-6)


def test_agrees_with_simpleitk_on_an_oblique_grid() -> None:
    g = oblique()
    image = sitk.Image(list(g.shape_zyx[::-1]), sitk.sitkInt16)
    image.SetSpacing(g.spacing_zyx_mm[::-1])
    image.SetOrigin(g.origin_lps_mm)
    image.SetDirection(np.asarray(g.direction)[:, ::-1].ravel().tolist())
    index_xyz = (39, 7, 13)
    np.testing.assert_allclose(
        g.index_to_lps(index_xyz[::-1]), image.TransformIndexToPhysicalPoint(index_xyz), atol=1e-9
    )


def test_an_affine_builds_the_same_grid() -> None:
    g = oblique()
    assert Geometry.from_affine(g.affine, shape_zyx=g.shape_zyx).is_close(g, tolerance_mm=1e-9)


def test_a_grid_reaches_half_a_voxel_beyond_its_centres() -> None:
    g = oblique()
    assert g.contains(g.index_to_lps((-0.49, 29.49, 0)))
    assert not g.contains(g.index_to_lps((-0.51, 0, 0)))
    assert not g.contains(g.index_to_lps((0, 0, 39.51)))


def test_a_shift_of_a_tenth_of_a_millimetre_is_not_close() -> None:
    g = oblique()
    moved = Geometry(
        shape_zyx=g.shape_zyx,
        spacing_zyx_mm=g.spacing_zyx_mm,
        origin_lps_mm=(-12.0, 34.1, -560.0),
        direction=g.direction,
    )
    assert not g.is_close(moved)
    assert g.is_close(moved, tolerance_mm=0.11)


def test_ras_negates_left_and_back() -> None:
    np.testing.assert_array_equal(lps_to_ras([[1.0, 2.0, 3.0]]), [[-1.0, -2.0, 3.0]])


def test_voxel_volume_is_the_product_of_spacings() -> None:
    assert oblique().voxel_volume_mm3 == pytest.approx(2.5 * 0.7 * 0.6)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("BAD_SHAPE", {"shape_zyx": (0, 3, 3)}),
        ("BAD_SPACING", {"spacing_zyx_mm": (0.0, 1.0, 1.0)}),
        ("BAD_SPACING", {"spacing_zyx_mm": (math.nan, 1.0, 1.0)}),
        ("BAD_ORIGIN", {"origin_lps_mm": (math.inf, 0.0, 0.0)}),
        ("BAD_DIRECTION", {"direction": ((1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))}),
        ("BAD_DIRECTION", {"direction": ((2.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))}),
    ],
)
def test_refuses_what_is_no_grid(code: str, changes: dict[str, object]) -> None:
    fields = {"shape_zyx": (3, 3, 3), "spacing_zyx_mm": (1.0, 1.0, 1.0)} | changes
    with pytest.raises(GeometryError, match=code):
        Geometry(**fields)


def test_refuses_a_sheared_affine() -> None:
    sheared = np.eye(4)
    sheared[1, 0] = 0.25  # a tilted gantry
    with pytest.raises(GeometryError, match="BAD_DIRECTION"):
        Geometry.from_affine(sheared, shape_zyx=(3, 3, 3))


@pytest.mark.parametrize(("lean", "refused"), [(0.00009, False), (0.00011, True)])
def test_axes_are_orthogonal_to_a_ten_thousandth(lean: float, refused: bool) -> None:
    direction = ((0.0, 0.0, 1.0), (0.0, 1.0, lean), (1.0, 0.0, 0.0))
    if refused:
        with pytest.raises(GeometryError, match="BAD_DIRECTION"):
            Geometry(shape_zyx=(2, 2, 2), spacing_zyx_mm=(1.0, 1.0, 1.0), direction=direction)
    else:
        Geometry(shape_zyx=(2, 2, 2), spacing_zyx_mm=(1.0, 1.0, 1.0), direction=direction)


@pytest.mark.parametrize(("shift_mm", "close"), [(0.0009, True), (0.0011, False)])
def test_grids_within_a_thousandth_of_a_millimetre_are_one(shift_mm: float, close: bool) -> None:
    one = Geometry(shape_zyx=(2, 3, 4), spacing_zyx_mm=(1.0, 1.0, 1.0))
    other = Geometry(
        shape_zyx=(2, 3, 4), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(0.0, shift_mm, 0.0)
    )
    assert one.is_close(other) == close


@pytest.mark.parametrize(
    ("x", "inside"), [(-0.501, False), (-0.5, True), (3.499, True), (3.5, False)]
)
def test_a_grid_holds_its_lower_border_and_not_its_upper(x: float, inside: bool) -> None:
    grid = Geometry(shape_zyx=(4, 4, 4), spacing_zyx_mm=(1.0, 1.0, 1.0))
    assert grid.contains((x, 1.0, 1.0)) == inside
