"""Containers that must not be trusted."""

import stat
import zipfile
from pathlib import Path

import pytest

from nodule.ct import inventory
from nodule.ct._containers import (
    members_named,
    members_of_folder,
    members_of_zip,
)
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
        for i in range(20_001):
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


def write_index_of(path: Path, sizes: list[tuple[int, int]]) -> Path:
    """Write an archive whose index states these sizes, packed and unpacked, of each member."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(len(sizes)):
            archive.writestr(f"{number}.txt", b"x")
    content = bytearray(path.read_bytes())
    at = 0
    for packed, unpacked in sizes:
        at = content.index(b"PK\x01\x02", at) + 4
        content[at + 16 : at + 24] = packed.to_bytes(4, "little") + unpacked.to_bytes(4, "little")
    path.write_bytes(bytes(content))
    return path


GIB = 1 << 30


@pytest.mark.parametrize(
    ("sizes", "refused"),
    [
        pytest.param([(10_000, 1_999_999)], False, id="below a ratio of 200"),
        pytest.param([(10_000, 2_000_000)], False, id="a ratio of 200"),
        pytest.param([(10_000, 2_000_001)], True, id="above a ratio of 200"),
        pytest.param([(1, 1 << 20)], False, id="a mebibyte of any ratio"),
        pytest.param([(1, (1 << 20) + 1)], True, id="above a mebibyte the ratio counts"),
        pytest.param([(GIB, 2 * GIB - 1)], False, id="below two gibibytes in one member"),
        pytest.param([(GIB, 2 * GIB)], False, id="two gibibytes in one member"),
        pytest.param([(GIB, 2 * GIB + 1)], True, id="above two gibibytes in one member"),
        pytest.param([(GIB, 2 * GIB)] * 4, False, id="eight gibibytes in all"),
        pytest.param([(GIB, 2 * GIB)] * 4 + [(1, 1)], True, id="above eight gibibytes in all"),
    ],
)
def test_an_archive_inflates_to_no_more_than_a_ct_study(
    tmp_path: Path, sizes: list[tuple[int, int]], refused: bool
) -> None:
    path = write_index_of(tmp_path / "a.zip", sizes)
    if refused:
        assert refusal(path) == "ARCHIVE_BOMB"
    else:
        assert len(members_of_zip(path)) == len(sizes)
