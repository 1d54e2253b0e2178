"""Which part of the body a file states."""

import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from nodule.ct.dicom._body_part import stated_body_part
from nodule.study import SeriesHeader


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, None),
        ({"BodyPartExamined": "CHEST"}, "CHEST"),
        ({"BodyPartExamined": "CHESTABDPELVIS"}, "CHEST"),
        ({"BodyPartExamined": "THORAX"}, "CHEST"),
        ({"BodyPartExamined": "HEAD"}, "HEAD"),
        ({"BodyPartExamined": "ABDOMEN"}, "ABDOMEN"),
        ({"BodyPartExamined": "ABDOMENPELVIS"}, "ABDOMENPELVIS"),
        ({"BodyPartExamined": "CSPINE"}, "CSPINE"),
        ({"BodyPartExamined": "TSPINE"}, "CHEST"),
        ({"BodyPartExamined": "WHOLEBODY"}, "CHEST"),
        ({"BodyPartExamined": "PARTIALBODY"}, None),
        ({"BodyPartExamined": "UNKNOWN"}, None),
        ({"BodyPartExamined": ""}, None),
        ({"ProtocolName": "1A TRAUMA/PLAIN HEAD DM /Head"}, "HEAD"),
        ({"StudyDescription": "CT ABD/PEL"}, "ABD"),
        ({"SeriesDescription": "Liver 3 phase"}, "LIVER"),
        # a chest in any of them counts: scanners keep the part of a protocol that was changed
        ({"BodyPartExamined": "ABDOMEN", "SeriesDescription": "Thorax 1.0"}, "CHEST"),
        ({"BodyPartExamined": "HEAD", "StudyDescription": "CT LUNG SCREENING"}, "CHEST"),
        ({"BodyPartExamined": "HEAD", "ProtocolName": "Abdomen"}, "HEAD"),
    ],
)
def test_the_part_of_the_body_by_its_words(stated: dict[str, str], expected: str | None) -> None:
    dataset = Dataset()
    for keyword, value in stated.items():
        setattr(dataset, keyword, value)
    assert stated_body_part(dataset) == expected


def test_enhanced_images_state_a_region_by_code() -> None:
    code, dataset = Dataset(), Dataset()
    code.CodeMeaning = "Head"
    dataset.AnatomicRegionSequence = [code]
    assert stated_body_part(dataset) == "HEAD"


def test_what_breaks_the_standard_states_nothing() -> None:
    dataset = Dataset()
    dataset["AnatomicRegionSequence"] = DataElement("AnatomicRegionSequence", "SQ", [])
    assert stated_body_part(dataset) is None


@pytest.mark.parametrize(("part", "other"), [("HEAD", "HEAD"), ("CHEST", None), (None, None)])
def test_only_another_part_contradicts(part: str | None, other: str | None) -> None:
    assert SeriesHeader(source_format="dicom", body_part=part).other_part == other
