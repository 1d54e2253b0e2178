"""The chest as NIfTI, MetaImage, NRRD and as archives of DICOM, in memory."""

import gzip
import io
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import SimpleITK as sitk

from damage.encodings import encoded_slices
from damage.made_series import SIGNED
from damage.outcome import Truth

TRUTH = Truth(hounsfield_zyx=SIGNED.hounsfield_zyx, affine=SIGNED.affine)
NIFTI = {  # name: ending, type, whether sform and qform are stated
    "nifti": ("nii", np.int16, True, True),
    "nifti-float": ("nii", np.float32, True, True),
    "nifti-sform": ("nii", np.int16, True, False),
    "nifti-qform": ("nii", np.int16, False, True),
    "nifti-gz": ("nii.gz", np.int16, True, True),
}
METAIMAGE = {"mha": False, "mha-zlib": True, "mhd": False, "mhd-zlib": True}  # if compressed
NRRD = {"nrrd": False, "nrrd-gzip": True, "nhdr": False, "nhdr-gzip": True}
ZIP = {"zip": zipfile.ZIP_DEFLATED, "zip-stored": zipfile.ZIP_STORED}
CHECKED = ("nifti-gz", "mha-zlib", "mhd-zlib", "nrrd-gzip", "nhdr-gzip", *ZIP)
"""Those whose voxels have checksums."""

Files = dict[str, bytes]


@lru_cache
def _made(name: str) -> Files:
    if name in NIFTI:
        return _nifti(*NIFTI[name])
    if name in ZIP:
        return {"study.zip": _zipped(ZIP[name])}
    ending, _, compression = name.partition("-")
    with tempfile.TemporaryDirectory() as folder:
        image = sitk.GetImageFromArray(_stored().astype(np.int16))
        image.SetSpacing(SIGNED.spacing_zyx_mm[::-1])
        image.SetOrigin(SIGNED.origin_lps_mm)
        directions = SIGNED.affine[:3, :3] / SIGNED.spacing_zyx_mm
        image.SetDirection(directions[:, ::-1].ravel().tolist())
        sitk.WriteImage(image, str(Path(folder, f"case.{ending}")), bool(compression))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def made_files(name: str) -> Files:
    """Return the files of an image by name, that to be read first."""
    return dict(sorted(_made(name).items(), key=lambda item: item[0].endswith(("raw", "gz"))))


def _stored() -> np.ndarray:
    return np.nan_to_num(SIGNED.hounsfield_zyx, nan=-2000)


def _nifti(ending: str, dtype: type, has_sform: bool, has_qform: bool) -> Files:
    ras = np.diag([-1.0, -1, 1, 1]) @ SIGNED.affine[:, [2, 1, 0, 3]]
    image = nibabel.Nifti1Image(_stored().T.astype(dtype), ras)
    image.set_sform(ras, int(has_sform))
    image.set_qform(ras, int(has_qform))
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    return {f"case.{ending}": gzip.compress(content) if ending == "nii.gz" else content}


def _zipped(method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for z, ds in enumerate(encoded_slices("explicit")):
            content = io.BytesIO()
            pydicom.dcmwrite(content, ds, enforce_file_format=True)
            archive.writestr(f"study/IM{z:04d}o", content.getvalue())
    return stream.getvalue()
