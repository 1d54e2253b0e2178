"""What one DICOM file says about its images, its series and its patient."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from nodule.ct._containers import Member
from nodule.ct.dicom import _syntaxes, attributes
from nodule.ct.dicom._body_part import BODY_PART_KEYWORDS, stated_body_part
from nodule.ct.dicom._descriptive import DESCRIPTIVE_KEYWORDS, malformed_in
from nodule.ct.dicom._dicom_file import ParsedFile, PixelSpan, parse_file, quiet_pydicom
from nodule.ct.dicom._enhanced import flat_frames
from nodule.ct.dicom._patient import IDENTIFYING_KEYWORDS, patient_digest
from nodule.ct.dicom._pixel_format import (
    OVERLAY_BIT_TAGS,
    PixelFormat,
    read_padding,
    read_pixel_format,
    refuse_misfit,
    refuse_oversized,
)
from nodule.errors import DicomSeriesError, NoduleError
from nodule.geometry import Vector
from nodule.study import SeriesHeader


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """One slice: a single-frame file, or one frame of a multi-frame file.

    Parameters
    ----------
    member, frame, frames : the file, the frame's index in it and how many it holds.
    transfer_syntax, pixels, pixel_format : how to decode it.
    position_lps_mm : LPS position of the centre of the first pixel.
    orientation : LPS unit vectors along a row (x, y, z) and along a column (x, y, z).
    row_spacing_mm, column_spacing_mm : distances between rows (y) and between columns (x).
    slope, intercept, rescale_type : from stored values to Hounsfield units.
    padding : closed range of stored values that are not measurements.
    patient_digest : sha256 of what identifies the patient, to tell two apart without a name.
    in_stack_position, slice_location : what else a file may say of the order of slices.
    acquisition, temporal_position, stack_id : which part of the scan it belongs to, as stated.
    malformed : descriptive attributes whose values break the standard; they are taken as absent.
    """

    member: Member
    frame: int
    frames: int
    transfer_syntax: str
    pixels: PixelSpan
    pixel_format: PixelFormat
    sop_class_uid: str | None
    sop_instance_uid: str | None
    instance_number: int | None
    in_stack_position: int | None
    slice_location: float | None
    study_uid: str | None
    frame_of_reference_uid: str | None
    modality: str | None
    image_type: tuple[str, ...]
    position_lps_mm: Vector | None
    orientation: tuple[float, ...] | None
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    slope: float | None
    intercept: float | None
    rescale_type: str | None
    padding: tuple[int, int] | None
    patient_digest: str
    acquisition: str | None
    temporal_position: str | None
    stack_id: str | None
    malformed: tuple[str, ...]

    @property
    def where(self) -> str:
        """Name of the file, and of the frame where there are several."""
        return self.member.name + (f" frame {self.frame + 1}" if self.frames > 1 else "")


@dataclass(frozen=True, kw_only=True)
class DicomFile:
    """A readable DICOM file: its images, or the reason why it has none to offer."""

    member: Member
    series_uid: str | None
    modality: str | None
    header: SeriesHeader
    images: tuple[ImageHeader, ...]
    error: NoduleError | None = None


_IMAGE_KEYWORDS = (
    "SpecificCharacterSet",
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    *IDENTIFYING_KEYWORDS,
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceLocation",
    "PixelSpacing",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "LossyImageCompression",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    *BODY_PART_KEYWORDS,
    "ExtendedOffsetTable",
)


def read_dicom_file(member: Member) -> DicomFile:
    """Read what a file says about its images; pixel data are found but not decoded.

    Raises
    ------
    DicomSeriesError : when not even the series can be determined: ``NOT_DICOM``, ``DICOMDIR``,
        ``NO_TRANSFER_SYNTAX``, ``UNREADABLE``, ``NOT_AN_IMAGE``, ``BAD_VALUE``, ``TOO_LARGE``.
        Later faults are in the result's ``error``, so that the series is known to be affected.
    """
    with quiet_pydicom():
        parsed = parse_file(member, (*_IMAGE_KEYWORDS, *DESCRIPTIVE_KEYWORDS, *OVERLAY_BIT_TAGS))
        if parsed.is_directory:
            raise DicomSeriesError(
                f"{member.name} is an index of other files", code="DICOMDIR", hint=_INDEX_HINT
            )
        series_uid = attributes.text(parsed.dataset, "SeriesInstanceUID")
        modality = _modality(parsed.dataset)
        if series_uid is None and parsed.pixels is None:
            raise DicomSeriesError(
                f"{member.name} holds no image", code="NOT_AN_IMAGE", hint=_EXPORT_HINT
            )
        header = SeriesHeader(source_format="dicom")
        images: tuple[ImageHeader, ...] = ()
        error: NoduleError | None = None
        try:
            images, header = _images_and_header(member, parsed)
        except NoduleError as refused:
            error = refused
    return DicomFile(
        member=member,
        series_uid=series_uid,
        modality=modality,
        header=header,
        images=images,
        error=error,
    )


_INDEX_HINT = "Give it alone to read what it lists."
_EXPORT_HINT = "Export the study again."


def _images_and_header(
    member: Member, parsed: ParsedFile
) -> tuple[tuple[ImageHeader, ...], SeriesHeader]:
    if parsed.pixels is None:
        raise DicomSeriesError(
            f"{member.name} has no pixel data",
            code="NO_PIXEL_DATA",
            hint="It may have been truncated, or it may not be an image.",
        )
    frames = list(flat_frames(parsed.dataset))
    pixel_format = read_pixel_format(frames[0])
    refuse_oversized(member, pixel_format)
    refuse_misfit(
        member,
        parsed.pixels,
        pixel_format,
        transfer_syntax=parsed.transfer_syntax,
        frames=len(frames),
    )
    table = attributes.raw(parsed.dataset, "ExtendedOffsetTable")
    if isinstance(table, bytes):
        parsed = replace(parsed, pixels=replace(parsed.pixels, extended_table=table))
    images = tuple(
        _image(dataset, member=member, frame=i, frames=len(frames), parsed=parsed)
        for i, dataset in enumerate(frames)
    )
    return images, _series_header(frames[0], parsed.transfer_syntax)


def _image(
    dataset: Dataset, *, member: Member, frame: int, frames: int, parsed: ParsedFile
) -> ImageHeader:
    assert parsed.pixels is not None
    row_spacing_mm, column_spacing_mm = attributes.floats(dataset, "PixelSpacing", 2) or (
        None,
        None,
    )
    return ImageHeader(
        member=member,
        frame=frame,
        frames=frames,
        transfer_syntax=parsed.transfer_syntax,
        pixels=parsed.pixels,
        pixel_format=read_pixel_format(dataset),
        sop_class_uid=attributes.text(dataset, "SOPClassUID"),
        sop_instance_uid=attributes.text(dataset, "SOPInstanceUID"),
        instance_number=attributes.stated(dataset, "InstanceNumber", attributes.integer),
        in_stack_position=attributes.stated(dataset, "InStackPositionNumber", attributes.integer),
        slice_location=attributes.stated(dataset, "SliceLocation", attributes.number),
        study_uid=attributes.text(dataset, "StudyInstanceUID"),
        frame_of_reference_uid=attributes.text(dataset, "FrameOfReferenceUID"),
        modality=_modality(dataset),
        image_type=attributes.texts(dataset, "ImageType"),
        position_lps_mm=attributes.vector(dataset, "ImagePositionPatient"),
        orientation=attributes.floats(dataset, "ImageOrientationPatient", 6),
        row_spacing_mm=row_spacing_mm,
        column_spacing_mm=column_spacing_mm,
        slope=attributes.number(dataset, "RescaleSlope"),
        intercept=attributes.number(dataset, "RescaleIntercept"),
        rescale_type=attributes.text(dataset, "RescaleType"),
        padding=read_padding(dataset),
        patient_digest=patient_digest(dataset),
        acquisition=attributes.stated(dataset, "AcquisitionNumber", attributes.text),
        temporal_position=attributes.stated(dataset, "TemporalPositionIndex", attributes.text)
        or attributes.stated(dataset, "TemporalPositionIdentifier", attributes.text)
        or attributes.stated(dataset, "TemporalPositionTimeOffset", attributes.text),
        stack_id=attributes.stated(dataset, "StackID", attributes.text),
        malformed=malformed_in(dataset),
    )


def _series_header(dataset: Dataset, transfer_syntax: str) -> SeriesHeader:
    lossy = attributes.stated(dataset, "LossyImageCompression", attributes.text)
    return SeriesHeader(
        source_format="dicom",
        study_instance_uid=attributes.text(dataset, "StudyInstanceUID"),
        series_instance_uid=attributes.text(dataset, "SeriesInstanceUID"),
        frame_of_reference_uid=attributes.text(dataset, "FrameOfReferenceUID"),
        series_number=attributes.stated(dataset, "SeriesNumber", attributes.integer),
        series_description=attributes.stated(dataset, "SeriesDescription", attributes.text),
        manufacturer=attributes.stated(dataset, "Manufacturer", attributes.text),
        model_name=attributes.stated(dataset, "ManufacturerModelName", attributes.text),
        convolution_kernel=attributes.stated(dataset, "ConvolutionKernel", attributes.text),
        slice_thickness_mm=attributes.stated(dataset, "SliceThickness", attributes.number),
        kvp=attributes.stated(dataset, "KVP", attributes.number),
        exposure_mas=attributes.stated(dataset, "Exposure", attributes.number),
        ctdi_vol_mgy=attributes.stated(dataset, "CTDIvol", attributes.number),
        contrast_agent=attributes.stated(dataset, "ContrastBolusAgent", attributes.text),
        body_part=stated_body_part(dataset),
        lossy=lossy == "01" or (transfer_syntax in _syntaxes.LOSSY and lossy != "00"),
    )


def _modality(dataset: Dataset) -> str | None:
    stated = attributes.text(dataset, "Modality")
    return stated and stated.upper()
