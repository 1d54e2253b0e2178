"""Results of the whole command, killed at random moments and raced: none is mixed or lost."""

import random
import signal
import time
from pathlib import Path

import pytest
from light_command import Light

pytestmark = pytest.mark.slow


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_kills_leave_the_old_or_the_new(
    light: Light, study: Path, tmp_path: Path, rounds: int
) -> None:
    """One run replaces the report of another, which differs in all of its files' contents."""
    wholes = []
    for indication in ("first", "second"):
        light.run([study], tmp_path / indication, "--indication", indication)
        wholes.append(tree(tmp_path / indication / "CT"))
    out = tmp_path / "out"
    light.run([study], out, "--indication", "first")
    notes = {"notes.txt": b"mine"}
    (out / "CT" / "notes.txt").write_bytes(b"mine")
    began = time.monotonic()
    light.run([study], out, "--indication", "second")
    seconds = time.monotonic() - began
    rng = random.Random(13)
    for number in range(rounds):
        process = light.start([study], out, "--indication", ("first", "second")[number % 2])
        time.sleep(rng.uniform(0.0, 1.05) * seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert tree(out / "CT") in [whole | notes for whole in wholes], f"kill {number}"
    light.run([study], out, "--indication", "first")
    assert [path.name for path in out.iterdir()] == ["CT"]
    assert tree(out / "CT") == wholes[0] | notes


def test_racing_studies_of_one_name_keep_their_results_apart(
    light: Light, study: Path, namesake: Path, tmp_path: Path, rounds: int
) -> None:
    alone = []
    for index, each in enumerate((study, namesake)):
        light.run([each], tmp_path / f"alone{index}")
        alone.append(tree(tmp_path / f"alone{index}" / "CT"))
    for number in range(rounds):
        out = tmp_path / f"race{number}"
        both = [light.start([each], out) for each in (study, namesake)]
        ended = [process.communicate() for process in both]
        assert [process.returncode for process in both] == [0, 0], ended
        folders = sorted(out.iterdir())
        assert len(folders) == 2, f"race {number}"
        assert folders[0].name == "CT"
        found = [tree(folder) for folder in folders]
        assert found in (alone, alone[::-1])


def test_one_study_run_twice_at_once_gives_one_whole_report(
    light: Light, study: Path, tmp_path: Path, rounds: int
) -> None:
    light.run([study], tmp_path / "alone")
    for number in range(rounds):
        out = tmp_path / f"race{number}"
        both = [light.start([study], out) for _ in range(2)]
        ended = [process.communicate() for process in both]
        assert [process.returncode for process in both] == [0, 0], ended
        assert tree(out) == tree(tmp_path / "alone")
