"""Containers that must not be trusted."""

import stat
import zipfile
from pathlib import Path

import pytest

from nodule.ct import inventory
from nodule.ct._containers import MAX_MEMBERS, members_named, members_of_folder
from nodule.errors import InputError


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        inventory(path)
    return caught.value.code


@pytest.mark.parametrize(
    "name", ["../../x.dcm", "a/../../x.dcm", "/etc/x.dcm", "C:/x.dcm", "..\\x"]
)
def test_a_member_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    before = sorted(tmp_path.parent.rglob("*"))
    assert refusal(tmp_path / "a.zip") == "UNSAFE_ARCHIVE"
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refusal(tmp_path / "a.zip") == "UNSAFE_ARCHIVE"


def test_a_bomb_of_one_thousand_to_one_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.dcm", bytes(64 << 20))
    assert (tmp_path / "a.zip").stat().st_size < 1 << 17
    assert refusal(tmp_path / "a.zip") == "ARCHIVE_BOMB"


def test_many_small_bombs_are_refused_by_their_sum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodule.ct._containers.MAX_TOTAL_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(20):
            archive.writestr(f"{i}.dcm", bytes(1000))
    assert refusal(tmp_path / "a.zip") == "ARCHIVE_BOMB"


def test_more_members_than_a_study_has_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(MAX_MEMBERS + 1):
            archive.writestr(str(i), b"")
    assert refusal(tmp_path / "a.zip") == "TOO_MANY_FILES"


def test_a_damaged_archive_is_refused(clean_series: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in clean_series.iterdir():
            archive.write(file, file.name)
    content = bytearray(path.read_bytes())
    content[200:400] = bytes(200)
    path.write_bytes(content)
    found = inventory(path)
    assert {i.code for i in found.ignored} == {"BAD_ARCHIVE"}


def test_a_link_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.dcm").write_bytes(b"x")
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "inside.dcm").write_bytes(b"x")
    (folder / "link.dcm").symlink_to(tmp_path / "outside.dcm")
    assert [m.name for m in members_of_folder(folder)] == ["inside.dcm"]


def test_an_index_reaches_only_below_its_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"x")
    folder = tmp_path / "medium"
    folder.mkdir()
    (folder / "inside").write_bytes(b"x")
    members, missing = members_named(folder, ["inside", "../outside", "/etc/passwd", "absent"])
    assert [m.name for m in members] == ["inside"]
    assert missing == ("../outside", "/etc/passwd", "absent")
