"""Slices that call themselves another series and lie where the chosen one would go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from nodule.ct.dicom._checks import MIN_SLICES, ORIENTATION_TOLERANCE
from nodule.ct.dicom._headers import ImageHeader
from nodule.geometry import Geometry
from nodule.study import StudyWarning

_OFF_GRID = 0.05  # of a voxel


def stray_warnings(
    images: Sequence[ImageHeader], geometry: Geometry, others: Iterable[Sequence[ImageHeader]]
) -> tuple[StudyWarning, ...]:
    """Tell of images beyond an end of a series, of one study and grid, in a series of their own.

    One damaged or renamed UID takes the slice at an end away and leaves no gap.

    Parameters
    ----------
    images : of the series that is read.
    others : the images of each other series.
    """
    strays = [
        image
        for other in others
        if len(other) < MIN_SLICES
        for image in other
        if _goes_on(image, images[0], geometry)
    ]
    if not strays:
        return ()
    message = (
        f"{len(strays)} images in series of their own lie where this one would go on, and were"
        " left out: slices may be missing at its ends"
    )
    return (StudyWarning(code="STRAY_SLICES", message=message),)


def _goes_on(image: ImageHeader, first: ImageHeader, geometry: Geometry) -> bool:
    if image.position_lps_mm is None or image.orientation is None or first.orientation is None:
        return False
    # more than one UID may be damaged
    same = (
        image.study_uid == first.study_uid
        or image.frame_of_reference_uid == first.frame_of_reference_uid
    )
    turn = np.abs(np.subtract(image.orientation, first.orientation)).max()
    index = np.asarray(geometry.lps_to_index(image.position_lps_mm))
    on_grid = np.abs(index - np.rint(index)).max() < _OFF_GRID and not np.rint(index[1:]).any()
    beyond = index[0] - np.clip(index[0], 0, geometry.shape_zyx[0] - 1)
    return bool(
        same and turn < ORIENTATION_TOLERANCE and on_grid and 0.5 < abs(beyond) < MIN_SLICES
    )
