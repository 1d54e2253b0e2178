"""How the malignancy networks are trained."""

from typing import TYPE_CHECKING

import lazy_loader

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

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_crop_cubes": ["crop_cubes"],
        "_malignancy_task": ["MalignancyTask"],
        "_nodule_examples": [
            "NoduleCropView",
            "NoduleExample",
            "load_examples",
            "majority",
            "views_deeper_than",
        ],
        "_pieces": ["DEEP_MM", "elsewhere"],
    },
)
