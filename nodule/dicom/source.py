"""The source series as highdicom wants it: headers that results copy from and refer to."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterable, Iterator

from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)
from pydicom.valuerep import format_number_as_ds

from nodule.ct import SeriesSource
from nodule.ct.dicom import (
    ImageHeader,
    Stack,
    attributes,
    parse_file,
    quiet_pydicom,
    stack_images,
)
from nodule.dicom._conformance import conforms, refuse_unreferable
from nodule.dicom._deidentified_header import deidentify_header, with_pseudonyms
from nodule.errors import DicomSeriesError, InputError
from nodule.pseudonyms import Pseudonyms

_LOG = logging.getLogger(__name__)
_MULTI_FRAME = (EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
# what archives file an object by: to be present, if empty
_REQUIRED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_OPTIONAL = (
    "IssuerOfPatientID",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "PatientAge",
    "StudyDescription",
    "SeriesDate",
    "SeriesTime",
    "PositionReferenceIndicator",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
STUDY_KEYWORDS = ("SpecificCharacterSet", "StudyInstanceUID", *_REQUIRED, *_OPTIONAL[:5])
"""What every object of a study shares with its images (PS3.3 C.7.1 to C.7.2)."""


@contextlib.contextmanager
def quiet_dicom() -> Iterator[None]:
    """Mute both DICOM libraries, whose warnings and log records quote names of patients."""
    logger = logging.getLogger("highdicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with quiet_pydicom(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def source_stack(source: SeriesSource) -> Stack:
    """Return a series' images on their grid.

    Raises
    ------
    InputError : ``NO_DICOM_SOURCE`` for other formats.
    """
    if not source.images:
        raise InputError(
            "DICOM results can only be made from a DICOM series",
            code="NO_DICOM_SOURCE",
            expected="DICOM images to refer to",
            got=source.header.source_format,
        )
    return stack_images(source.images)


def source_headers(
    source: SeriesSource, *, pseudonyms: Pseudonyms | None = None
) -> tuple[Dataset, ...]:
    """Return a series' headers, ascending to the head.

    One data set a file; a multi-frame file is one, its frames in the file's own order. They hold
    what identifies patient, study and image and where the image lies, and nothing else. Patient
    and study are those of the lowest image.

    Parameters
    ----------
    source : the series.
    pseudonyms : in place of all that identifies; None to leave it.

    Raises
    ------
    InputError : as :func:`source_stack`.
    DicomSeriesError : ``INCOMPLETE_DICOM_SOURCE`` where a UID is missing that results must
        refer to; ``INVALID_DICOM_SOURCE`` where one breaks the standard, or each image has
        a frame of reference of its own; ``UNSUPPORTED_DICOM_SOURCE`` for other classes than
        CT's, or several multi-frame files.
    """
    stack = source_stack(source)
    _refuse_unsupported(stack.images)
    # where no thickness is stated, a plane stands for the way to the next
    thickness_mm = source.header.slice_thickness_mm or stack.spacing_mm
    with quiet_dicom():
        shared, images = _shared_header(source, stack.images), stack.images
        if pseudonyms is not None:
            deidentify_header(shared, source, pseudonyms)
            images = with_pseudonyms(images, pseudonyms)
        if images[0].sop_class_uid in _MULTI_FRAME:
            return (_multi_frame(sorted(images, key=_frame), shared, thickness_mm),)
        return tuple(_single_frame(image, shared, thickness_mm) for image in images)


def plane_order(source: SeriesSource) -> list[int]:
    """Return the grid's index z of each plane, in the order of :func:`source_headers`."""
    images = source_stack(source).images
    return sorted(range(len(images)), key=lambda z: _frame(images[z]))


def _frame(image: ImageHeader) -> int:
    return image.frame


def _refuse_unsupported(images: tuple[ImageHeader, ...]) -> None:
    classes = {image.sop_class_uid for image in images}
    files = {image.member for image in images}
    if not classes <= {None, CTImageStorage, *_MULTI_FRAME}:
        raise _unsupported("images of CT's own SOP classes", ", ".join(map(str, classes)))
    if not classes.isdisjoint(_MULTI_FRAME) and len(files) > 1:
        raise _unsupported("one multi-frame file", f"{len(files)} files")


def _unsupported(expected: str, got: str) -> DicomSeriesError:
    return DicomSeriesError(
        "no DICOM results can be made from such a series",
        code="UNSUPPORTED_DICOM_SOURCE",
        expected=expected,
        got=got,
    )


def _shared_header(source: SeriesSource, images: tuple[ImageHeader, ...]) -> Dataset:
    first = images[0]
    names = {
        "StudyInstanceUID": first.study_uid,
        "SeriesInstanceUID": source.series_uid,
        "FrameOfReferenceUID": first.frame_of_reference_uid,
        "SOPClassUID": first.sop_class_uid,
    }
    missing = [keyword for keyword, uid in names.items() if uid is None]
    if any(image.sop_instance_uid is None for image in images):
        missing.append("SOPInstanceUID")
    if missing:
        raise DicomSeriesError(
            "a series lacks a UID that results must refer to",
            code="INCOMPLETE_DICOM_SOURCE",
            expected="UIDs of study, series, frame of reference, class and instance",
            got="no " + ", ".join(missing),
        )
    instances = {f"SOPInstanceUID of {i.where}": i.sop_instance_uid for i in images}
    refuse_unreferable({**names, **instances})
    _refuse_frame_per_image(images)
    shared = _identity(source)
    # data sets updated from this one share its elements, so that none may differ between images
    for keyword, uid in names.items():
        setattr(shared, keyword, uid)
    shared.Modality = first.modality
    shared.Rows, shared.Columns = first.pixel_format.rows, first.pixel_format.columns
    return shared


def _refuse_frame_per_image(images: tuple[ImageHeader, ...]) -> None:
    """Refuse several frames of reference: a segmentation lies in one alone (PS3.3 C.7.4.1)."""
    frames = {image.frame_of_reference_uid for image in images}
    if len(frames) > 1:
        raise DicomSeriesError(
            "the images of a series name several frames of reference",
            code="INVALID_DICOM_SOURCE",
            expected="one FrameOfReferenceUID for all",
            got=f"{len(frames)} among {len(images)} images",
            hint="Give the series before it was renamed, or leave SR and SEG out.",
        )


def _identity(source: SeriesSource) -> Dataset:
    """Read patient and study; what the standard forbids is left empty."""
    member = source_stack(source).images[0].member
    header = parse_file(member, ("SpecificCharacterSet", *_REQUIRED, *_OPTIONAL)).dataset
    texts = {keyword: _allowed(header, keyword) for keyword in (*_REQUIRED, *_OPTIONAL)}
    identity = Dataset()
    identity.SpecificCharacterSet = character_set("".join(filter(None, texts.values())))
    for keyword, text in texts.items():
        if text is not None or keyword in _REQUIRED:
            setattr(identity, keyword, text)
    return identity


def character_set(text: str) -> str:
    """Return Latin-1 where it suffices, since more programs read it, else UTF-8."""
    return "ISO_IR 100" if all(ord(character) < 256 for character in text) else "ISO_IR 192"


def _allowed(header: Dataset, keyword: str) -> str | None:
    text = attributes.text(header, keyword)
    if text is None or conforms(keyword, text):
        return text
    _LOG.warning("%s of the series breaks the standard and was left empty", keyword)
    return None


def _single_frame(image: ImageHeader, shared: Dataset, thickness_mm: float) -> Dataset:
    dataset = Dataset()
    for part in (shared, _position(image), _orientation(image), _measures(image, thickness_mm)):
        dataset.update(part)
    dataset.SOPInstanceUID = image.sop_instance_uid
    dataset.InstanceNumber = image.instance_number
    return dataset


def _multi_frame(images: list[ImageHeader], shared: Dataset, thickness_mm: float) -> Dataset:
    dataset = Dataset()
    dataset.update(shared)
    dataset.SOPInstanceUID = images[0].sop_instance_uid
    dataset.NumberOfFrames = len(images)
    same = Dataset()
    same.PlaneOrientationSequence = [_orientation(images[0])]
    same.PixelMeasuresSequence = [_measures(images[0], thickness_mm)]
    dataset.SharedFunctionalGroupsSequence = [same]
    dataset.PerFrameFunctionalGroupsSequence = [_frame_groups(image) for image in images]
    return dataset


def _frame_groups(image: ImageHeader) -> Dataset:
    groups = Dataset()
    groups.PlanePositionSequence = [_position(image)]
    return groups


def _position(image: ImageHeader) -> Dataset:
    dataset = Dataset()
    dataset.ImagePositionPatient = _decimals(image.position_lps_mm or ())
    return dataset


def _orientation(image: ImageHeader) -> Dataset:
    dataset = Dataset()
    dataset.ImageOrientationPatient = _decimals(image.orientation or ())
    return dataset


def _measures(image: ImageHeader, thickness_mm: float) -> Dataset:
    dataset = Dataset()
    dataset.SliceThickness = format_number_as_ds(thickness_mm)
    spacings_mm = (image.row_spacing_mm, image.column_spacing_mm)
    dataset.PixelSpacing = _decimals(mm for mm in spacings_mm if mm is not None)
    return dataset


def _decimals(numbers: Iterable[float]) -> list[str]:
    return [format_number_as_ds(number) for number in numbers]
