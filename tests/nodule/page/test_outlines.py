import re

import numpy as np
import pytest
from made_findings import ball_mask

from nodule.geometry import Geometry
from nodule.page._outlines import outline_path
from nodule.page.figures import Plane, plane_pictures
from nodule.volume import Volume

GRID = Geometry(
    shape_zyx=(60, 80, 90), spacing_zyx_mm=(1.0, 0.8, 0.7), origin_lps_mm=(-30.0, -32.0, -30.0)
)
CENTRE = (3.0, -2.0, 1.0)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_the_outline_of_a_ball_is_a_circle_about_its_centre(plane: Plane) -> None:
    volume = Volume(array_zyx=np.zeros(GRID.shape_zyx, np.float32), geometry=GRID)
    (picture,) = plane_pictures(volume, center_lps_mm=CENTRE, plane=plane, edge_mm=60.0)
    path = outline_path(ball_mask(GRID, CENTRE, radius_mm=9.0), picture)
    points = np.array(re.findall(r"([-\d.]+) ([-\d.]+)", path), float)
    away_mm = np.linalg.norm(points - 30.0, axis=1)  # the picture's middle
    assert away_mm.min() > 8.0
    assert away_mm.max() < 10.0  # a voxel's edge about the radius
    assert path.count("M") == path.count("Z") == 1


def test_a_mask_that_the_picture_misses_has_no_outline() -> None:
    volume = Volume(array_zyx=np.zeros(GRID.shape_zyx, np.float32), geometry=GRID)
    (picture,) = plane_pictures(
        volume, center_lps_mm=(3.0, -2.0, 25.0), plane="axial", edge_mm=60.0
    )
    assert outline_path(ball_mask(GRID, CENTRE, radius_mm=5.0), picture) == ""
