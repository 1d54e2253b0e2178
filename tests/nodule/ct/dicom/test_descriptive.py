"""Attributes that only describe are named where they break the standard, and refuse nothing."""

import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from nodule.ct.dicom._descriptive import malformed_in


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "malformed"),
    [
        ("StudyDate", "DA", "20190228", False),
        ("StudyDate", "DA", "2019.02.28", False),
        ("StudyDate", "DA", "", False),
        ("StudyDate", "DA", "20190229", True),
        ("StudyDate", "DA", "00000000", True),
        ("PatientBirthDate", "DA", "19500000", True),
        ("SeriesDate", "DA", "20001301", True),
        ("StudyTime", "TM", "235959.123456", False),
        ("StudyTime", "TM", "2359", False),
        ("StudyTime", "TM", "246199", True),
        ("SeriesTime", "TM", "noon", True),
        ("PatientAge", "AS", "061Y", False),
        ("PatientAge", "AS", "61", True),
        ("KVP", "DS", "120", False),
        ("ConvolutionKernel", "SH", "B30f", False),
    ],
)
def test_malformed_values_are_told_from_sound_ones(
    keyword: str, vr: str, value: str, malformed: bool
) -> None:
    dataset = Dataset()
    dataset[keyword] = DataElement(keyword, vr, value, validation_mode=0)
    assert malformed_in(dataset) == ((keyword,) if malformed else ())
