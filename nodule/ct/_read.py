"""The one door for CT input."""

from __future__ import annotations

from pathlib import Path

from nodule.ct._hounsfield import refuse_other_units
from nodule.ct._inventory import inventory
from nodule.ct._series import SeriesSource
from nodule.ct._series_words import word_of_no_scan
from nodule.ct.dicom._decode import believes_padding, decode_images
from nodule.ct.dicom._grid import stack_images
from nodule.ct.dicom._identity_checks import identity_warnings
from nodule.ct.dicom._stack_checks import warnings_of
from nodule.geometry import Geometry
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
    series_uid : which series; None picks the best by the rule in ``nodule.ct._choice``.

    Returns
    -------
    Study : HU, int16 where all are whole and else float32, index z ascending to the head, LPS mm.

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
    """Decode a chosen series, with what is odd about it and about the choice.

    Raises
    ------
    InputError : when the voxels cannot be decoded or are not Hounsfield units.
    """
    return source.as_origin_of(decode_source(source, progress=progress))


def decode_source(source: SeriesSource, *, progress: Progress = silent) -> Study:
    """Decode a chosen series: what follows from its files alone; raises as `read_source`."""
    if source.file is not None:
        array_zyx, geometry = source.file.read(), source.file.geometry
        slices: tuple[SliceReference, ...] = ()
        warnings = (
            *source.file.warnings,
            *refuse_other_units(array_zyx, geometry, is_stated=False),
        )
        progress(1.0)
    else:
        stack = stack_images(source.images)
        array_zyx, geometry = decode_images(stack.images, progress=progress), stack.geometry
        slices = tuple(
            SliceReference(
                # the frames of one file share its number
                instance_number=image.frame + 1 if image.frames > 1 else image.instance_number,
                sop_instance_uid=image.sop_instance_uid,
            )
            for image in stack.images
        )
        warnings = (
            *warnings_of(stack),
            *identity_warnings(stack.images),
            *refuse_other_units(array_zyx, geometry, is_stated=True),
            *_dicom_warnings(source),
        )
    return Study(
        volume=Volume(array_zyx=array_zyx, geometry=geometry),
        series=source.header,
        slices=slices,
        warnings=(*warnings, *_coverage_warnings(geometry)),
    )


def _dicom_warnings(source: SeriesSource) -> tuple[StudyWarning, ...]:
    found = []
    if source.series_uid is None:
        found.append(
            StudyWarning(
                code="NO_SERIES_UID",
                message="images that state no series were read as one series",
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
    malformed = sorted({keyword for image in source.images for keyword in image.malformed})
    if malformed:
        found.append(
            StudyWarning(
                code="MALFORMED_ATTRIBUTES",
                message=f"{', '.join(malformed)}: the values break the standard and were left out",
            )
        )
    if source.header.other_part is not None:
        found.append(
            StudyWarning(
                code="OTHER_BODY_PART",
                message=f"the header calls the part of the body {source.header.other_part},"
                " where a chest is expected; what the images show counts",
            )
        )
    if (word := word_of_no_scan(source.header.series_description)) is not None:
        found.append(
            StudyWarning(
                code="DESCRIBED_AS_DERIVED",
                message=f"the description calls the series {word}: its values may not be those of"
                " a scan",
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
    return tuple(found)


def _coverage_warnings(geometry: Geometry) -> tuple[StudyWarning, ...]:
    coverage_mm = geometry.shape_zyx[0] * geometry.spacing_zyx_mm[0]
    if coverage_mm >= SHORT_COVERAGE_MM:
        return ()
    message = f"the series covers {coverage_mm:.0f} mm, less than a pair of lungs"
    return (StudyWarning(code="SHORT_COVERAGE", message=message),)
