"""Studies with readings: two real ones, read here by header only."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from nodule.geometry import Geometry
from nodule.study import SeriesHeader, SliceReference, Study
from nodule.volume import Volume


def empty_study(folder: Path) -> Study:
    """Place a series' slices by their headers; its voxels are 0."""
    files = [pydicom.dcmread(path, stop_before_pixels=True) for path in folder.glob("*.dcm")]
    files.sort(key=lambda header: float(header.ImagePositionPatient[2]))
    first, second = files[0], files[1]
    x, y, z = map(float, first.ImagePositionPatient)
    row_mm, column_mm = map(float, first.PixelSpacing)
    geometry = Geometry(
        shape_zyx=(len(files), first.Rows, first.Columns),
        spacing_zyx_mm=(float(second.ImagePositionPatient[2]) - z, row_mm, column_mm),
        origin_lps_mm=(x, y, z),
    )
    return Study(
        volume=Volume(array_zyx=np.zeros(geometry.shape_zyx, np.float32), geometry=geometry),
        series=SeriesHeader(
            source_format="dicom",
            series_instance_uid=str(first.SeriesInstanceUID),
            slice_thickness_mm=float(first.SliceThickness),
        ),
        slices=tuple(
            SliceReference(
                instance_number=int(header.InstanceNumber),
                sop_instance_uid=str(header.SOPInstanceUID),
            )
            for header in files
        ),
    )


@pytest.fixture(scope="session")
def real_study(shared: Path) -> Callable[[str], Study]:
    return lambda patient: empty_study(shared / "data/ct" / patient)
