"""A small synthetic CT series whose every voxel and position follows from arithmetic."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

SHAPE_ZYX = (9, 24, 20)
SPACING_ZYX_MM = (2.5, 0.7, 0.9)
ORIGIN_LPS_MM = (-31.25, 12.5, -210.75)
INTERCEPT = -1024
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ROOT_UID = "1.2.826.0.1.3680043.8.498"


def rotation() -> np.ndarray:
    """Rows: LPS unit vectors of x, y and z of a scan turned by 12, -7 and 20 degrees."""
    a, b, c = np.radians([12.0, -7.0, 20.0])
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    turn_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return (turn_z @ turn_y @ turn_x).T


def hounsfield_zyx() -> np.ndarray:
    """Return distinct values along every axis, from air to soft tissue."""
    z, y, x = np.indices(SHAPE_ZYX)
    return (-1000 + 60 * z + 17 * y + 3 * x).astype(np.float32)


def corner_lps_mm(index_zyx: Sequence[float]) -> np.ndarray:
    steps = np.asarray(index_zyx, float)[::-1] * np.asarray(SPACING_ZYX_MM)[::-1]
    return np.asarray(ORIGIN_LPS_MM) + steps @ rotation()


def make_slice(z: int) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CT_IMAGE
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = f"{ROOT_UID}.9.{z + 1}"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Modality = "CT"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT_UID}.1", f"{ROOT_UID}.2"
    ds.FrameOfReferenceUID = f"{ROOT_UID}.3"
    ds.PatientName, ds.PatientID = "Doe^Jane", "4711"
    ds.SeriesDescription, ds.ConvolutionKernel, ds.KVP = "Chest", "STANDARD", 120
    ds.Exposure, ds.CTDIvol = 40, 3.25
    ds.InstanceNumber = z + 1
    ds.SliceThickness = 9.0  # a lie on purpose: spacing comes from positions
    ds.ImagePositionPatient = [f"{v:.9f}" for v in corner_lps_mm((z, 0, 0))]
    ds.ImageOrientationPatient = [f"{v:.9f}" for v in rotation()[:2].ravel()]
    ds.PixelSpacing = [SPACING_ZYX_MM[1], SPACING_ZYX_MM[2]]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = SHAPE_ZYX[1:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    # every slice has a rescale of its own
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, INTERCEPT - z, "HU"
    stored = hounsfield_zyx()[z] - ds.RescaleIntercept
    ds.PixelData = stored.astype("<i2").tobytes()
    return ds


def make_slices() -> list[Dataset]:
    return [make_slice(z) for z in range(SHAPE_ZYX[0])]


def save(slices: Sequence[Dataset], folder: Path) -> Path:
    """Write the slices under names in a shuffled order."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, ds in enumerate(slices):
        pydicom.dcmwrite(folder / f"{(i * 7) % 101:03d}.dcm", ds, enforce_file_format=True)
    return folder


class Synthetic:
    """The functions above, for tests."""

    make_slices = staticmethod(make_slices)
    save = staticmethod(save)
    corner_lps_mm = staticmethod(corner_lps_mm)
    hounsfield_zyx = staticmethod(hounsfield_zyx)
    shape_zyx = SHAPE_ZYX


@pytest.fixture(scope="session")
def synthetic() -> type[Synthetic]:
    return Synthetic


@pytest.fixture(scope="session")
def clean_series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(make_slices(), tmp_path_factory.mktemp("clean"))
