"""The one door for CT input."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodule.ct.decode import believes_padding, decode_images
from nodule.ct.grid import stack_images
from nodule.ct.inventory import inventory
from nodule.ct.series import SeriesSource
from nodule.ct.stack_checks import warnings_of
from nodule.errors import DicomSeriesError
from nodule.progress import Progress, silent
from nodule.study import SliceReference, Study, StudyWarning
from nodule.volume import Volume

SHORT_COVERAGE_MM = 150.0  # an adult's lungs are 200 to 350 mm high


def read_ct(path: Path | str, *, series_uid: str | None = None) -> Study:
    """Read a chest CT, whatever it comes in.

    Parameters
    ----------
    path : folder or zip of DICOM files, DICOMDIR, one multi-frame DICOM file, NIfTI
        (``.nii``, ``.nii.gz``), MetaImage (``.mhd``, ``.mha``) or NRRD (``.nrrd``, ``.nhdr``).
    series_uid : which series; None picks the best by the rule of :mod:`nodule.ct.choice`.

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
        return study
    stack = stack_images(source.images)
    array_zyx = decode_images(stack.images, progress=progress)
    _refuse_blank(array_zyx.max() - array_zyx.min())
    return Study(
        volume=Volume(array_zyx=array_zyx, geometry=stack.geometry),
        series=source.header,
        slices=tuple(
            SliceReference(
                instance_number=image.instance_number, sop_instance_uid=image.sop_instance_uid
            )
            for image in stack.images
        ),
        warnings=(*warnings_of(stack), *_warnings(source)),
    )


def _refuse_blank(contrast_hu: np.float32) -> None:
    if contrast_hu == 0:
        raise DicomSeriesError(
            "every voxel of a series has one value",
            code="NOT_HU",
            expected="an image",
            hint="Export the study again.",
        )


def _warnings(source: SeriesSource) -> tuple[StudyWarning, ...]:
    found = []
    if source.series_uid is None:
        found.append(
            StudyWarning(
                code="NO_SERIES_UID",
                message="the images name no series; those that do not were taken as one",
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
