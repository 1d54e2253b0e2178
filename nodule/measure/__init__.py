"""Nodules' masks on the source grid and what is measured on them."""

import importlib
from typing import TYPE_CHECKING, Any

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

_HOMES = {
    "GrowthRules": "segment",
    "Measure": "stage",
    "lung_zone": "place",
    "measure_mask": "stage",
    "nearest_lung": "place",
    "pleura_distance_mm": "place",
    "segment_nodule": "segment",
    "volume_ci95_mm3": "volume_error",
    "volume_error_share": "volume_error",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
