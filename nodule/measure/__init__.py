"""Nodules' masks on the source grid and what is measured on them."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.measure.place import lung_zone, nearest_lung, pleura_distance_mm
    from nodule.measure.segment import GrowthRules, segment_nodule
    from nodule.measure.stage import Measure, measure_mask
    from nodule.measure.volume_error import volume_ci95_mm3, volume_error_share

__all__ = [
    "GrowthRules",
    "Measure",
    "lung_zone",
    "measure_mask",
    "nearest_lung",
    "pleura_distance_mm",
    "segment_nodule",
    "volume_ci95_mm3",
    "volume_error_share",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "place": ["lung_zone", "nearest_lung", "pleura_distance_mm"],
        "segment": ["GrowthRules", "segment_nodule"],
        "stage": ["Measure", "measure_mask"],
        "volume_error": ["volume_ci95_mm3", "volume_error_share"],
    },
)
