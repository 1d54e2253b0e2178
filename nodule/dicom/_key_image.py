"""Where a point of the patient lies on the image that shows it best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from highdicom import sr
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from nodule.ct import SeriesSource
from nodule.dicom.source import source_stack
from nodule.geometry import Vector
from nodule.nodules import Nodule

_TO_CORNER = 0.5  # SCOORD counts from a pixel's corner (PS3.3 C.18.6.1.1), a grid from its centre


class KeyImages:
    """Names the image on which a nodule is to be seen, and places points on it.

    Parameters
    ----------
    source : the series that was read.
    headers : of its files, as :func:`nodule.dicom.source.source_headers` returns them.
    """

    def __init__(self, source: SeriesSource, headers: Sequence[Dataset]) -> None:
        self._stack = source_stack(source)
        self._headers = headers
        self.frame_of_reference_uid = str(headers[0].FrameOfReferenceUID)

    def header(self, nodule: Nodule) -> Dataset:
        """Return the header of the file that holds a nodule's image."""
        multi_frame = "NumberOfFrames" in self._headers[0]
        return self._headers[0 if multi_frame else nodule.image.number - 1]

    def frame(self, nodule: Nodule) -> int | None:
        """Return the number of a nodule's frame, from 1; None for a file of one image."""
        image = self._stack.images[nodule.image.number - 1]
        return image.frame + 1 if image.frames > 1 else None

    def line(
        self, nodule: Nodule, ends_lps_mm: tuple[Vector, Vector]
    ) -> sr.CoordinatesForMeasurement:
        """Return a line on a nodule's image."""
        return sr.CoordinatesForMeasurement(
            graphic_type="POLYLINE",
            graphic_data=self._pixels(ends_lps_mm),
            source_image=self._selected_from(nodule),
        )

    def place(self, nodule: Nodule) -> sr.CoordinatesForMeasurement:
        """Return the centre of a nodule as a point on its image."""
        return sr.CoordinatesForMeasurement(
            graphic_type="POINT",
            graphic_data=self._pixels([nodule.center_lps_mm]),
            source_image=self._selected_from(nodule),
        )

    def region(self, nodule: Nodule) -> sr.ImageRegion:
        """Return the place of a nodule as a region of one point on its image."""
        return sr.ImageRegion(
            graphic_type="POINT",
            graphic_data=self._pixels([nodule.center_lps_mm]),
            source_image=self._selected_from(nodule),
        )

    def point(self, nodule: Nodule) -> sr.CoordinatesForMeasurement3D:
        """Return the centre of a nodule in the patient."""
        return sr.CoordinatesForMeasurement3D(
            graphic_type="POINT",
            graphic_data=np.array([nodule.center_lps_mm]),
            frame_of_reference_uid=self.frame_of_reference_uid,
        )

    def _selected_from(self, nodule: Nodule) -> sr.SourceImageForRegion:
        header, frame = self.header(nodule), self.frame(nodule)
        return sr.SourceImageForRegion(
            referenced_sop_class_uid=header.SOPClassUID,
            referenced_sop_instance_uid=header.SOPInstanceUID,
            referenced_frame_numbers=None if frame is None else [frame],
        )

    def _pixels(self, points_lps_mm: Sequence[Vector]) -> NDArray[np.float64]:
        """Return columns and rows, shape (n, 2); of a point off the image, the nearest one."""
        index_zyx = self._stack.geometry.lps_to_index(points_lps_mm)
        return np.asarray(index_zyx[:, :0:-1] + _TO_CORNER, dtype=np.float64)
