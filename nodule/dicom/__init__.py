"""What goes back to a PACS: a structured report and a segmentation."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.dicom._segmentation import build_segmentation
    from nodule.dicom._structured_report import build_sr
    from nodule.dicom.objects import write_dicom
    from nodule.dicom.source import source_headers

__all__ = [
    "build_segmentation",
    "build_sr",
    "source_headers",
    "write_dicom",
]

_HOMES = {
    "build_segmentation": "_segmentation",
    "build_sr": "_structured_report",
    "source_headers": "source",
    "write_dicom": "objects",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
