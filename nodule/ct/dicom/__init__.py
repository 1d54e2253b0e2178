"""DICOM: what a file says, whether a series may be trusted, and its pixels in HU."""

from nodule.ct.dicom import attributes
from nodule.ct.dicom._dicom_file import parse_file, quiet_pydicom
from nodule.ct.dicom._grid import Stack, stack_images
from nodule.ct.dicom._headers import ImageHeader

__all__ = [
    "ImageHeader",
    "Stack",
    "attributes",
    "parse_file",
    "quiet_pydicom",
    "stack_images",
]
