import csv
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.measure.calipers import measure_calipers, sphericity
from nodule.sphere import sphere_diameter_mm

# rows of a table of shapes; its lengths come from an independent script
_SHAPES = {
    "sphere r=5 mm centred (15,15,15) mm, 1 mm iso": ((15, 15, 15), (5, 5, 5)),
    "sphere r=5 mm centred (15,15,15) mm, 0.5 mm iso": ((15, 15, 15), (5, 5, 5)),
    "sphere r=4 mm centred (15,14,14) mm, spacing 1.25x0.7x0.7": ((15, 14, 14), (4, 4, 4)),
    "ellipsoid semi-axes z=3,y=4,x=6 mm, 0.5 mm iso centre (15,15,15)": ((15, 15, 15), (3, 4, 6)),
}


def _mask(case: str, geometry: Geometry) -> NDArray[np.bool_]:
    mask = np.zeros(geometry.shape_zyx, bool)
    if case.startswith("L-shape"):
        mask[2, 4:14, 4:7] = True
        mask[2, 11:14, 4:14] = True
    elif case.startswith("single voxel"):
        mask[tuple(n // 2 for n in mask.shape)] = True
    else:
        center_mm, semi_axes_mm = _SHAPES[case]
        steps = np.indices(mask.shape) * np.reshape(geometry.spacing_zyx_mm, (3, 1, 1, 1))
        offset = (steps - np.reshape(center_mm, (3, 1, 1, 1))) / np.reshape(
            semi_axes_mm, (3, 1, 1, 1)
        )
        mask[(offset**2).sum(axis=0) <= 1.0 + 1e-9] = True
    return mask


def _geometry(shape: str, spacing: str) -> Geometry:
    nz, ny, nx = (int(n) for n in shape.split("x"))
    dz, dy, dx = (float(s) for s in spacing.split("x"))
    return Geometry(shape_zyx=(nz, ny, nx), spacing_zyx_mm=(dz, dy, dx))


def test_agrees_with_every_geometry_vector(shared: Path) -> None:
    with (shared / "clinical/vectors/geometry_vectors.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 6
    for row in rows:
        geometry = _geometry(row["shape_zyx"], row["spacing_zyx_mm"])
        mask = _mask(row["case"], geometry)
        volume_mm3 = mask.sum() * geometry.voxel_volume_mm3
        calipers = measure_calipers(mask, geometry)
        assert mask.sum() == int(row["voxels"])
        assert volume_mm3 == pytest.approx(float(row["volume_voxelcount_mm3"]), abs=6e-4)
        assert sphere_diameter_mm(volume_mm3) == pytest.approx(
            float(row["eff_diameter_mm"]), abs=6e-5
        )
        assert calipers.slice_index == int(row["slice_index0"])
        assert calipers.long_axis_mm == pytest.approx(float(row["long_axis_mm"]), abs=6e-5)
        assert calipers.short_axis_mm == pytest.approx(float(row["short_axis_chord_mm"]), abs=1e-4)
        assert sphericity(mask, geometry) == pytest.approx(float(row["sphericity_mesh"]), abs=1e-3)


def test_axes_of_a_tilted_ellipse_lie_where_it_does() -> None:
    turn = math.radians(20)
    c, s = math.cos(turn), math.sin(turn)
    geometry = Geometry(
        shape_zyx=(3, 120, 120),
        spacing_zyx_mm=(2.0, 0.4, 0.25),
        origin_lps_mm=(-30.0, 40.0, 7.0),
        direction=((0.0, -s, c), (0.0, c, s), (1.0, 0.0, 0.0)),
    )
    y_mm = (np.arange(120) - 60) * 0.4
    x_mm = (np.arange(120) - 60) * 0.25
    along = x_mm[None] * math.cos(0.6) + y_mm[:, None] * math.sin(0.6)
    across = -x_mm[None] * math.sin(0.6) + y_mm[:, None] * math.cos(0.6)
    mask = np.zeros(geometry.shape_zyx, bool)
    mask[1] = (along / 10) ** 2 + (across / 5) ** 2 <= 1

    calipers = measure_calipers(mask, geometry)

    assert calipers.slice_index == 1
    assert calipers.long_axis_mm == pytest.approx(20, abs=0.4)
    assert calipers.short_axis_mm == pytest.approx(10, abs=0.4)
    for ends, length in (
        (calipers.long_ends_lps_mm, calipers.long_axis_mm),
        (calipers.short_ends_lps_mm, calipers.short_axis_mm),
    ):
        assert math.dist(*ends) == pytest.approx(length)
        middle = geometry.index_to_lps((1, 60, 60))
        np.testing.assert_allclose(np.mean(ends, axis=0), middle, atol=0.5)
    (ax, ay, _), (bx, by, _) = calipers.long_ends_lps_mm
    # 0.6 rad within the grid, and the grid itself is turned by 20 degrees
    assert math.atan((by - ay) / (bx - ax)) == pytest.approx(0.6 + turn, abs=0.05)


def test_short_axis_is_one_unbroken_segment() -> None:
    geometry = Geometry(shape_zyx=(1, 30, 30), spacing_zyx_mm=(1, 1, 1))
    mask = np.zeros(geometry.shape_zyx, bool)
    mask[0, 3:27, 3:7] = True  # two bars joined at one end
    mask[0, 3:27, 16:20] = True
    mask[0, 3:6, 3:20] = True
    short_mm = measure_calipers(mask, geometry).short_axis_mm
    assert short_mm < 17.0


def test_refuses_an_empty_mask() -> None:
    geometry = Geometry(shape_zyx=(2, 2, 2), spacing_zyx_mm=(1, 1, 1))
    with pytest.raises(InputError, match="EMPTY_MASK"):
        measure_calipers(np.zeros((2, 2, 2), bool), geometry)


@pytest.mark.parametrize(
    ("rows", "columns", "long_mm"),
    [
        (1, 1, 1.0),  # a diamond about the one pixel
        (1, 5, 5.0),  # half a pixel beyond either end
        (4, 8, math.hypot(3, 8)),  # from edge to edge, its cut corners apart
        (8, 8, math.hypot(7, 8)),
    ],
)
def test_the_long_axis_of_a_block_by_hand(rows: int, columns: int, long_mm: float) -> None:
    """The outline runs half-way between the centres of inner and outer pixels."""
    geometry = Geometry(shape_zyx=(3, 12, 12), spacing_zyx_mm=(2.0, 1.0, 1.0))
    mask = np.zeros(geometry.shape_zyx, bool)
    mask[1, 2 : 2 + rows, 3 : 3 + columns] = True
    assert measure_calipers(mask, geometry).long_axis_mm == pytest.approx(long_mm)


def test_a_pixel_is_as_long_and_wide_as_its_sides() -> None:
    geometry = Geometry(shape_zyx=(3, 5, 5), spacing_zyx_mm=(2.0, 0.5, 0.8))
    mask = np.zeros(geometry.shape_zyx, bool)
    mask[1, 2, 2] = True
    calipers = measure_calipers(mask, geometry)
    assert calipers.long_axis_mm == pytest.approx(0.8)
    assert calipers.short_axis_mm == pytest.approx(0.5, abs=1e-4)


def test_a_ball_of_voxels_is_as_round_as_its_steps_let_it_be() -> None:
    """IBSI: a ball has a sphericity of 1; the steps of its mesh leave 0.88 to 0.91."""
    geometry = Geometry(shape_zyx=(61, 61, 61), spacing_zyx_mm=(0.5, 0.5, 0.5))
    offset = (np.indices(geometry.shape_zyx) - 30) * 0.5
    mask = np.linalg.norm(offset, axis=0) <= 5.0
    assert 0.88 < sphericity(mask, geometry) < 0.91
