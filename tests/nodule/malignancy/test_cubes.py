"""Cubes show the right place, at the right size, whatever the grid."""

import numpy as np
import pytest

from nodule.malignancy._cubes import candidate_cubes

SPACING_MM = (2.5, 0.7, 0.9)
SHAPE = (40, 90, 80)
CENTRE = (17.3, 41.8, 39.5)


@pytest.mark.parametrize("pitch_mm", [1.0, 1.5])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_voxel_of_the_cube_lies_where_its_index_says(axis: int, pitch_mm: float) -> None:
    distance_mm = (np.indices(SHAPE)[axis] - CENTRE[axis]) * SPACING_MM[axis]
    cube, _ = candidate_cubes(
        distance_mm.astype(np.float32),
        center_zyx=CENTRE,
        spacing_zyx_mm=SPACING_MM,
        magnifications_mm=(pitch_mm, 3.0),
        cube=8,
    )
    expected = (np.indices((8, 8, 8))[axis] - 3.5) * pitch_mm
    # HU from -1000 to 400 are mapped to 0 to 1
    np.testing.assert_allclose(cube * 1400 - 1000, expected, atol=2e-3)


def test_beyond_the_scan_is_air() -> None:
    cubes = candidate_cubes(
        np.zeros((10, 10, 10), np.float32),
        center_zyx=(0.0, 4.5, 4.5),
        spacing_zyx_mm=(1.0, 1.0, 1.0),
        magnifications_mm=(1.0,),
        cube=8,
    )
    assert cubes.shape == (1, 8, 8, 8)
    assert cubes[0, :3].max() == 0.0
    # 0 HU in a window from -1000 to 400
    np.testing.assert_allclose(cubes[0, 4:], 1000 / 1400, rtol=1e-6)
