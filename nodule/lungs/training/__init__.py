"""How the lung network is trained."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.lungs.training._lungs_task import LungsTask
    from nodule.lungs.training._threshold_labels import label_lungs

__all__ = [
    "LungsTask",
    "label_lungs",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_lungs_task": ["LungsTask"],
        "_threshold_labels": ["label_lungs"],
    },
)
