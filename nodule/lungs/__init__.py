"""Where the lungs are: a U-Net over the whole chest at 3 mm."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.lungs.stage import SegmentLungs

__all__ = [
    "SegmentLungs",
]

_HOMES = {
    "SegmentLungs": "stage",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
