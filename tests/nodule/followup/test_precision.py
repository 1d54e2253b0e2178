"""How far a volume may be off, by arithmetic: 6 x a quarter of the voxel's edge / diameter."""

import math

import numpy as np
import pytest

from nodule.followup import volume_error_share
from nodule.geometry import Geometry, Vector
from nodule.study import SeriesHeader, Study
from nodule.volume import Volume


def study(spacing_zyx_mm: Vector, slice_thickness_mm: float | None = None) -> Study:
    geometry = Geometry(shape_zyx=(3, 3, 3), spacing_zyx_mm=spacing_zyx_mm)
    return Study(
        volume=Volume(array_zyx=np.zeros((3, 3, 3), np.float32), geometry=geometry),
        series=SeriesHeader(source_format="dicom", slice_thickness_mm=slice_thickness_mm),
    )


def test_a_ball_of_6_mm_in_voxels_of_1_mm_is_known_to_a_quarter() -> None:
    share = volume_error_share(math.pi / 6 * 6.0**3, study=study((1.0, 1.0, 1.0)))
    assert share == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("thickness_mm", "edge_mm"), [(None, 1.0), (0.5, 1.0), (1.0, 1.0), (8.0, 2.0)]
)
def test_overlapping_slices_count_by_their_thickness(
    thickness_mm: float | None, edge_mm: float
) -> None:
    seen = study((1.0, 1.0, 1.0), thickness_mm)
    share = volume_error_share(math.pi / 6 * 12.0**3, study=seen)
    assert share == pytest.approx(6 * 0.25 * edge_mm / 12.0)


def test_two_scans_of_8_mm_differ_as_published() -> None:
    """Marchiano 2009: 25.5 % at 0.8 x 0.8 x 1.25 mm."""
    share = volume_error_share(math.pi / 6 * 8.0**3, study=study((1.25, 0.8, 0.8)))
    assert math.sqrt(2) * share == pytest.approx(0.255, rel=0.05)
