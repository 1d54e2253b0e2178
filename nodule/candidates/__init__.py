"""Where nodules may be: a heat-map network over the lungs."""

from typing import TYPE_CHECKING

import lazy_loader

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

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_heatmap": ["STRIDE"],
        "_operating": ["OperatingTable", "operating_path"],
        "_peaks": ["Peak", "find_peaks", "suppress"],
        "_sliding_window": ["Plan", "Window", "plan_cheapest", "plan_windows", "slide_window"],
        "network": ["HeatmapNetwork"],
        "stage": ["ProposeCandidates", "load_network", "plain_network", "reachable_cells"],
    },
)
