"""Volumes against a synthetic chest whose nodules' sizes are known."""

import pytest

from nodule.measure.segment import GrowthRules, segment_nodule
from nodule.phantom import NodulePlan, PhantomSpec, make_phantom

PLANS = (
    NodulePlan(diameter_mm=6.0),
    NodulePlan(diameter_mm=8.0),
    NodulePlan(diameter_mm=9.0, texture="ground-glass"),
    NodulePlan(diameter_mm=14.0),
    NodulePlan(diameter_mm=8.0, location="juxtapleural"),
)
PART_SOLID = NodulePlan(diameter_mm=15.0, texture="part-solid")
CORE_SHARE = 0.52**3  # the core of the phantom's part-solid nodules, a copy of 0.52 times the size


@pytest.mark.slow
def test_volumes_clear_of_vessels_are_within_ten_per_cent() -> None:
    phantom = make_phantom(
        PhantomSpec(
            seed=3,
            shape_zyx=(96, 400, 400),
            spacing_zyx_mm=(1.25, 0.8, 0.8),
            nodules=(*PLANS, PART_SOLID),
        )
    )
    for nodule in phantom.nodules:
        mask = segment_nodule(
            phantom.volume,
            center_lps_mm=nodule.center_lps_mm,
            diameter_mm=nodule.diameter_mm,
            rules=GrowthRules(),
        )
        assert mask is not None
        assert mask.volume_mm3 == pytest.approx(nodule.volume_mm3, rel=0.10)
        assert mask.texture == nodule.texture
        if nodule.texture == "part-solid":
            assert mask.core_zyx is not None
            core_mm3 = float(mask.core_zyx.sum()) * mask.geometry.voxel_volume_mm3
            assert core_mm3 == pytest.approx(CORE_SHARE * nodule.volume_mm3, rel=0.15)
