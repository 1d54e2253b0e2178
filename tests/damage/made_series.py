"""Small CT series as DICOM, whose every voxel and position follows from arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ROOT_UID = "1.2.826.0.1.3680043.8.498"


def rotation() -> np.ndarray:
    """Rows: LPS unit vectors of x, y and z of a scan turned by 12, -7 and 20 degrees."""
    a, b, c = np.radians([12.0, -7.0, 20.0])
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    turn_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return (turn_z @ turn_y @ turn_x).T


@dataclass(frozen=True, kw_only=True)
class SeriesRecipe:
    """What to make slices of: values in HU, the grid, and how values are stored.

    Parameters
    ----------
    intercept_step : what is taken off each next slice's intercept.
    padding : stored value outside the scanner's circle, where ``hounsfield_zyx`` is NaN.
    """

    hounsfield_zyx: np.ndarray
    spacing_zyx_mm: tuple[float, float, float]
    origin_lps_mm: tuple[float, float, float]
    intercept: int
    intercept_step: int = 0
    is_signed: bool = True
    bits_stored: int = 16
    padding: int | None = None

    def corner_lps_mm(self, index_zyx: Sequence[float]) -> np.ndarray:
        steps = np.asarray(index_zyx, float)[::-1] * np.asarray(self.spacing_zyx_mm)[::-1]
        return np.asarray(self.origin_lps_mm) + steps @ rotation()

    @property
    def affine(self) -> np.ndarray:
        """4x4, from index zyx to LPS mm."""
        affine = np.eye(4)
        affine[:3, 3] = self.origin_lps_mm
        affine[:3, :3] = (rotation() * np.asarray(self.spacing_zyx_mm)[::-1, None])[::-1].T
        return affine


def ramp_zyx() -> np.ndarray:
    """Return distinct values along every axis, from air to soft tissue."""
    z, y, x = np.indices((9, 24, 20))
    return (-1000 + 60 * z + 17 * y + 3 * x).astype(np.float32)


def body_zyx() -> np.ndarray:
    """Return a chest of a few voxels: air, lungs, tissue, a dense spine, NaN round the circle."""
    z, y, x = np.indices((12, 32, 36))
    v, u = (y - 15.5) / 16, (x - 17.5) / 18
    noise = np.random.default_rng(2).normal(0, 12, z.shape).round()
    hu = np.full(z.shape, -985.0)
    hu[(u / 0.85) ** 2 + (v / 0.8) ** 2 < 1] = 40
    for side in (-0.38, 0.38):
        hu[((u - side) / 0.3) ** 2 + (v / 0.55) ** 2 < 1] = -850
    hu[(np.abs(u) < 0.08) & (np.abs(v - 0.6) < 0.12)] = 1150
    hu = np.clip(hu + noise, -1020, None)
    hu[(u**2 + v**2) > 1.5] = np.nan
    return hu.astype(np.float32)


RAMP = SeriesRecipe(  # every slice has a rescale of its own
    hounsfield_zyx=ramp_zyx(),
    spacing_zyx_mm=(2.5, 0.7, 0.9),
    origin_lps_mm=(-31.25, 12.5, -210.75),
    intercept=-1024,
    intercept_step=1,
)
_CHEST = {
    "hounsfield_zyx": body_zyx(),
    "spacing_zyx_mm": (13.0, 7.5, 9.5),
    "origin_lps_mm": (-131.25, -112.5, -310.75),
}
SIGNED = SeriesRecipe(**_CHEST, intercept=0, padding=-2000)
UNSIGNED = SeriesRecipe(**_CHEST, intercept=-1024, is_signed=False, bits_stored=12, padding=0)


def make_slice(z: int, recipe: SeriesRecipe = RAMP) -> Dataset:
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
    ds.ImagePositionPatient = [f"{v:.9f}" for v in recipe.corner_lps_mm((z, 0, 0))]
    ds.ImageOrientationPatient = [f"{v:.9f}" for v in rotation()[:2].ravel()]
    ds.PixelSpacing = list(recipe.spacing_zyx_mm[1:])
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = recipe.hounsfield_zyx.shape[1:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, recipe.bits_stored, recipe.bits_stored - 1
    ds.PixelRepresentation = int(recipe.is_signed)
    ds.RescaleSlope, ds.RescaleType = 1, "HU"
    ds.RescaleIntercept = recipe.intercept - z * recipe.intercept_step
    stored = recipe.hounsfield_zyx[z] - ds.RescaleIntercept
    if recipe.padding is not None:
        ds.add_new("PixelPaddingValue", "SS" if recipe.is_signed else "US", recipe.padding)
        stored = np.where(np.isnan(stored), recipe.padding, stored)
    ds.add_new("PixelData", "OW", stored.astype("<i2").tobytes())
    return ds


def make_slices(recipe: SeriesRecipe = RAMP) -> list[Dataset]:
    return [make_slice(z, recipe) for z in range(len(recipe.hounsfield_zyx))]


def save(slices: Sequence[Dataset], folder: Path) -> Path:
    """Write the slices under names in a shuffled order."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, ds in enumerate(slices):
        pydicom.dcmwrite(folder / f"{(i * 7) % 101:03d}.dcm", ds, enforce_file_format=True)
    return folder
