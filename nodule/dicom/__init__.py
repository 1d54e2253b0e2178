"""What goes back to a PACS: a structured report and a segmentation."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.dicom._segmentation import build_segmentation
    from nodule.dicom._structured_report import build_sr
    from nodule.dicom.objects import read_predecessor, write_dicom, write_pdf_object
    from nodule.dicom.options import DicomExtra, DicomOptions
    from nodule.dicom.source import source_headers

__all__ = [
    "DicomExtra",
    "DicomOptions",
    "build_segmentation",
    "build_sr",
    "read_predecessor",
    "source_headers",
    "write_dicom",
    "write_pdf_object",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_segmentation": ["build_segmentation"],
        "_structured_report": ["build_sr"],
        "objects": ["read_predecessor", "write_dicom", "write_pdf_object"],
        "options": ["DicomExtra", "DicomOptions"],
        "source": ["source_headers"],
    },
)
