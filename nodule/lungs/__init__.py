"""Where the lungs are: a U-Net over the whole chest at 3 mm."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.lungs.stage import SegmentLungs

__all__ = [
    "SegmentLungs",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "stage": ["SegmentLungs"],
    },
)
