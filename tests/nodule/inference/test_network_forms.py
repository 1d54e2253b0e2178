"""What is kept on disk is read back whole, or not at all."""

import logging
import os
import time
from pathlib import Path

import pytest

from nodule.inference._network_forms import NetworkForm, forms_folder, keep_form, read_form

FORM = NetworkForm(graph=b"<net/>", constants=bytes(range(200)))
KEY = "ab" * 32


def file_of(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "networks"
    keep_form(FORM, "lungs", KEY, folder=folder)
    assert read_form("lungs", KEY, folder=folder) == FORM
    assert read_form("lungs", "cd" * 32, folder=folder) is None
    assert read_form("candidates", KEY, folder=folder) is None


def test_where_there_is_no_folder_there_is_no_form(tmp_path: Path) -> None:
    assert read_form("lungs", KEY, folder=tmp_path / "none") is None


@pytest.mark.parametrize("part", range(0, 264, 11))
def test_a_changed_byte_anywhere_is_noticed(
    tmp_path: Path, part: int, caplog: pytest.LogCaptureFixture
) -> None:
    keep_form(FORM, "lungs", KEY, folder=tmp_path / "n")
    path = file_of(tmp_path / "n")
    content = bytearray(path.read_bytes())
    content[part] ^= 1
    path.write_bytes(content)
    assert read_form("lungs", KEY, folder=tmp_path / "n") is None
    assert "damaged" in caplog.text


@pytest.mark.parametrize("length", [0, 10, 40, 60, 260])
def test_a_file_that_ends_early_counts_as_none(tmp_path: Path, length: int) -> None:
    keep_form(FORM, "lungs", KEY, folder=tmp_path / "n")
    path = file_of(tmp_path / "n")
    path.write_bytes(path.read_bytes()[:length])
    assert read_form("lungs", KEY, folder=tmp_path / "n") is None


def test_a_damaged_form_gives_way_to_a_whole_one(tmp_path: Path) -> None:
    keep_form(FORM, "lungs", KEY, folder=tmp_path / "n")
    file_of(tmp_path / "n").write_bytes(b"x")
    keep_form(FORM, "lungs", KEY, folder=tmp_path / "n")
    assert read_form("lungs", KEY, folder=tmp_path / "n") == FORM


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
class TestOthers:
    """What somebody else could have put there is neither read nor joined."""

    def test_the_folder_is_made_for_its_owner_alone(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            keep_form(FORM, "lungs", KEY, folder=tmp_path / "n")
        finally:
            os.umask(before)
        assert (tmp_path / "n").stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
    def test_a_folder_that_others_may_change_is_not_used(self, tmp_path: Path, mode: int) -> None:
        keep_form(FORM, "lungs", KEY, folder=tmp_path / "n")
        (tmp_path / "n").chmod(mode)
        assert read_form("lungs", KEY, folder=tmp_path / "n") is None

    def test_nothing_is_added_to_it(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "n").mkdir()
        (tmp_path / "n").chmod(0o777)
        keep_form(FORM, "lungs", KEY, folder=tmp_path / "n")
        assert not list((tmp_path / "n").iterdir())
        assert "others may write" in caplog.text

    def test_a_folder_that_others_may_only_read_is_used(self, tmp_path: Path) -> None:
        keep_form(FORM, "lungs", KEY, folder=tmp_path / "n")
        (tmp_path / "n").chmod(0o755)
        assert read_form("lungs", KEY, folder=tmp_path / "n") == FORM


def test_a_disk_that_refuses_costs_nothing_but_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        keep_form(FORM, "lungs", KEY, folder=tmp_path / "file" / "n")
    assert "not kept" in caplog.text


def test_forms_unused_for_two_months_go(tmp_path: Path) -> None:
    for name, days in (("old", 61), ("used", 59)):
        keep_form(FORM, name, KEY, folder=tmp_path / "n")
        then = time.time() - days * 86400
        os.utime(tmp_path / "n" / f"{name}-{KEY}.network", (then, then))
    keep_form(FORM, "new", KEY, folder=tmp_path / "n")
    assert {path.name.split("-")[0] for path in (tmp_path / "n").iterdir()} == {"used", "new"}


def test_reading_counts_as_use(tmp_path: Path) -> None:
    keep_form(FORM, "lungs", KEY, folder=tmp_path / "n")
    os.utime(file_of(tmp_path / "n"), (0, 0))
    read_form("lungs", KEY, folder=tmp_path / "n")
    assert time.time() - file_of(tmp_path / "n").stat().st_mtime < 60


def test_the_cache_that_is_asked_for_holds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODULE_CACHE", str(tmp_path))
    assert forms_folder() == tmp_path / "networks"
    monkeypatch.delenv("NODULE_CACHE")
    assert forms_folder().name == "networks"
    assert forms_folder().parent.name == "nodule"
