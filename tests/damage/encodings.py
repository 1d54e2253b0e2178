"""A series in every encoding that is read here: native, deflated, compressed, enhanced."""

import struct
from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.sequence import Sequence

from damage.made_series import SIGNED, UNSIGNED, SeriesRecipe, make_slices

ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
NATIVE: Mapping[str, tuple[SeriesRecipe, str]] = {
    "explicit": (SIGNED, uid.ExplicitVRLittleEndian),
    "implicit": (UNSIGNED, uid.ImplicitVRLittleEndian),
    "big-endian": (SIGNED, uid.ExplicitVRBigEndian),
    "deflated": (UNSIGNED, uid.DeflatedExplicitVRLittleEndian),
}
COMPRESSED: Mapping[str, tuple[SeriesRecipe, str]] = {
    "rle": (SIGNED, uid.RLELossless),
    "jpeg-ls": (UNSIGNED, uid.JPEGLSLossless),
    "jpeg-2000": (UNSIGNED, uid.JPEG2000Lossless),
}
ENCODINGS = {**NATIVE, **COMPRESSED}
ENHANCED = ("enhanced", "enhanced-rle")


def encoded_slices(encoding: str) -> list[Dataset]:
    """Return classic slices of the chest, or one enhanced object, that may be changed."""
    return deepcopy(_encoded(encoding))


@lru_cache
def _encoded(encoding: str) -> list[Dataset]:
    if encoding in ENHANCED:
        slices = make_slices(SIGNED)
        return [enhanced(slices) if encoding == "enhanced" else compressed_enhanced(slices, None)]
    recipe, syntax = ENCODINGS[encoding]
    slices = make_slices(recipe)
    for ds in slices:
        if encoding in COMPRESSED:
            ds.compress(syntax, generate_instance_uid=False)
        ds.file_meta.TransferSyntaxUID = syntax
        if encoding == "big-endian":
            ds.PixelData = np.frombuffer(ds.PixelData, "<i2").astype(">i2").tobytes()
    return slices


def group(**attributes: Any) -> Sequence:
    """Return a functional group: a sequence of one item (PS3.3 C.7.6.16)."""
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return Sequence([item])


def enhanced(slices: list[Dataset]) -> Dataset:
    """Put classic slices into one object, what they share once and the rest a frame each."""
    whole = deepcopy(slices[0])
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = ENHANCED_CT
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
        "RescaleType",
        "SliceThickness",
        "InstanceNumber",
    ):
        del whole[keyword]
    shared = Dataset()
    shared.PixelMeasuresSequence = group(PixelSpacing=slices[0].PixelSpacing)
    shared.PlaneOrientationSequence = group(
        ImageOrientationPatient=slices[0].ImageOrientationPatient
    )
    whole.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for number, ds in enumerate(slices, start=1):
        frame = Dataset()
        frame.FrameContentSequence = group(StackID="1", InStackPositionNumber=number)
        frame.PlanePositionSequence = group(ImagePositionPatient=ds.ImagePositionPatient)
        frame.PixelValueTransformationSequence = group(
            RescaleSlope=ds.RescaleSlope, RescaleIntercept=ds.RescaleIntercept, RescaleType="HU"
        )
        frames.append(frame)
    whole.PerFrameFunctionalGroupsSequence = Sequence(frames)
    whole.NumberOfFrames = len(slices)
    whole.PixelData = b"".join(ds.PixelData for ds in slices)
    return whole


def compressed_enhanced(slices: list[Dataset], offsets: list[int] | None) -> Dataset:
    """Return run-length encoded frames behind an offset table of one's own (PS3.5 A.4)."""
    whole = enhanced(slices)
    frames = []
    for ds in slices:
        ds.compress(uid.RLELossless, generate_instance_uid=False)
        frames.append(get_frame(ds.PixelData, 0, number_of_frames=1))
    whole.file_meta.TransferSyntaxUID = uid.RLELossless
    plain = encapsulate(frames, has_bot=offsets is None)
    if offsets is not None:
        table = struct.pack(f"<{len(offsets)}L", *offsets)
        plain = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(table)) + table + plain[8:]
    whole.PixelData = plain
    whole["PixelData"].VR = "OB"
    return whole
