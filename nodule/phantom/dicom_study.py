"""A phantom as a clinic would send it: a DICOM CT series with the readings of four readers."""

from __future__ import annotations

import gzip
import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from nodule.geometry import Geometry
from nodule.phantom.reader_marks import SeriesNames, readings_xml
from nodule.phantom.scanner import outside_circle
from nodule.phantom.spec import Phantom, PhantomSpec
from nodule.volume import Volume
from nodule.whole_files import whole_file, write_whole

INTERCEPT_HU = -1024
PADDING_VALUE = -2000  # stored, as GE writes it
ANNOTATIONS_NAME = "annotations.xml"
_RECIPE = 1  # rises when equal specs give other pixels, so that UIDs never name two images
_UID_SPACE = uuid.UUID("6f2f2f0e-5d5e-5c8b-9a37-0c6d1f9a7b11")
_DATE, _TIME = "20000101", "120000"


@dataclass(frozen=True, kw_only=True)
class WrittenStudy:
    """Where a phantom was written.

    Parameters
    ----------
    folder : of the DICOM files and the readings.
    slices : the DICOM files, head to feet, in the order of their InstanceNumber.
    annotations : the readings.
    study_instance_uid, series_instance_uid : their names.
    """

    folder: Path
    slices: tuple[Path, ...]
    annotations: Path
    study_instance_uid: str
    series_instance_uid: str


def write_study(phantom: Phantom, folder: Path) -> WrittenStudy:
    """Write a CT series, one file a slice, and ``annotations.xml`` beside it.

    Equal specs give equal bytes and UIDs. The folder is made where it is missing; what else it
    holds is left alone.

    Raises
    ------
    OSError : where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = name_series(phantom.spec)
    depth = phantom.spec.shape_zyx[0]
    template = _series_header(phantom, names)
    paths = []
    for z in reversed(range(depth)):
        number = depth - z
        path = folder / f"{number:04d}.dcm"
        dataset = _slice(template, phantom, names, z=z, instance_number=number)
        with whole_file(path) as stream:
            dataset.save_as(stream, enforce_file_format=True)
        paths.append(path)
    annotations = folder / ANNOTATIONS_NAME
    write_whole(annotations, readings_xml(phantom, names))
    return WrittenStudy(
        folder=folder,
        slices=tuple(paths),
        annotations=annotations,
        study_instance_uid=names.study_instance_uid,
        series_instance_uid=names.series_instance_uid,
    )


def write_nifti(volume: Volume, path: Path) -> None:
    """Write an image as int16 NIfTI, whole HU, in NIfTI's own RAS frame."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.geometry.affine[:, [2, 1, 0, 3]]
    array = np.rint(volume.array_zyx).astype(np.int16).transpose(2, 1, 0)
    image = nibabel.Nifti1Image(array, affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    content = image.to_bytes()
    write_whole(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def name_series(spec: PhantomSpec) -> SeriesNames:
    """Derive the UIDs of a phantom's series from its spec."""
    depth = spec.shape_zyx[0]
    return SeriesNames(
        study_instance_uid=_uid(spec, "study"),
        series_instance_uid=_uid(spec, "series"),
        sop_instance_uids=tuple(_uid(spec, f"slice {z}") for z in range(depth)),
    )


def truth(phantom: Phantom) -> dict[str, object]:
    """Describe a phantom and its nodules in plain types, ready for JSON."""
    names = name_series(phantom.spec)
    right_ml, left_ml = phantom.lungs.volume_ml
    return {
        "study_instance_uid": names.study_instance_uid,
        "series_instance_uid": names.series_instance_uid,
        "spec": asdict(phantom.spec),
        "lung_volume_ml": {"right": round(right_ml, 1), "left": round(left_ml, 1)},
        "nodules": [
            {
                "center_lps_mm": [round(v, 3) for v in nodule.center_lps_mm],
                "diameter_mm": round(nodule.diameter_mm, 3),
                "volume_mm3": round(nodule.volume_mm3, 2),
                "texture": nodule.texture,
                "location": nodule.location,
                "spiculation": nodule.spiculation,
                "lobulation": nodule.lobulation,
                "lung": nodule.lung,
            }
            for nodule in phantom.nodules
        ],
    }


def _uid(spec: PhantomSpec, what: str) -> str:
    text = json.dumps([_RECIPE, asdict(spec), what], sort_keys=True)
    return f"2.25.{uuid.uuid5(_UID_SPACE, text).int}"  # PS3.5 B.2, UUID-derived


def _series_header(phantom: Phantom, names: SeriesNames) -> Dataset:
    """Everything that the slices share, module by module (PS3.3 A.3)."""
    spec, geometry = phantom.spec, phantom.volume.geometry
    ds = Dataset()
    ds.update(_patient_and_study(spec, names))
    ds.Modality = "CT"
    ds.SeriesInstanceUID = names.series_instance_uid
    ds.SeriesNumber = 1
    ds.SeriesDescription = "Synthetic chest"
    ds.BodyPartExamined = "CHEST"
    ds.PatientPosition = "HFS"
    ds.FrameOfReferenceUID = _uid(spec, "frame")
    ds.PositionReferenceIndicator = None
    ds.Manufacturer = "nodule"
    ds.ManufacturerModelName = "phantom"
    ds.SoftwareVersions = f"recipe {_RECIPE}"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.AcquisitionNumber = 1
    ds.KVP = "120"
    ds.ConvolutionKernel = "STANDARD"
    ds.SliceThickness = _decimal(spec.thickness_mm)
    ds.ReconstructionDiameter = _decimal(geometry.spacing_zyx_mm[2] * geometry.shape_zyx[2])
    ds.GantryDetectorTilt = "0"
    ds.update(_pixel_format(geometry, padded=spec.circle_padding))
    return ds


def _patient_and_study(spec: PhantomSpec, names: SeriesNames) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.PatientName = "Phantom^Synthetic"
    ds.PatientID = f"PHANTOM-{spec.seed}"
    ds.PatientBirthDate = None
    ds.PatientSex = "O"
    ds.StudyInstanceUID = names.study_instance_uid
    ds.StudyID = "1"
    ds.StudyDescription = "Synthetic chest CT, no patient"
    ds.AccessionNumber = None
    ds.ReferringPhysicianName = None
    for kind in ("Study", "Series", "Acquisition", "Content"):
        setattr(ds, f"{kind}Date", _DATE)
        setattr(ds, f"{kind}Time", _TIME)
    return ds


def _pixel_format(geometry: Geometry, *, padded: bool) -> Dataset:
    ds = Dataset()
    ds.Rows, ds.Columns = geometry.shape_zyx[1:]
    ds.PixelSpacing = [_decimal(mm) for mm in geometry.spacing_zyx_mm[1:]]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated = 16
    ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = 1
    ds.RescaleIntercept = str(INTERCEPT_HU)
    ds.RescaleSlope = "1"
    ds.RescaleType = "HU"
    ds.WindowCenter, ds.WindowWidth = "-600", "1500"
    if padded:
        ds.add_new("PixelPaddingValue", "SS", PADDING_VALUE)
    return ds


def _slice(
    template: Dataset, phantom: Phantom, names: SeriesNames, *, z: int, instance_number: int
) -> FileDataset:
    position = phantom.volume.geometry.index_to_lps([z, 0, 0])
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(names.sop_instance_uids[z])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", template, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = names.sop_instance_uids[z]
    ds.InstanceNumber = instance_number
    ds.ImagePositionPatient = [_decimal(v) for v in position]
    ds.SliceLocation = _decimal(position[2])
    ds.PixelData = _stored(phantom, z).tobytes()
    return ds


def _stored(phantom: Phantom, z: int) -> NDArray[np.int16]:
    stored = np.rint(phantom.volume.array_zyx[z] - INTERCEPT_HU).astype("<i2")
    if phantom.spec.circle_padding:
        stored[outside_circle(phantom.volume.geometry)] = PADDING_VALUE
    return np.asarray(stored, dtype=np.int16)


def _decimal(value: float) -> str:
    """Write a number as a DICOM decimal string of at most 16 characters."""
    return f"{value:.8f}".rstrip("0").rstrip(".")[:16]
