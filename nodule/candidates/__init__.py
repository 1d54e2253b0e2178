"""Where nodules may be: a heat-map network over the lungs."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.candidates._heatmap import STRIDE
    from nodule.candidates._operating import OperatingTable, operating_path
    from nodule.candidates._peaks import Peak, find_peaks, suppress
    from nodule.candidates._sliding_window import (
        Plan,
        Window,
        plan_cheapest,
        plan_windows,
        slide_window,
    )
    from nodule.candidates.network import HeatmapNetwork
    from nodule.candidates.stage import (
        ProposeCandidates,
        load_network,
        plain_network,
        reachable_cells,
    )

__all__ = [
    "STRIDE",
    "HeatmapNetwork",
    "OperatingTable",
    "Peak",
    "Plan",
    "ProposeCandidates",
    "Window",
    "find_peaks",
    "load_network",
    "operating_path",
    "plain_network",
    "plan_cheapest",
    "plan_windows",
    "reachable_cells",
    "slide_window",
    "suppress",
]

_HOMES = {
    "HeatmapNetwork": "network",
    "OperatingTable": "_operating",
    "Peak": "_peaks",
    "Plan": "_sliding_window",
    "ProposeCandidates": "stage",
    "STRIDE": "_heatmap",
    "Window": "_sliding_window",
    "find_peaks": "_peaks",
    "load_network": "stage",
    "operating_path": "_operating",
    "plain_network": "stage",
    "plan_cheapest": "_sliding_window",
    "plan_windows": "_sliding_window",
    "reachable_cells": "stage",
    "slide_window": "_sliding_window",
    "suppress": "_peaks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
