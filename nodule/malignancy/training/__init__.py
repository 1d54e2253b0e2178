"""How the malignancy networks are trained."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.malignancy.training._crop_cubes import crop_cubes
    from nodule.malignancy.training._malignancy_task import MalignancyTask
    from nodule.malignancy.training._nodule_examples import (
        NoduleCropView,
        NoduleExample,
        load_examples,
        majority,
        views_deeper_than,
    )
    from nodule.malignancy.training._pieces import DEEP_MM, elsewhere

__all__ = [
    "DEEP_MM",
    "MalignancyTask",
    "NoduleCropView",
    "NoduleExample",
    "crop_cubes",
    "elsewhere",
    "load_examples",
    "majority",
    "views_deeper_than",
]

_HOMES = {
    "DEEP_MM": "_pieces",
    "MalignancyTask": "_malignancy_task",
    "NoduleCropView": "_nodule_examples",
    "NoduleExample": "_nodule_examples",
    "crop_cubes": "_crop_cubes",
    "elsewhere": "_pieces",
    "load_examples": "_nodule_examples",
    "majority": "_nodule_examples",
    "views_deeper_than": "_nodule_examples",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
