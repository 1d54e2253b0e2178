"""The one door for CT input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from nodule.ct._inventory import inventory
from nodule.ct._series import SeriesSource
from nodule.ct.dicom._decode import believes_padding, decode_images
from nodule.ct.dicom._grid import stack_images
from nodule.ct.dicom._stack_checks import warnings_of
from nodule.ct.images._image_file import MAX_LOWEST_HU
from nodule.errors import DicomSeriesError
from nodule.geometry import Geometry
from nodule.hu import AIR_HU
from nodule.progress import Progress, silent
from nodule.study import SliceReference, Study, StudyWarning
from nodule.volume import Volume

BODY_MM = 100.0  # a smaller field of view may lie inside tissue
SHORT_COVERAGE_MM = 150.0  # an adult's lungs are 200 to 350 mm high


def read_ct(path: Path | str, *, series_uid: str | None = None) -> Study:
    """Read a chest CT, whatever it comes in.

    Parameters
    ----------
    path : folder or zip of DICOM files, DICOMDIR, one multi-frame DICOM file, NIfTI
        (``.nii``, ``.nii.gz``), MetaImage (``.mhd``, ``.mha``) or NRRD (``.nrrd``, ``.nhdr``).
    series_uid : which series; None picks the best by the rule in ``nodule.ct._choice``.

    Returns
    -------
    Study : float32 HU with index z ascending to the head, in LPS mm.

    Raises
    ------
    InputError : with the code of what cannot be trusted; ``nodule check`` shows all of it.

    Examples
    --------
    >>> study = read_ct("scan")  # doctest: +SKIP
    >>> study.volume.geometry.spacing_zyx_mm  # doctest: +SKIP
    (2.5, 0.703125, 0.703125)
    """
    return read_source(inventory(Path(path)).choose(series_uid))


def read_source(source: SeriesSource, *, progress: Progress = silent) -> Study:
    """Decode a chosen series.

    Raises
    ------
    InputError : when the pixels cannot be decoded or are no Hounsfield units.
    """
    if source.file is not None:
        study = source.file.read()
        progress(1.0)
        return replace(study, origin=source)
    stack = stack_images(source.images)
    array_zyx = decode_images(stack.images, progress=progress)
    # padding is air by decree and proves nothing
    lowest_hu = float(array_zyx.min(where=array_zyx != AIR_HU, initial=np.inf))
    _refuse_other_units(lowest_hu, stack.geometry)
    return Study(
        volume=Volume(array_zyx=array_zyx, geometry=stack.geometry),
        series=source.header,
        slices=tuple(
            SliceReference(
                instance_number=image.instance_number, sop_instance_uid=image.sop_instance_uid
            )
            for image in stack.images
        ),
        warnings=(*warnings_of(stack), *_warnings(source, lowest_hu)),
        origin=source,
    )


def _refuse_other_units(lowest_hu: float, geometry: Geometry) -> None:
    """Refuse a whole section through a body that shows no air: its scale is wrong."""
    _, height_mm, width_mm = np.multiply(geometry.shape_zyx, geometry.spacing_zyx_mm)
    if lowest_hu > MAX_LOWEST_HU and min(height_mm, width_mm) >= BODY_MM:
        raise DicomSeriesError(
            "a series does not hold Hounsfield units of a chest",
            code="NOT_HU",
            expected=f"air below {MAX_LOWEST_HU:.0f} HU",
            got=f"nothing below {lowest_hu:g}",
            hint="Export the series again with its original rescale slope and intercept.",
        )


def _warnings(source: SeriesSource, lowest_hu: float) -> tuple[StudyWarning, ...]:
    found = []
    if source.series_uid is None:
        found.append(
            StudyWarning(
                code="NO_SERIES_UID",
                message="the images name no series; those that do not were taken as one",
            )
        )
    if lowest_hu > MAX_LOWEST_HU:
        found.append(
            StudyWarning(
                code="NO_AIR",
                message=f"no voxel lies below {MAX_LOWEST_HU:.0f} HU: the image may show no chest",
            )
        )
    if source.header.lossy:
        found.append(
            StudyWarning(code="LOSSY", message="the images went through lossy compression")
        )
    if any(i.padding is not None and not believes_padding(i) for i in source.images):
        found.append(
            StudyWarning(
                code="PADDING_IN_RANGE",
                message="the declared padding value lies within tissue and was not applied",
            )
        )
    if source.suspects:
        found.append(
            StudyWarning(
                code="UNREADABLE_FILES",
                message=f"{len(source.suspects)} damaged DICOM files lie beside the series:"
                " slices may be missing at its ends",
            )
        )
    coverage_mm = _coverage_mm(source)
    if coverage_mm < SHORT_COVERAGE_MM:
        found.append(
            StudyWarning(
                code="SHORT_COVERAGE",
                message=f"the series covers {coverage_mm:.0f} mm, less than a pair of lungs",
            )
        )
    return tuple(found)


def _coverage_mm(source: SeriesSource) -> float:
    stack = stack_images(source.images)
    return len(stack.images) * stack.spacing_mm
