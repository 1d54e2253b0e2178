"""What one DICOM file says about its images, its series and its patient."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from nodule.ct import syntaxes, values
from nodule.ct.dataset import ParsedFile, PixelSpan, parse_file, quiet_pydicom
from nodule.ct.enhanced import flat_frames
from nodule.ct.files import Member
from nodule.errors import DicomSeriesError, NoduleError
from nodule.geometry import Vector
from nodule.study import PatientHeader, SeriesHeader

MAX_FRAME_BYTES = 128 << 20  # 8192 x 8192 pixels of 16 bits; CT frames have 512 KiB to 8 MiB


@dataclass(frozen=True, kw_only=True)
class PixelFormat:
    """How a frame's stored values are laid out; DICOM attributes of the same names."""

    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    is_signed: bool

    @property
    def frame_bytes(self) -> int:
        """Size of one decoded frame."""
        return self.rows * self.columns * self.samples * ((self.bits_allocated + 7) // 8)


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
        parsed = parse_file(member, _IMAGE_KEYWORDS + _SERIES_KEYWORDS)
        if parsed.is_directory:
            raise DicomSeriesError(
                f"{member.name} is an index of other files", code="DICOMDIR", hint=_INDEX_HINT
            )
        series_uid = values.text(parsed.dataset, "SeriesInstanceUID")
        modality = values.text(parsed.dataset, "Modality")
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
        found = {f: values.text(parsed.dataset, k) for f, k in _PATIENT_KEYWORDS.items()}
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
    pixel_format = _pixel_format(frames[0])
    _refuse_oversized(member, pixel_format)
    _refuse_truncated(member, parsed, pixel_format, frames=len(frames))
    images = tuple(
        _image(dataset, member=member, frame=i, frames=len(frames), parsed=parsed)
        for i, dataset in enumerate(frames)
    )
    return images, _series_header(frames[0], parsed.transfer_syntax)


def _pixel_format(dataset: Dataset) -> PixelFormat:
    found = {k: values.integer(dataset, k) for k in ("Rows", "Columns", "BitsAllocated")}
    for keyword, value in found.items():
        if value is None or value < 1:
            raise values.bad_value(keyword, "nothing" if value is None else "less than one")
    allocated = found["BitsAllocated"] or 0
    if allocated not in (8, 16, 32):
        raise values.bad_value("BitsAllocated", f"{allocated} in place of 8, 16 or 32")
    stored = values.integer(dataset, "BitsStored")
    if stored is not None and not 1 <= stored <= allocated:
        raise values.bad_value("BitsStored", f"{stored} of {allocated} bits")
    return PixelFormat(
        rows=found["Rows"] or 0,
        columns=found["Columns"] or 0,
        samples=values.integer(dataset, "SamplesPerPixel") or 1,
        photometric=values.text(dataset, "PhotometricInterpretation") or "MONOCHROME2",
        bits_allocated=allocated,
        bits_stored=stored or allocated,
        is_signed=values.integer(dataset, "PixelRepresentation") == 1,
    )


def _refuse_oversized(member: Member, pixel_format: PixelFormat) -> None:
    if not 0 < pixel_format.frame_bytes <= MAX_FRAME_BYTES:
        raise DicomSeriesError(
            f"{member.name} declares an image beyond any CT",
            code="TOO_LARGE",
            expected=f"at most {MAX_FRAME_BYTES} bytes in a frame",
            got=f"{pixel_format.rows} x {pixel_format.columns} pixels",
        )


def _refuse_truncated(
    member: Member, parsed: ParsedFile, pixel_format: PixelFormat, *, frames: int
) -> None:
    span = parsed.pixels
    assert span is not None
    needed = span.length or 0
    if parsed.transfer_syntax in syntaxes.NATIVE:
        needed = max(needed, pixel_format.frame_bytes * frames)
    have = span.available if span.length is None else min(span.available, span.length)
    if have < max(needed, 1):
        raise DicomSeriesError(
            f"{member.name} ends before its pixel data do",
            code="TRUNCATED",
            expected=f"{needed} bytes",
            got=f"{have} bytes",
            hint="Copy or download the file again.",
        )


def _image(
    dataset: Dataset, *, member: Member, frame: int, frames: int, parsed: ParsedFile
) -> ImageHeader:
    assert parsed.pixels is not None
    row_spacing_mm, column_spacing_mm = values.floats(dataset, "PixelSpacing", 2) or (None, None)
    return ImageHeader(
        member=member,
        frame=frame,
        frames=frames,
        transfer_syntax=parsed.transfer_syntax,
        pixels=parsed.pixels,
        pixel_format=_pixel_format(dataset),
        sop_class_uid=values.text(dataset, "SOPClassUID"),
        sop_instance_uid=values.text(dataset, "SOPInstanceUID"),
        instance_number=values.integer(dataset, "InstanceNumber"),
        study_uid=values.text(dataset, "StudyInstanceUID"),
        frame_of_reference_uid=values.text(dataset, "FrameOfReferenceUID"),
        modality=values.text(dataset, "Modality"),
        image_type=values.texts(dataset, "ImageType"),
        position_lps_mm=values.vector(dataset, "ImagePositionPatient"),
        orientation=values.floats(dataset, "ImageOrientationPatient", 6),
        row_spacing_mm=row_spacing_mm,
        column_spacing_mm=column_spacing_mm,
        slice_location_mm=values.number(dataset, "SliceLocation"),
        slope=values.number(dataset, "RescaleSlope"),
        intercept=values.number(dataset, "RescaleIntercept"),
        rescale_type=values.text(dataset, "RescaleType"),
        padding=_padding(dataset),
    )


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    """Return the padded range as values of the image's own signedness.

    Writers state negative padding of signed images as an unsigned number (63536 for -2000).
    """
    ends = [values.integer(dataset, k) for k in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if ends[0] is None:
        return None
    pixel_format = _pixel_format(dataset)
    half, whole = 1 << (pixel_format.bits_allocated - 1), 1 << pixel_format.bits_allocated
    wrapped = [
        e - whole if pixel_format.is_signed and e >= half else e for e in ends if e is not None
    ]
    return min(wrapped), max(wrapped)


def _series_header(dataset: Dataset, transfer_syntax: str) -> SeriesHeader:
    stated = values.text(dataset, "LossyImageCompression")
    return SeriesHeader(
        source_format="dicom",
        study_instance_uid=values.text(dataset, "StudyInstanceUID"),
        series_instance_uid=values.text(dataset, "SeriesInstanceUID"),
        frame_of_reference_uid=values.text(dataset, "FrameOfReferenceUID"),
        series_number=values.integer(dataset, "SeriesNumber"),
        series_description=values.text(dataset, "SeriesDescription"),
        manufacturer=values.text(dataset, "Manufacturer"),
        model_name=values.text(dataset, "ManufacturerModelName"),
        convolution_kernel=values.text(dataset, "ConvolutionKernel"),
        slice_thickness_mm=values.number(dataset, "SliceThickness"),
        kvp=values.number(dataset, "KVP"),
        exposure_mas=values.number(dataset, "Exposure"),
        contrast_agent=values.text(dataset, "ContrastBolusAgent"),
        lossy=stated == "01" or (transfer_syntax in syntaxes.LOSSY and stated != "00"),
    )
