"""Where a nodule ends on what runs through it, by the lengths that the cut is made of."""

import numpy as np
import pytest

from nodule.geometry import Geometry
from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.volume import Volume

STEP_MM = 0.7


@pytest.mark.parametrize("radius_mm", [3.0, 4.0])
def test_a_nodule_ends_1_6_radii_and_1_5_mm_from_its_middle(radius_mm: float) -> None:
    """A vessel that is nowhere thicker; 45 % of the radius and a sample come back at either end."""
    grid = Geometry(shape_zyx=(40, 40, 80), spacing_zyx_mm=(STEP_MM,) * 3)
    index = np.indices(grid.shape_zyx)
    across_mm = np.hypot(index[0] - 20, index[1] - 20) * STEP_MM
    array = np.where(across_mm <= radius_mm, 40.0, -850.0).astype(np.float32)
    mask = segment_nodule(
        Volume(array_zyx=array, geometry=grid),
        center_lps_mm=(28.0, 14.0, 14.0),
        diameter_mm=13.0,
        rules=GrowthRules(),
    )
    assert mask is not None
    length_mm = mask.array_zyx.any(axis=(0, 1)).sum() * STEP_MM
    expected_mm = 2 * (1.6 * radius_mm + 1.5 + 0.45 * radius_mm + STEP_MM)
    assert length_mm == pytest.approx(expected_mm, abs=0.9)
