"""What counts as a file of a folder: one rule for every reader of folders."""

import os
from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.input_folders import lies_within, list_folder


def test_a_link_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.dcm").write_bytes(b"x")
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "inside.dcm").write_bytes(b"x")
    (folder / "link.dcm").symlink_to(tmp_path / "outside.dcm")
    (folder / "more").symlink_to(tmp_path)
    listing = list_folder(folder)
    assert [path.name for path in listing.files] == ["inside.dcm"]
    assert {name: e.code for name, e in listing.left_out.items()} == {
        "link.dcm": "LINK_OUTSIDE",
        "more": "LINK_OUTSIDE",
    }


def test_links_within_a_folder_are_files_of_it(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"x")
    (tmp_path / "a").symlink_to("b")
    assert [path.name for path in list_folder(tmp_path).files] == ["a", "b"]


def test_what_is_no_file_is_left_out_with_its_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nothing")
    (tmp_path / "device").symlink_to("/dev/null")
    listing = list_folder(tmp_path)
    assert listing.files == ()
    assert {name: error.code for name, error in listing.left_out.items()} == {
        "pipe": "CANNOT_READ",
        "loop": "CANNOT_READ",
        "gone": "CANNOT_READ",
        "device": "LINK_OUTSIDE",
    }


def test_a_folder_that_may_not_be_read_is_left_out_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a").write_bytes(b"x")
    scan = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    listing = list_folder(tmp_path)
    assert [path.name for path in listing.files] == ["a"]
    assert listing.left_out["closed"].code == "CANNOT_READ"
    (nothing,) = list_folder(tmp_path / "closed").left_out.items()
    assert (nothing[0], nothing[1].code) == ("closed", "CANNOT_READ")


def test_folders_below_count_only_where_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/b").write_bytes(b"x")
    (tmp_path / "a").write_bytes(b"x")
    assert [p.name for p in list_folder(tmp_path).files] == ["a", "b"]
    assert [p.name for p in list_folder(tmp_path, is_deep=False).files] == ["a"]


@pytest.mark.parametrize(("most", "refused"), [(2, True), (3, False), (None, False)])
def test_more_files_than_a_study_has_are_refused(
    tmp_path: Path, most: int | None, refused: bool
) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"x")
    if not refused:
        assert len(list_folder(tmp_path, max_files=most).files) == 3
        return
    with pytest.raises(InputError, match="TOO_MANY_FILES"):
        list_folder(tmp_path, max_files=most)


def test_a_link_that_leads_nowhere_near_is_not_within(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "out").symlink_to("/etc")
    assert lies_within(tmp_path / "loop", tmp_path)
    assert not lies_within(tmp_path / "out", tmp_path)
    assert not lies_within(tmp_path / "../x", tmp_path)
