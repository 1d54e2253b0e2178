"""Image files: NIfTI, MetaImage and NRRD."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from nodule.ct.images._image_file import ImageFile
from nodule.ct.images._metaimage import open_metaimage
from nodule.ct.images._nifti import open_nifti
from nodule.ct.images._nrrd import open_nrrd

IMAGE_FORMATS: Mapping[str, Callable[[Path], ImageFile]] = MappingProxyType(
    {
        ".nii": open_nifti,
        ".nii.gz": open_nifti,
        ".mhd": open_metaimage,
        ".mha": open_metaimage,
        ".nrrd": open_nrrd,
        ".nhdr": open_nrrd,
    }
)
"""How a file of each ending is opened; endings in lower case."""

__all__ = ["IMAGE_FORMATS", "ImageFile"]
