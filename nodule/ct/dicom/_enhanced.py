"""Enhanced multi-frame CT: every frame as if it were a classic single-frame image.

An enhanced object (PS3.3 C.7.6.16) keeps what differs between frames in functional groups, each
a sequence of one item. Laid flat over the top-level attributes, a frame's groups give a data set
that reads like a classic image, so that one set of checks serves both.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from nodule.ct.dicom import attributes
from nodule.ct.dicom._pixel_format import OVERLAY_BIT_TAGS
from nodule.errors import DicomSeriesError

MAX_FRAMES = 20_000


def flat_frames(dataset: Dataset) -> Iterator[Dataset]:
    """Yield one flat data set per frame; a single-frame image is yielded as it is.

    Raises
    ------
    DicomSeriesError : ``BAD_VALUE`` for a frame count or groups that do not fit each other,
        ``TOO_LARGE`` for more frames than any CT has.
    """
    count = attributes.integer(dataset, "NumberOfFrames")
    per_frame = _items(dataset, "PerFrameFunctionalGroupsSequence")
    if count is not None and not 0 < count <= MAX_FRAMES:
        raise DicomSeriesError(
            "an image declares an impossible number of frames",
            code="TOO_LARGE" if count > 0 else "BAD_VALUE",
            expected=f"1 to {MAX_FRAMES}",
            got=count,
        )
    if not per_frame:
        yield from [dataset] * (count or 1)
        return
    if len(per_frame) != (count or 1):
        raise attributes.bad_value("NumberOfFrames", f"{count} for {len(per_frame)} frame items")
    shared = _items(dataset, "SharedFunctionalGroupsSequence")
    for groups in per_frame:
        try:
            flat = _flat(dataset, [*shared[:1], groups])
        except Exception as error:  # whatever pydicom raises on what it decodes only now
            got = type(error).__name__
            raise attributes.bad_value("PerFrameFunctionalGroupsSequence", got) from None
        yield flat


def _flat(dataset: Dataset, levels: list[Dataset]) -> Dataset:
    flat = Dataset()
    for tag in (*map(Tag, _TOP_LEVEL), *map(Tag, OVERLAY_BIT_TAGS)):
        if tag in dataset:
            flat[tag] = dataset[tag]
    for groups in levels:
        for group in groups:
            if group.VR == "SQ" and group.value:
                flat.update(group.value[0])
    if "FrameType" in flat:
        flat.ImageType = flat.FrameType
    return flat


_TOP_LEVEL = (
    "SpecificCharacterSet",
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "InstanceNumber",
    "AcquisitionNumber",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientAge",
    "StudyDate",
    "StudyTime",
    "SeriesDate",
    "SeriesTime",
    "Modality",
    "Manufacturer",
    "ManufacturerModelName",
    "BodyPartExamined",
    "ProtocolName",
    "StudyDescription",
    "SeriesDescription",
    "SeriesNumber",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "ContrastBolusAgent",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "LossyImageCompression",
)


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    value = attributes.raw(dataset, keyword)
    return list(value) if isinstance(value, Sequence) else []
