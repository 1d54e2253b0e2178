"""Attributes as typed values: absent is None, nonsense is an error that quotes nothing."""

from typing import Any

import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from nodule.ct.dicom import attributes
from nodule.errors import DicomSeriesError


def holding(keyword: str, value: Any) -> Dataset:
    """Return a data set with one attribute, whatever the standard says about its value."""
    ds = Dataset()
    vr = pydicom.datadict.dictionary_VR(keyword)
    ds[keyword] = DataElement(keyword, vr, value, validation_mode=pydicom.config.IGNORE)
    return ds


def test_what_is_absent_or_empty_is_none() -> None:
    for ds in (Dataset(), holding("PixelSpacing", None), holding("PatientName", "")):
        assert attributes.text(ds, "PatientName") is None
        assert attributes.floats(ds, "PixelSpacing", 2) is None
        assert attributes.integer(ds, "Rows") is None
        assert attributes.vector(ds, "ImagePositionPatient") is None
        assert attributes.texts(ds, "ImageType") == ("",)


def test_text_loses_its_padding_and_words_their_case() -> None:
    assert attributes.text(holding("Modality", "CT \0"), "Modality") == "CT"
    found = attributes.texts(holding("ImageType", ["original", "Primary "]), "ImageType")
    assert found == ("ORIGINAL", "PRIMARY")


def test_numbers_come_in_the_order_in_which_they_stand() -> None:
    ds = holding("ImagePositionPatient", ["-1.5", "2", "3e1"])
    assert attributes.vector(ds, "ImagePositionPatient") == (-1.5, 2.0, 30.0)


@pytest.mark.parametrize(
    ("keyword", "value", "read"),
    [
        ("PixelSpacing", ["0.7"], lambda ds: attributes.floats(ds, "PixelSpacing", 2)),
        ("PixelSpacing", ["0.7", "nan"], lambda ds: attributes.floats(ds, "PixelSpacing", 2)),
        ("PixelSpacing", ["0.7", "inf"], lambda ds: attributes.floats(ds, "PixelSpacing", 2)),
        ("KVP", ["120", "100"], lambda ds: attributes.number(ds, "KVP")),
        ("NumberOfFrames", "2.5", lambda ds: attributes.integer(ds, "NumberOfFrames")),
    ],
)
def test_nonsense_is_refused_by_the_attributes_name(keyword: str, value: Any, read: Any) -> None:
    with pytest.raises(DicomSeriesError, match=f"BAD_VALUE: {keyword}") as caught:
        read(holding(keyword, value))
    assert "0.7" not in str(caught.value)
