"""A folder is the earlier one or the new one, whoever writes it, and whatever strikes."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import fault_layer
import pytest

from nodule import whole_folders
from nodule.errors import UsageError
from nodule.whole_files import write_whole
from nodule.whole_folders import draft_beside, put_in_place

OWN = ("a", "b", "only_old", "only_new", "maps", "maps/a")


def is_own(name: str) -> bool:
    return name in OWN


def write(folder: Path, word: str) -> None:
    with draft_beside(folder) as draft:
        for name in ("a", "b", f"only_{word}"):
            write_whole(draft / name, word.encode())
        put_in_place(draft, lambda: folder, is_own=is_own)


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def whole(word: str) -> dict[str, str]:
    return {"a": word, "b": word, f"only_{word}": word}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results" / "study"


@pytest.fixture(params=["swap", "two steps"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "two steps":
        monkeypatch.setattr(whole_folders, "_swap", lambda *_: False)
    elif sys.platform != "linux":
        pytest.skip("only Linux swaps folders in one step")
    return str(request.param)


def test_a_new_folder_is_its_owners_alone_and_nothing_stays_beside_it(folder: Path) -> None:
    write(folder, "new")
    assert content(folder) == whole("new")
    assert list(folder.parent.iterdir()) == [folder]
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("way")
def test_an_earlier_folder_is_replaced_and_what_others_put_there_stays(folder: Path) -> None:
    write(folder, "old")
    folder.chmod(0o750)
    (folder / "notes.txt").write_text("mine")
    (folder / "more").mkdir()
    (folder / "more" / "deep.txt").write_text("mine, too")
    (folder / "link").symlink_to("nowhere")
    (folder / "maps").mkdir()
    (folder / "maps" / "a").touch()
    write(folder, "new")
    others = {"notes.txt": "mine", "more/deep.txt": "mine, too"}
    assert content(folder) == whole("new") | others
    assert not (folder / "maps").exists()
    assert (folder / "link").readlink() == Path("nowhere")
    assert list(folder.parent.iterdir()) == [folder]
    assert folder.stat().st_mode & 0o777 == 0o750


def test_a_folder_of_its_own_goes_and_leaves_what_others_put_into_it(folder: Path) -> None:
    write(folder, "old")
    (folder / "maps").mkdir()
    for name in ("a", "notes.txt"):
        (folder / "maps" / name).write_text("old")
    write(folder, "new")
    assert content(folder) == whole("new") | {"maps/notes.txt": "old"}


def test_others_files_are_copied_where_files_have_one_name_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    write(folder, "old")
    (folder / "notes.txt").write_text("mine")
    monkeypatch.setattr(os, "link", refuse)
    write(folder, "new")
    assert content(folder) == whole("new") | {"notes.txt": "mine"}


@pytest.mark.usefixtures("way")
def test_what_others_save_while_a_folder_is_replaced_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "old")
    (folder / "notes.txt").write_text("first")
    replace = whole_folders._replace

    def save_meanwhile(place: Path, new: Path) -> Path:
        write_whole(place / "notes.txt", b"second")
        (place / "late.txt").write_text("late")
        return replace(place, new)

    monkeypatch.setattr(whole_folders, "_replace", save_meanwhile)
    write(folder, "new")
    assert content(folder) == whole("new") | {"notes.txt": "second", "late.txt": "late"}


@pytest.mark.usefixtures("way")
def test_an_error_while_writing_leaves_the_earlier_folder(folder: Path) -> None:
    def fail() -> None:
        with draft_beside(folder) as draft:
            write_whole(draft / "a", b"new")
            raise ValueError("no")

    write(folder, "old")
    with pytest.raises(ValueError, match="no"):
        fail()
    assert content(folder) == whole("old")
    assert list(folder.parent.iterdir()) == [folder]


def test_killed_at_any_call_it_leaves_the_old_or_the_new(folder: Path, way: str) -> None:
    write(folder, "old")
    (folder / "notes.txt").write_text("mine")

    def look() -> None:
        if way == "swap":
            found.append(look_at(folder))
        with draft_beside(folder):
            pass  # the next run
        found.append(look_at(folder))
        assert list(folder.parent.iterdir()) == [folder]
        write(folder, "old")

    found: list[str] = []
    kills = fault_layer.fault_at_every_call(
        lambda: write(folder, "new"),
        look,
        fault=fault_layer.kill_this_process,
    )
    assert len(kills) > 20
    assert set(kills) == {-signal.SIGKILL}
    assert set(found) == {"old", "new"}
    assert content(folder) == whole("new") | {"notes.txt": "mine"}  # the one without a kill


def look_at(folder: Path) -> str:
    found = content(folder)
    assert found in (whole("old") | {"notes.txt": "mine"}, whole("new") | {"notes.txt": "mine"})
    return found["a"]


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "from then on"])
def test_a_full_disk_at_any_call_leaves_the_old_or_the_new(
    folder: Path, way: str, for_good: bool
) -> None:
    write(folder, "old")
    (folder / "notes.txt").write_text("mine")

    def look() -> None:
        if not (for_good and way == "two steps"):  # where the step back is refused as well
            look_at(folder)
        with draft_beside(folder):
            pass  # the next run
        look_at(folder)
        write(folder, "old")
        assert list(folder.parent.iterdir()) == [folder]

    codes = fault_layer.fault_at_every_call(
        lambda: write(folder, "new"),
        look,
        fault=fault_layer.refuse_for_space,
        for_good=for_good,
    )
    assert len(codes) > 20
    assert set(codes) == {0, 1}  # that a draft cannot be removed fails nothing


@pytest.mark.usefixtures("way")
def test_racing_processes_leave_one_of_them_whole(folder: Path) -> None:
    for _ in range(10):
        children = []
        for word in ("old", "new"):
            pid = os.fork()
            if pid == 0:
                try:
                    for _ in range(5):
                        write(folder, word)
                except BaseException:
                    os._exit(1)
                os._exit(0)
            children.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        assert codes == [0, 0]
        assert content(folder) in (whole("old"), whole("new"))
        assert list(folder.parent.iterdir()) == [folder]


def test_a_draft_of_a_living_process_is_left_alone(folder: Path) -> None:
    with draft_beside(folder) as draft:
        with draft_beside(folder):
            pass
        assert draft.is_dir()
        os.utime(draft.parent, (0, 0))  # it may take long
        with draft_beside(folder):
            pass
        assert draft.is_dir()


def test_an_old_draft_whose_process_number_was_given_again_is_removed(folder: Path) -> None:
    leftover = folder.parent / f".nodule-draft-{os.getpid()}-0123abcd"
    leftover.mkdir(parents=True)
    write(folder, "new")
    assert leftover.is_dir()
    an_hour_ago = time.time() - 3601
    os.utime(leftover, (an_hour_ago, an_hour_ago))
    write(folder, "new")
    assert not leftover.exists()


def test_without_locks_drafts_are_removed_after_an_hour(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_folders, "_CAN_LOCK", False)
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    leftover = folder.parent / f".nodule-draft-{int(dead.stdout)}-0123abcd"
    leftover.mkdir(parents=True)
    write(folder, "new")
    assert leftover.is_dir()
    os.utime(leftover, (0, 0))
    write(folder, "new")
    assert list(folder.parent.iterdir()) == [folder]


def test_a_lock_keeps_others_out_until_it_is_given_back(tmp_path: Path) -> None:
    entered = threading.Event()

    def enter() -> None:
        with whole_folders.locked(tmp_path):
            entered.set()

    other = threading.Thread(target=enter)
    with whole_folders.locked(tmp_path):
        other.start()
        assert not entered.wait(0.2)
    other.join()
    assert entered.is_set()


def test_the_place_is_chosen_when_the_draft_is_written(folder: Path) -> None:
    other = folder.with_name("other")
    places = [folder]
    with draft_beside(folder) as draft:
        write_whole(draft / "a", b"new")
        places[0] = other
        assert put_in_place(draft, lambda: places[0], is_own=is_own) == other
    assert content(other) == {"a": "new"}
    assert not folder.exists()


def test_the_current_folder_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    for folder in (Path(), tmp_path, Path("/")):
        with pytest.raises(UsageError) as refused, draft_beside(folder):
            pass
        assert refused.value.code == "FIXED_FOLDER"


def test_a_file_in_the_place_is_refused_and_stays(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("mine")
    with pytest.raises(NotADirectoryError), draft_beside(folder):
        pass
    assert folder.read_text() == "mine"
    assert list(folder.parent.iterdir()) == [folder]


def test_a_link_to_a_folder_stays_a_link(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    write(elsewhere, "old")
    folder.symlink_to("elsewhere")
    write(folder, "new")
    assert folder.is_symlink()
    assert content(elsewhere) == whole("new")
