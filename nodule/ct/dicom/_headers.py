"""What one DICOM file says about its images, its series and its patient."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydicom.dataset import Dataset

from nodule.ct._containers import Member
from nodule.ct.dicom import _syntaxes, attributes
from nodule.ct.dicom._dicom_file import ParsedFile, PixelSpan, parse_file, quiet_pydicom
from nodule.ct.dicom._enhanced import flat_frames
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
from nodule.study import PatientHeader, SeriesHeader


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
    padding : closed range of stored values that are no measurement.
    patient_digest : sha256 of what identifies the patient, to tell two apart without a name.
    acquisition, temporal_position, stack_id : which part of the scan it belongs to, as stated.
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
    study_uid: str | None
    frame_of_reference_uid: str | None
    modality: str | None
    image_type: tuple[str, ...]
    position_lps_mm: Vector | None
    orientation: tuple[float, ...] | None
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    slice_location_mm: float | None
    slope: float | None
    intercept: float | None
    rescale_type: str | None
    padding: tuple[int, int] | None
    patient_digest: str
    acquisition: str | None
    temporal_position: str | None
    stack_id: str | None

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
    "InstanceNumber",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceLocation",
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
)
_SERIES_KEYWORDS = (
    "SeriesNumber",
    "SeriesDescription",
    "Manufacturer",
    "ManufacturerModelName",
    "ConvolutionKernel",
    "SliceThickness",
    "KVP",
    "Exposure",
    "CTDIvol",
    "ContrastBolusAgent",
)
_PATIENT_KEYWORDS = {
    "patient_name": "PatientName",
    "patient_id": "PatientID",
    "birth_date": "PatientBirthDate",
    "sex": "PatientSex",
    "age": "PatientAge",
    "accession_number": "AccessionNumber",
    "study_date": "StudyDate",
    "study_description": "StudyDescription",
    "institution": "InstitutionName",
}


def read_dicom_file(member: Member) -> DicomFile:
    """Read what a file says about its images; pixel data are found but not decoded.

    Raises
    ------
    DicomSeriesError : when not even the series can be told: ``NOT_DICOM``, ``DICOMDIR``,
        ``NO_TRANSFER_SYNTAX``, ``UNREADABLE``, ``NOT_AN_IMAGE``, ``BAD_VALUE``, ``TOO_LARGE``.
        Later faults are in the result's ``error``, so that the series is known to be affected.
    """
    with quiet_pydicom():
        parsed = parse_file(member, (*_IMAGE_KEYWORDS, *_SERIES_KEYWORDS, *OVERLAY_BIT_TAGS))
        if parsed.is_directory:
            raise DicomSeriesError(
                f"{member.name} is an index of other files", code="DICOMDIR", hint=_INDEX_HINT
            )
        series_uid = attributes.text(parsed.dataset, "SeriesInstanceUID")
        modality = attributes.text(parsed.dataset, "Modality")
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


def read_patient(member: Member) -> PatientHeader:
    """Read who was scanned, names in the file's own character set.

    Raises
    ------
    DicomSeriesError : as :func:`read_dicom_file`, and ``BAD_VALUE``.
    """
    with quiet_pydicom():
        parsed = parse_file(member, ("SpecificCharacterSet", *_PATIENT_KEYWORDS.values()))
        found = {f: attributes.text(parsed.dataset, k) for f, k in _PATIENT_KEYWORDS.items()}
    return PatientHeader(**found)


def _images_and_header(
    member: Member, parsed: ParsedFile
) -> tuple[tuple[ImageHeader, ...], SeriesHeader]:
    if parsed.pixels is None:
        raise DicomSeriesError(
            f"{member.name} has no pixel data",
            code="NO_PIXEL_DATA",
            hint="It may have been cut short, or be no image at all.",
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
        instance_number=attributes.integer(dataset, "InstanceNumber"),
        study_uid=attributes.text(dataset, "StudyInstanceUID"),
        frame_of_reference_uid=attributes.text(dataset, "FrameOfReferenceUID"),
        modality=attributes.text(dataset, "Modality"),
        image_type=attributes.texts(dataset, "ImageType"),
        position_lps_mm=attributes.vector(dataset, "ImagePositionPatient"),
        orientation=attributes.floats(dataset, "ImageOrientationPatient", 6),
        row_spacing_mm=row_spacing_mm,
        column_spacing_mm=column_spacing_mm,
        slice_location_mm=attributes.number(dataset, "SliceLocation"),
        slope=attributes.number(dataset, "RescaleSlope"),
        intercept=attributes.number(dataset, "RescaleIntercept"),
        rescale_type=attributes.text(dataset, "RescaleType"),
        padding=read_padding(dataset),
        patient_digest=_patient_digest(dataset),
        acquisition=attributes.stated(dataset, "AcquisitionNumber"),
        temporal_position=attributes.stated(dataset, "TemporalPositionIndex")
        or attributes.stated(dataset, "TemporalPositionIdentifier"),
        stack_id=attributes.stated(dataset, "StackID"),
    )


def _patient_digest(dataset: Dataset) -> str:
    stated = [
        (attributes.stated(dataset, keyword) or "").upper()
        for keyword in ("PatientID", "PatientName", "PatientBirthDate")
    ]
    return hashlib.sha256("\0".join(stated).encode()).hexdigest()


def _series_header(dataset: Dataset, transfer_syntax: str) -> SeriesHeader:
    stated = attributes.text(dataset, "LossyImageCompression")
    return SeriesHeader(
        source_format="dicom",
        study_instance_uid=attributes.text(dataset, "StudyInstanceUID"),
        series_instance_uid=attributes.text(dataset, "SeriesInstanceUID"),
        frame_of_reference_uid=attributes.text(dataset, "FrameOfReferenceUID"),
        series_number=attributes.integer(dataset, "SeriesNumber"),
        series_description=attributes.text(dataset, "SeriesDescription"),
        manufacturer=attributes.text(dataset, "Manufacturer"),
        model_name=attributes.text(dataset, "ManufacturerModelName"),
        convolution_kernel=attributes.text(dataset, "ConvolutionKernel"),
        slice_thickness_mm=attributes.number(dataset, "SliceThickness"),
        kvp=attributes.number(dataset, "KVP"),
        exposure_mas=attributes.number(dataset, "Exposure"),
        ctdi_vol_mgy=attributes.number(dataset, "CTDIvol"),
        contrast_agent=attributes.text(dataset, "ContrastBolusAgent"),
        lossy=stated == "01" or (transfer_syntax in _syntaxes.LOSSY and stated != "00"),
    )
