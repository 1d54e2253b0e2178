"""The readers' XML beside a scan, or in a tree of its own; other XML is none of theirs."""

from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.lidc._readings import readings_beside, readings_by_series

READINGS = (
    "<LidcReadMessage><ResponseHeader><SeriesInstanceUid>{}</SeriesInstanceUid>"
    "</ResponseHeader></LidcReadMessage>"
)


def touch(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_one_file_of_readings_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    assert readings_beside(tmp_path) is None
    touch(tmp_path / "export.xml", "<Study/>")
    assert readings_beside(tmp_path) is None
    drawn = touch(tmp_path / "069.xml", READINGS.format("1.2"))
    assert readings_beside(tmp_path) == drawn
    assert readings_beside(drawn) is None


def test_of_several_the_one_called_annotations_is_taken_and_else_none(tmp_path: Path) -> None:
    for name in ("068.xml", "069.xml"):
        touch(tmp_path / name, READINGS.format("1.2"))
    with pytest.raises(InputError, match="MANY_READINGS"):
        readings_beside(tmp_path)
    preferred = touch(tmp_path / "annotations.xml", READINGS.format("1.2"))
    assert readings_beside(tmp_path) == preferred


@pytest.mark.parametrize(("padding", "found"), [(7000, True), (8200, False)])
def test_the_series_stands_in_the_first_8_kibibytes(
    tmp_path: Path, padding: int, found: bool
) -> None:
    text = READINGS.format("1.2.3").replace(
        "<ResponseHeader>", f"<!--{' ' * padding}--><ResponseHeader>"
    )
    path = touch(tmp_path / "deep" / "069.xml", text)
    assert readings_by_series(tmp_path) == ({"1.2.3": path} if found else {})


def test_readings_of_chest_radiographs_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path / "chest.xml", "<IdriReadMessage><SeriesInstanceUid>1</SeriesInstanceUid>")
    assert readings_by_series(tmp_path) == {}
