"""How the lung network is trained."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.lungs.training._lungs_task import LungsTask
    from nodule.lungs.training._threshold_labels import label_lungs

__all__ = [
    "LungsTask",
    "label_lungs",
]

_HOMES = {
    "LungsTask": "_lungs_task",
    "label_lungs": "_threshold_labels",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
