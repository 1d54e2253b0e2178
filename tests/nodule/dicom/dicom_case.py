"""An oblique series of three different spacings on disk, and what might be found in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from made_findings import made_finding
from numpy.typing import NDArray
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from nodule.ct import SeriesSource, inventory
from nodule.findings import Finding, Malignancy
from nodule.geometry import Geometry, Vector, as_matrix
from nodule.masks import NoduleMask
from nodule.nodules import Measurement
from nodule.report import Provenance, Report, build_report
from nodule.study import SliceReference, Study
from nodule.volume import LungMask, Volume

SHAPE_ZYX = (14, 32, 40)
SPACING_ZYX_MM = (4.0, 2.5, 2.0)
ORIGIN_LPS_MM = (-31.7, 12.3, -140.9)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A series on disk and what was found in it.

    ``images`` are the files' headers, ascending to the head.
    """

    folder: Path
    images: tuple[pydicom.Dataset, ...]
    source: SeriesSource
    study: Study
    lungs: LungMask
    findings: tuple[Finding, ...]
    masks: dict[str, NoduleMask]
    report: Report

    def points_lps_mm(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the voxels of a mask on the whole grid, by the equation of PS3.3 C.7.6.2.1.1."""
        points = []
        for z, y, x in np.argwhere(mask):
            image = self.images[z]
            row, column = np.reshape(image.ImageOrientationPatient, (2, 3)).astype(float)
            row_spacing_mm, column_spacing_mm = map(float, image.PixelSpacing)
            corner = np.asarray(image.ImagePositionPatient, float)
            points.append(corner + row * column_spacing_mm * x + column * row_spacing_mm * y)
        return np.asarray(points)


def oblique_grid(spacing_zyx_mm: Vector = SPACING_ZYX_MM) -> Geometry:
    """An oblique grid, turned about two axes."""
    a, b = 0.15, -0.1
    about_z = [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    about_x = [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    turn = np.asarray(about_z) @ np.asarray(about_x)
    return Geometry(
        shape_zyx=SHAPE_ZYX,
        spacing_zyx_mm=spacing_zyx_mm,
        origin_lps_mm=ORIGIN_LPS_MM,
        direction=as_matrix(turn[:, ::-1]),
    )


def write_series(
    folder: Path,
    attributes: dict[str, object],
    *,
    spacing_zyx_mm: Vector = SPACING_ZYX_MM,
    root: str = "1.2.826.0.1.3680043.10.1",
) -> None:
    """Write soft tissue with a hole of air, head first, so that file order is not z order.

    ``root`` is that of all its UIDs.
    """
    depth, rows, columns = SHAPE_ZYX
    normal, column, row = np.asarray(oblique_grid().direction).T
    for z in range(depth):
        image = pydicom.Dataset()
        image.file_meta = pydicom.dataset.FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPClassUID = CTImageStorage
        image.SOPInstanceUID = f"{root}.3.{z + 1}"
        image.StudyInstanceUID = f"{root}.1"
        image.SeriesInstanceUID = f"{root}.2"
        image.FrameOfReferenceUID = f"{root}.4"
        image.PositionReferenceIndicator = ""
        image.Modality = "CT"
        image.Manufacturer, image.ManufacturerModelName = "Maker", "Model"
        image.PatientName, image.PatientID = "Doe^Jane", "P-17"
        image.PatientBirthDate, image.PatientSex = "19600203", "F"
        image.StudyDate = image.SeriesDate = image.ContentDate = "20260102"
        image.StudyTime = image.SeriesTime = image.ContentTime = "101112"
        image.AccessionNumber, image.StudyID = "A-1", "1"
        image.ReferringPhysicianName = "Roe^Richard"
        image.SeriesNumber, image.InstanceNumber = 3, depth - z
        image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        image.SliceThickness = str(spacing_zyx_mm[0])
        image.PixelSpacing = [str(mm) for mm in spacing_zyx_mm[1:]]
        image.ImageOrientationPatient = [f"{v:.12f}" for v in (*row, *column)]
        position = np.asarray(ORIGIN_LPS_MM) + normal * spacing_zyx_mm[0] * z
        image.ImagePositionPatient = [f"{v:.10f}" for v in position]
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.Rows, image.Columns = rows, columns
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation = 15, 1
        image.RescaleIntercept, image.RescaleSlope = "-1024", "1"
        image.RescaleType = "HU"
        for keyword, value in attributes.items():
            setattr(image, keyword, value)
        pixels = np.full((rows, columns), 1060, np.int16)
        pixels[3:-3, 3:-3] = 150
        image.PixelData = pixels.tobytes()
        image.save_as(folder / f"{depth - z:03d}.dcm", enforce_file_format=True)


def read_case(folder: Path, *, spacing_zyx_mm: Vector = SPACING_ZYX_MM) -> Case:
    grid = oblique_grid(spacing_zyx_mm)
    source = inventory(folder).choose()
    images = [pydicom.dcmread(p, stop_before_pixels=True) for p in sorted(folder.iterdir())]
    images.sort(key=lambda image: -image.InstanceNumber)
    study = Study(
        volume=Volume(array_zyx=np.full(SHAPE_ZYX, -870, np.float32), geometry=grid),
        series=source.header,
        slices=tuple(
            SliceReference(instance_number=i.InstanceNumber, sop_instance_uid=i.SOPInstanceUID)
            for i in images
        ),
    )
    masks = {
        "N1": box_mask(grid, (4, 8, 20), (3, 5, 6)),
        "N2": box_mask(grid, (6, 12, 4), (4, 4, 3)),
    }
    findings = the_findings(study, masks)
    lungs = the_lungs(grid)
    return Case(
        folder=folder,
        images=tuple(images),
        source=source,
        study=study,
        lungs=lungs,
        findings=findings,
        masks=masks,
        report=build_report(
            study=study,
            lungs=lungs,
            findings=findings,
            patient=source.patient,
            provenance=Provenance(
                input_sha256=source.digest,
                weights={"lungs": "1" * 64, "candidates": "2" * 64},
                config={},
                versions={"nodule": "0.1.0"},
            ),
        ),
    )


def box_mask(grid: Geometry, start: tuple[int, int, int], size: tuple[int, int, int]) -> NoduleMask:
    """Return a box without one corner, so that no flip leaves it the same."""
    array = np.ones(size, np.bool_)
    array[0, 0, 0] = False
    part = Geometry(
        shape_zyx=size,
        spacing_zyx_mm=grid.spacing_zyx_mm,
        origin_lps_mm=tuple(grid.index_to_lps(start).tolist()),
        direction=grid.direction,
    )
    return NoduleMask(array_zyx=array, start_zyx=start, geometry=part, texture="solid")


def the_findings(study: Study, masks: dict[str, NoduleMask]) -> tuple[Finding, ...]:
    """Return a nodule, a mass, and one that could not be measured."""
    suspicious = Malignancy(distribution=(0.05, 0.1, 0.15, 0.3, 0.4))  # mean 3.9
    benign = Malignancy(distribution=(0.6, 0.25, 0.1, 0.05, 0.0))  # mean 1.6
    nodule = Measurement(
        center_lps_mm=masks["N1"].center_lps_mm,
        long_axis_mm=12.6,
        short_axis_mm=9.4,
        effective_diameter_mm=10.5,
        volume_mm3=606.1,
        volume_ci95_mm3=(330.0, 1110.0),
        texture="part-solid",
        mean_hu=-42.0,
        sphericity=0.81,
    )
    mass = Measurement(
        center_lps_mm=masks["N2"].center_lps_mm,
        long_axis_mm=34.2,
        short_axis_mm=28.0,
    )
    lost = tuple(study.volume.geometry.index_to_lps((10, 20, 7)).tolist())
    return (
        made_finding(
            "N1",
            nodule.center_lps_mm,
            probability=0.93,
            malignancy=suspicious,
            measurement=nodule,
            mask=masks["N1"],
            study=study,
            lung="left",
        ),
        made_finding(
            "N2",
            mass.center_lps_mm,
            probability=0.81,
            malignancy=benign,
            measurement=mass,
            mask=masks["N2"],
            study=study,
        ),
        made_finding("N3", lost, probability=0.6, malignancy=benign, study=study),
    )


def the_lungs(grid: Geometry) -> LungMask:
    """Return two boxes on a finer grid with other axes: x below 0 right, above 5 mm left."""
    corners = grid.corners_lps_mm()
    low, high = corners.min(axis=0), corners.max(axis=0)
    shape = tuple(int(n) for n in np.ceil((high - low)[::-1]) + 1)
    fine = Geometry(
        shape_zyx=(shape[0], shape[1], shape[2]),
        spacing_zyx_mm=(1.0, 1.0, 1.0),
        origin_lps_mm=tuple(low.tolist()),
    )
    x_mm = low[0] + np.arange(shape[2])
    labels = np.zeros(shape, np.uint8)
    labels[:, :, x_mm < 0] = LungMask.RIGHT
    labels[:, :, x_mm > 5] = LungMask.LEFT
    return LungMask(labels_zyx=labels, geometry=fine)


def groups_of(path: Path) -> list[Any]:
    """Return all groups of a document, of whatever kind, by their findings' ids."""
    content = hd.sr.srread(path).content
    groups = [
        *content.get_volumetric_roi_measurement_groups(),
        *content.get_planar_roi_measurement_groups(),
        *content.get_image_measurement_groups(),
    ]
    return sorted(groups, key=lambda g: (g.tracking_identifier[0], int(g.tracking_identifier[1:])))


def items_of(path: Path, container: str) -> list[pydicom.Dataset]:
    """Return what a container of the root holds, by the container's code."""
    return [
        item
        for each in pydicom.dcmread(path).ContentSequence
        if each.ConceptNameCodeSequence[0].CodeValue == container
        for item in each.ContentSequence
    ]


def numbers(group: Any) -> dict[tuple[str, str], tuple[float, str]]:
    """Return a group's measurements: code and scheme to value and unit."""
    return {
        (m.name.value, m.name.scheme_designator): (float(m.value), m.unit.value)
        for m in group.get_measurements()
    }


def ratings(group: Any) -> dict[str, str]:
    """Return a group's evaluations: code to code of the answer."""
    others = {"276214006", "111000"}  # what is found, and by which kind of algorithm
    said = {e.name.value: e.value.value for e in group.get_qualitative_evaluations()}
    return {name: value for name, value in said.items() if name not in others}
