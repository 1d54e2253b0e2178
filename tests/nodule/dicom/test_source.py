"""Results refer to what can be referred to, and leave empty what the standard forbids."""

import logging
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from dicom_case import Case
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from nodule.ct import SeriesSource, inventory
from nodule.dicom.source import source_headers
from nodule.errors import DicomSeriesError


def changed(case: Case, folder: Path, keyword: str, value: Callable[[int], bytes]) -> SeriesSource:
    """Return a series with the bytes of one attribute replaced, as a careless writer leaves it."""
    for number, path in enumerate(sorted(case.folder.iterdir())):
        image = pydicom.dcmread(path)
        content = value(number)
        content += (b"\0" if dictionary_VR(keyword) == "UI" else b" ") * (len(content) % 2)
        tag = Tag(tag_for_keyword(keyword))
        image._dict[tag] = RawDataElement(
            tag, dictionary_VR(keyword), len(content), content, 0, False, True
        )
        image.save_as(folder / path.name)
    return inventory(folder).choose()


@pytest.mark.parametrize(
    ("keyword", "text", "kept"),
    [
        ("PatientBirthDate", "00000000", False),
        ("PatientBirthDate", "19500000", False),
        ("StudyDate", "20190229", False),
        ("StudyDate", "20200229", True),
        ("SeriesDate", "20001301", False),
        ("StudyTime", "246199", False),
        ("StudyTime", "235960", True),
        ("StudyTime", "240000", False),
        ("StudyID", "1" * 16, True),
        ("StudyID", "1" * 17, False),
        ("AccessionNumber", "A" * 17, False),
        ("PatientID", "P" * 64, True),
        ("PatientID", "P" * 65, False),
        ("PatientName", "D" * 64, True),
        ("PatientName", "D" * 65, False),
        ("StudyDescription", "S" * 65, False),
    ],
)
def test_a_descriptive_value_that_breaks_the_standard_is_left_empty_and_told(
    case: Case,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    keyword: str,
    text: str,
    kept: bool,
) -> None:
    source = changed(case, tmp_path, keyword, lambda _: text.encode())
    with caplog.at_level(logging.WARNING):
        header = source_headers(source)[0]
    assert str(header.get(keyword) or "") == (text if kept else "")
    assert (f"{keyword} of the series breaks" in caplog.text) == (not kept)


@pytest.mark.parametrize(
    "keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"]
)
@pytest.mark.parametrize("uid", ["1.2.03.4", "ANON-1", "1.2..3", "1", "1." + "2" * 63])
def test_a_uid_that_breaks_the_standard_is_refused_by_its_name(
    case: Case, tmp_path: Path, keyword: str, uid: str
) -> None:
    if keyword == "SOPInstanceUID":  # one for each image
        source = changed(case, tmp_path, keyword, lambda n: f"{uid}.0{n}".encode())
    else:
        source = changed(case, tmp_path, keyword, lambda _: uid.encode())
    with pytest.raises(DicomSeriesError) as refused:
        source_headers(source)
    assert refused.value.code == "INVALID_DICOM_SOURCE"
    assert keyword in str(refused.value)


def test_a_uid_of_64_characters_is_referred_to(case: Case, tmp_path: Path) -> None:
    uid = "1." + "2" * 62
    source = changed(case, tmp_path, "StudyInstanceUID", lambda _: uid.encode())
    assert source_headers(source)[0].StudyInstanceUID == uid


def test_a_frame_of_reference_for_each_image_is_refused(case: Case, tmp_path: Path) -> None:
    source = changed(case, tmp_path, "FrameOfReferenceUID", lambda n: f"1.2.3.{n + 1}".encode())
    with pytest.raises(DicomSeriesError, match="FrameOfReferenceUID") as refused:
        source_headers(source)
    assert refused.value.code == "INVALID_DICOM_SOURCE"
