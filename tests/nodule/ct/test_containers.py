"""Containers that must not be trusted."""

import os
import pickle
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from nodule.ct import inventory, read_ct
from nodule.ct._containers import (
    members_named,
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
    monkeypatch.setattr("nodule.ct._archives.MAX_TOTAL_BYTES", 10_000)
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
    with pytest.raises(InputError, match="BAD_ARCHIVE"):  # the damaged member may be any slice
        found.choose()


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


MIB = 1 << 20
EIGHT_GIB = [(192 * MIB, 384 * MIB)] * 21 + [(64 * MIB, 128 * MIB)]


@pytest.mark.parametrize(
    ("sizes", "refused"),
    [
        pytest.param([(10_000, 1_999_999)], False, id="below a ratio of 200"),
        pytest.param([(10_000, 2_000_000)], False, id="a ratio of 200"),
        pytest.param([(10_000, 2_000_001)], True, id="above a ratio of 200"),
        pytest.param([(1, 1 << 20)], False, id="a mebibyte of any ratio"),
        pytest.param([(1, (1 << 20) + 1)], True, id="above a mebibyte the ratio counts"),
        pytest.param([(MIB, 384 * MIB)], True, id="a ratio of 384"),
        pytest.param([(192 * MIB, 384 * MIB - 1)], False, id="below 384 mebibytes in one member"),
        pytest.param([(192 * MIB, 384 * MIB)], False, id="384 mebibytes in one member"),
        pytest.param([(192 * MIB, 384 * MIB + 1)], True, id="above 384 mebibytes in one member"),
        pytest.param(EIGHT_GIB, False, id="eight gibibytes in all"),
        pytest.param([*EIGHT_GIB, (1, 1)], True, id="above eight gibibytes in all"),
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


def test_a_directory_is_read_once_for_all_members(
    clean_series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read again at each member, the time would grow with the square of their number."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in clean_series.iterdir():
            archive.write(file, file.name)
    opened = []
    real = zipfile.ZipFile

    def count(*args: Any) -> zipfile.ZipFile:
        opened.append(args)
        return real(*args)

    monkeypatch.setattr(zipfile, "ZipFile", count)
    read_ct(path)
    assert len(opened) == 1


def test_members_travel_to_other_processes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", b"content")
    (member,) = members_of_zip(tmp_path / "a.zip")
    assert member.read() == b"content"
    again = pickle.loads(pickle.dumps(member))
    assert again == member
    assert again.read() == b"content"


@pytest.mark.parametrize("is_zip64", [False, True])
@pytest.mark.parametrize(
    ("size", "code"), [(16 << 20, "BAD_ARCHIVE"), ((16 << 20) + 1, "ARCHIVE_BOMB")]
)
def test_a_directory_is_no_larger_than_that_of_a_study(
    tmp_path: Path, size: int, code: str, is_zip64: bool
) -> None:
    """By the record at the end, before the directory is read (APPNOTE 4.3.14 and 4.3.16)."""
    end_64 = b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, 1, 1, size, 0)
    locator = b"PK\6\7" + struct.pack("<LQL", 0, 0, 1)
    stated = 0xFFFFFFFF if is_zip64 else size
    end = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 1, 1, stated, 0, 0)
    (tmp_path / "a.zip").write_bytes((end_64 + locator if is_zip64 else b"") + end)
    with pytest.raises(InputError) as caught:
        members_of_zip(tmp_path / "a.zip")
    assert caught.value.code == code


APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(138)


def test_hidden_twins_of_macos_belong_to_nothing(clean_series: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in clean_series.iterdir():
            archive.write(file, f"S/{file.name}")
            archive.writestr(f"__MACOSX/S/._{file.name}", APPLE_DOUBLE)
    found = inventory(tmp_path / "a.zip")
    assert {i.code for i in found.ignored} == {"APPLE_DOUBLE"}
    assert found.suspects == ()
    assert "UNREADABLE_FILES" not in {w.code for w in read_ct(tmp_path / "a.zip").warnings}


def test_a_damaged_file_of_a_hidden_name_stays_suspicious(
    clean_series: Path, tmp_path: Path
) -> None:
    for file in clean_series.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "._x.dcm").write_bytes(b"something else")
    assert len(inventory(tmp_path).suspects) == 1


def test_a_study_of_links_is_refused_with_the_reason(clean_series: Path, tmp_path: Path) -> None:
    """As git-annex lays a data set out."""
    for file in clean_series.iterdir():
        (tmp_path / file.name).symlink_to(file.resolve())
    with pytest.raises(InputError, match="cp -rL") as caught:
        read_ct(tmp_path)
    assert caught.value.code == "LINK_OUTSIDE"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_what_may_never_end_is_not_opened(clean_series: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dcm")
    assert refusal(tmp_path / "pipe.dcm") == "CANNOT_READ"
    assert refusal(Path(os.devnull)) == "CANNOT_READ"
    for file in clean_series.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    found = inventory(tmp_path)
    assert [(i.name, i.code) for i in found.ignored] == [("pipe.dcm", "CANNOT_READ")]
    assert found.choose().series_uid is not None


def test_a_folder_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def deny(path: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", deny)
    found = inventory(tmp_path)
    assert [(i.name, i.code) for i in found.ignored] == [("closed", "CANNOT_READ")]


@pytest.mark.parametrize(("spacing_mm", "code"), [(15.99, "OK"), (16.01, "TOO_LARGE")])
def test_a_field_has_a_grid_of_1_mm_that_fits_into_memory(
    tmp_path: Path, spacing_mm: float, code: str
) -> None:
    """64 voxels of 16 mm are 1024 mm along each axis: 2^30 voxels of 1 mm."""
    array = np.linspace(-1000, 100, 64**3).reshape(64, 64, 64).astype(np.int16)
    image = nibabel.Nifti1Image(array, np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1]))
    nibabel.save(image, tmp_path / "a.nii")
    found = inventory(tmp_path / "a.nii")
    assert [s.verdict for s in found.series] + [i.code for i in found.ignored] == [code]


def archived(folder: Path, path: Path) -> bytearray:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return bytearray(path.read_bytes())


def test_an_entry_that_swallows_those_after_it_is_noticed(
    clean_series: Path, tmp_path: Path
) -> None:
    """By the number of members at the archive's end (4.3.16 of APPNOTE)."""
    path = tmp_path / "a.zip"
    content = archived(clean_series, path)
    # a comment as long as the next entry: 46 bytes and a name of seven
    content[content.index(b"PK\1\2") + 32] = 53
    path.write_bytes(content)
    assert len(zipfile.ZipFile(path).namelist()) == 8
    assert refusal(path) == "BAD_ARCHIVE"


def test_a_slice_under_the_name_of_a_folder_is_noticed(clean_series: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    content = archived(clean_series, path)
    at = content.index(b"PK\1\2")
    content[at + 46 + 6] = ord("/")
    path.write_bytes(content)
    assert refusal(path) == "BAD_ARCHIVE"


@pytest.mark.parametrize("keep", [0, 3, 1000, -1])
def test_a_cut_archive_is_told_to_be_damaged(clean_series: Path, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.zip"
    content = archived(clean_series, path)
    path.write_bytes(content[:keep])
    assert refusal(path) == "BAD_ARCHIVE"
