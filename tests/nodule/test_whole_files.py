"""A file appears whole or not at all."""

import contextlib
import os
import signal
from pathlib import Path

import fault_layer
import pytest

from nodule import whole_files
from nodule.whole_files import check_writable, whole_file, whole_text, write_whole

OLD, NEW = b"old", b"new" * 1000


@pytest.fixture(params=["locks", "no locks"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(whole_files, "_CAN_LOCK", request.param == "locks")
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_replaces_an_older_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(OLD)
    assert write_whole(path, NEW) == path
    assert path.read_bytes() == NEW
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("way")
def test_an_error_while_writing_leaves_the_older_file(tmp_path: Path) -> None:
    def fail() -> None:
        with whole_file(tmp_path / "a") as stream:
            stream.write(NEW)
            raise ValueError("no")

    write_whole(tmp_path / "a", OLD)
    with pytest.raises(ValueError, match="no"):
        fail()
    assert (tmp_path / "a").read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_text_keeps_its_line_ends(tmp_path: Path) -> None:
    with whole_text(tmp_path / "a.csv") as stream:
        stream.write("µ\r\n")
        stream.write("b\n")
    assert (tmp_path / "a.csv").read_bytes() == "µ\r\nb\n".encode()


def test_a_file_is_for_whom_it_is_meant(tmp_path: Path) -> None:
    write_whole(tmp_path / "key", b"secret", mode=0o600)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_killed_at_any_call_it_leaves_the_old_or_the_new_and_the_next_writer_clears_up(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a"
    write_whole(path, OLD)
    found = []

    def look() -> None:
        found.append(path.read_bytes())
        write_whole(path, OLD)
        assert list(tmp_path.iterdir()) == [path]
        assert path.read_bytes() == OLD

    codes = fault_layer.fault_at_every_call(
        lambda: write_whole(path, NEW), look, fault=fault_layer.kill_this_process
    )
    assert set(codes) == {-signal.SIGKILL}
    assert len(codes) >= 4  # open, write, fsync, rename
    assert set(found) == {OLD}
    assert path.read_bytes() == NEW  # the one without a kill


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "from then on"])
def test_a_disk_that_refuses_at_any_call_leaves_the_older_file(
    tmp_path: Path, for_good: bool
) -> None:
    path = tmp_path / "a"
    write_whole(path, OLD)

    def look() -> None:
        assert path.read_bytes() == OLD
        assert [each for each in tmp_path.iterdir() if each != path] == [] or for_good
        for each in tmp_path.glob(".a.*"):
            each.unlink()

    codes = fault_layer.fault_at_every_call(
        lambda: write_whole(path, NEW), look, fault=fault_layer.refuse_for_space, for_good=for_good
    )
    assert set(codes) == {1}
    assert path.read_bytes() == NEW


@pytest.mark.parametrize(
    ("place", "folder", "error"),
    [
        ("new", True, None),
        ("a/b/new", True, None),
        ("folder", True, None),
        ("file", True, NotADirectoryError),
        ("file/below", True, NotADirectoryError),
        ("new", False, None),
        ("file", False, None),
        ("folder", False, IsADirectoryError),
        ("missing/new", False, FileNotFoundError),
        ("file/below", False, NotADirectoryError),
        ("x" * 300, True, OSError),
        ("x" * 300, False, OSError),
    ],
)
def test_what_cannot_be_written_is_known_before(
    tmp_path: Path, place: str, folder: bool, error: type[OSError] | None
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with contextlib.nullcontext() if error is None else pytest.raises(error):
        check_writable(tmp_path / place, folder=folder)
    assert sorted(tmp_path.rglob("*")) == before


def test_racing_writers_leave_one_of_them_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    children = []
    for content in (OLD, NEW):
        pid = os.fork()
        if pid == 0:
            try:
                for _ in range(100):
                    write_whole(path, content)
            except BaseException:
                os._exit(1)
            os._exit(0)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]
    assert path.read_bytes() in (OLD, NEW)
    assert list(tmp_path.iterdir()) == [path]
