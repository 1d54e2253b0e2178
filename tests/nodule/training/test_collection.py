"""Which files of a downloaded collection are cut, and which are left alone."""

from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.training import LidcCollection, Luna16Collection

READINGS = (
    "<LidcReadMessage><ResponseHeader><SeriesInstanceUID>1.2.3</SeriesInstanceUID>"
    "</ResponseHeader></LidcReadMessage>"
)


def test_readings_of_ct_are_told_from_other_xml_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    ours = tmp_path / "a" / "b" / "158.xml"
    ours.write_text(READINGS)
    others = {"radiograph.xml": "<IdriReadMessage/>", "pom.xml": "<project/>", "empty.xml": ""}
    for name, text in others.items():
        (tmp_path / name).write_text(text)
    collection = LidcCollection(tmp_path)
    assert collection.inputs == (ours,)
    assert {path.name for path in collection.foreign} == set(others)


def test_a_series_is_cut_by_one_file_of_readings_only(tmp_path: Path) -> None:
    for name in ("a.xml", "b.xml"):
        (tmp_path / name).write_text(READINGS)
    collection = LidcCollection(tmp_path)
    for path, code in zip(collection.inputs, ("NO_SERIES", "REPEATED_READINGS"), strict=True):
        with pytest.raises(InputError, match=code):
            collection.cut(path, folder=tmp_path / "set", margin_mm=20.0)


def test_luna16_is_cut_where_its_list_names_nodules(tmp_path: Path) -> None:
    (tmp_path / "subset3").mkdir()
    for uid in ("1.2.1", "1.2.2"):
        (tmp_path / "subset3" / f"{uid}.mhd").touch()
    (tmp_path / "annotations.csv").write_text(
        "seriesuid,coordX,coordY,coordZ,diameter_mm\n1.2.2,1.0,2.0,3.0,6.0\n"
    )
    assert Luna16Collection(tmp_path).inputs == (tmp_path / "subset3" / "1.2.2.mhd",)
